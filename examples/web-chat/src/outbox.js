// What was written and is not yet in the conversation.
//
// A message that is sent while the connection breaks may have arrived although nobody says so. Each therefore carries a
// mark of its own in its attributes: one that comes back in the conversation has arrived, whatever sending it said, and
// is not sent again.

import { byId, make } from "./page.js";

export class Outbox {
  constructor(conversation) {
    this.conversation = conversation;
    this.list = byId("outbox");
    this.waiting = new Map();
  }

  put(text, file) {
    const mark = `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
    const state = make("p", { className: "state" });
    const body = make("p", { className: "body", textContent: text || file.name });
    const element = make("li", { className: "message own waiting" }, make("div", { className: "bubble" }, body), state);
    this.list.append(element);
    element.scrollIntoView({ block: "nearest" });
    this.waiting.set(mark, { text, file, element, state });
    this.send(mark);
  }

  async send(mark) {
    const { text, file, state } = this.waiting.get(mark);
    state.textContent = "Sending";
    const message = this.conversation.prepareMessage().setAttributes({ mark });
    if (text) message.setBody(text);
    if (file) message.addMedia({ media: file, contentType: file.type, filename: file.name });
    try {
      await message.build().send();
      this.arrived({ attributes: { mark } });
    } catch (error) {
      if (!this.waiting.has(mark)) return;
      const again = make("button", { type: "button", className: "quiet", textContent: "Try again" });
      again.onclick = () => this.send(mark);
      state.replaceChildren(`Not sent: ${error.message} `, again);
    }
  }

  // Forgets what has arrived.
  arrived({ attributes }) {
    this.waiting.get(attributes?.mark)?.element.remove();
    this.waiting.delete(attributes?.mark);
  }
}
