// The list of messages: one element for each, painted anew when it changes.

import { byId, clock, make } from "./page.js";
import { picture } from "./picture.js";

export class Timeline {
  // `names` by author; `edit` and `remove` are called for messages of one's own.
  constructor(me, names, { edit, remove }) {
    Object.assign(this, { me, names, edit, remove });
    this.list = byId("messages");
    this.shown = new Map();
    this.horizons = new Map();
  }

  get lastIndex() {
    return Math.max(-1, ...this.shown.keys());
  }

  // The index says which message it is: one that is told twice is shown once.
  put(message) {
    const known = this.shown.get(message.index);
    const element = known?.element ?? make("li");
    const pictures = known?.pictures ?? (message.attachedMedia ?? []).map(picture);
    this.shown.set(message.index, { message, element, pictures, change: known?.change });
    this.paint(message.index);
    if (known) return;
    const later = [...this.list.children].find((other) => Number(other.dataset.index) > message.index);
    this.list.insertBefore(element, later ?? null);
  }

  drop({ index }) {
    this.shown.get(index)?.element.remove();
    this.shown.delete(index);
    this.markSeen();
  }

  // A change of an own message that is on its way: its text (none where it goes) and what is said about it.
  change({ index }, change) {
    const known = this.shown.get(index);
    if (!known) return;
    known.change = change;
    this.paint(index);
  }

  // How far somebody else has read.
  seen(identity, index) {
    this.horizons.set(identity, index ?? -1);
    this.markSeen();
  }

  paint(index) {
    const { message, element, pictures, change } = this.shown.get(index);
    const own = message.author === this.me;
    const name = this.names[message.author] ?? message.author;
    // A picture without a text needs no bubble around nothing.
    const text = change?.text ?? message.body;
    const body = text ? make("p", { className: "body", textContent: text }) : undefined;
    const facts = [own ? undefined : name, clock(message.dateCreated), message.lastUpdatedBy ? "edited" : undefined];
    element.className = ["message", own && "own", change && "waiting"].filter(Boolean).join(" ");
    element.dataset.index = index;
    element.dataset.sid = message.sid;
    element.replaceChildren(
      make("div", { className: "facts" }, own ? this.actions(message, text) : "", facts.filter(Boolean).join(" · ")),
      make("div", { className: "bubble" }, ...pictures, body),
      own ? make("p", { className: "state" }) : "",
    );
    this.markSeen();
  }

  actions(message, text) {
    const what = text ?? "picture";
    const button = (textContent, onclick) =>
      make("button", { type: "button", className: "quiet", textContent, onclick, ariaLabel: `${textContent} “${what}”` });
    const edit = text ? button("Edit", () => this.edit(message, text)) : undefined;
    return make("span", { className: "actions" }, edit, button("Delete", () => this.remove(message)));
  }

  // Writes under one's own messages what became of them; "Seen" only under the last one that somebody has seen.
  markSeen() {
    const own = [...this.shown.values()].filter(({ message }) => message.author === this.me);
    const indexes = own.map(({ message }) => message.index);
    const readers = new Map();
    for (const [identity, horizon] of this.horizons) {
      const last = Math.max(-1, ...indexes.filter((index) => index <= horizon));
      readers.set(last, [...(readers.get(last) ?? []), this.names[identity] ?? identity]);
    }
    for (const { message, element, change } of own) {
      const seen = readers.get(message.index);
      const facts = [delivery(message.aggregatedDeliveryReceipt), seen && `Seen by ${seen.join(" and ")}`];
      const state = element.querySelector(".state");
      if (change) state?.replaceChildren(...change.state);
      else if (state) state.textContent = facts.filter(Boolean).join(" · ");
    }
  }
}

// What became of the message on its way to phones, in words.
function delivery(receipt) {
  if (!receipt) return undefined;
  if (receipt.failed !== "none" || receipt.undelivered !== "none") return "Phone: not delivered";
  if (receipt.read === "all") return "Phone: read";
  if (receipt.delivered === "all") return "Phone: delivered";
  return receipt.sent === "none" ? "Phone: sending" : "Phone: sent";
}
