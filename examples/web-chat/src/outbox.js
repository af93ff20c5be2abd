// What was written, changed or deleted and has not reached the conversation yet.
//
// It goes out in the order it was written, one at a time and only while there is a connection: what the SDK is given
// without one it gives up after some seconds. What got lost on the way waits here for the connection to come back; only
// the server's no is left to the writer.
//
// A message that is sent while the connection breaks may have arrived although nobody says so. Each therefore carries a
// mark of its own in its attributes: one that is in the conversation has arrived, whatever sending it said, and is not
// sent again.

import { byId, make, reason, refused } from "./page.js";
import { preview } from "./picture.js";

const pause = 3_000;

export class Outbox {
  // `found` is called for messages that are come upon.
  constructor(conversation, timeline, found) {
    Object.assign(this, { conversation, timeline, found });
    this.list = byId("outbox");
    this.queue = [];
    this.connected = false;
    this.running = false;
  }

  // Hears whether there is a connection.
  connection(state) {
    this.connected = state === "connected";
    for (const entry of this.queue) if (!entry.refusal) this.say(entry);
    this.run();
  }

  // A new message.
  put(text, file) {
    const mark = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    const after = this.conversation.lastMessage?.index ?? -1;
    const state = make("p", { className: "state" });
    const body = text ? make("p", { className: "body", textContent: text }) : undefined;
    const bubble = make("div", { className: "bubble" }, file && preview(file), body);
    const element = make("li", { className: "message own waiting" }, bubble, state);
    this.list.append(element);
    this.add({
      mark,
      failed: "Not sent",
      send: async (again) => {
        if (again) await this.look(after);
        if (!this.queue.some((entry) => entry.mark === mark)) return;
        const message = this.conversation.prepareMessage().setAttributes({ mark });
        if (text) message.setBody(text);
        if (file) message.addMedia({ media: file, contentType: file.type, filename: file.name });
        await message.build().send();
      },
      show: (...words) => state.replaceChildren(...words),
      hide: () => element.remove(),
    });
    element.scrollIntoView({ block: "nearest" });
  }

  // Another text for a message that is there, or none: it goes. It is shown where the message is; the last word counts.
  change(message, text) {
    this.gone(message);
    this.add({
      message,
      text,
      failed: text ? "Not changed" : "Not deleted",
      send: () => (text ? message.updateBody(text) : message.remove()),
      show: (...state) => this.timeline.change(message, { text, state }),
      hide: () => this.timeline.change(message, undefined),
    });
  }

  add(entry) {
    this.queue.push(entry);
    this.say(entry);
    this.run();
  }

  drop(entry) {
    if (!this.queue.includes(entry)) return;
    this.queue.splice(this.queue.indexOf(entry), 1);
    entry.hide();
  }

  // Forgets what has arrived.
  arrived({ attributes }) {
    const entry = this.queue.find(({ mark }) => mark && mark === attributes?.mark);
    if (entry) this.drop(entry);
  }

  // There is nothing to change any more. Gives back the text that was waiting.
  gone({ sid }) {
    const entry = this.queue.find(({ message }) => message?.sid === sid);
    if (entry) this.drop(entry);
    return entry?.text;
  }

  async run() {
    if (this.running) return;
    this.running = true;
    for (let entry; this.connected && (entry = this.queue.find(({ refusal }) => !refusal)); ) {
      try {
        await entry.send(entry.tried);
        this.drop(entry);
      } catch (error) {
        if (!this.queue.includes(entry)) continue;
        entry.tried = true;
        if (refused(error)) {
          entry.refusal = error;
          this.say(entry);
          continue;
        }
        // The end of a connection may be heard of a little later than of what it carried.
        console.warn(error);
        setTimeout(() => this.run(), pause);
        break;
      }
    }
    this.running = false;
  }

  say(entry) {
    if (!this.queue.includes(entry)) return;
    if (!entry.refusal) return entry.show(this.connected ? "Sending" : "Waiting for the connection");
    const button = (textContent, onclick) => make("button", { type: "button", className: "quiet", textContent, onclick });
    const again = () => {
      entry.refusal = undefined;
      this.say(entry);
      this.run();
    };
    const buttons = [button("Try again", again), button("Discard", () => this.drop(entry))];
    entry.show(`${entry.failed}: ${reason(entry.refusal)} `, ...buttons);
  }

  // Looks what is in the conversation after a message that was there when one was written. The SDK does not tell once more
  // what was read in this way.
  async look(after) {
    let page = await this.conversation.getMessages(100, after + 1, "forward");
    for (;;) {
      page.items.forEach(this.found);
      if (!page.hasNextPage) return;
      page = await page.nextPage();
    }
  }
}
