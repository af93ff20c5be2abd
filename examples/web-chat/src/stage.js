// The stage: two web clients and a phone side by side, or one at a time where the window is narrow.
// Each is a page of its own in a frame, as it would be on a device of its own.

import { make } from "./page.js";

const devices = [
  { id: "alice", name: "Alice", page: "chat.html?as=alice" },
  { id: "bob", name: "Bob", page: "chat.html?as=bob" },
  { id: "carol", name: "Carol’s phone", page: "phone.html" },
];

const tabs = document.querySelector('[role="tablist"]');
const main = document.querySelector("main");

for (const { id, name, page } of devices) {
  const tab = make("button", { type: "button", role: "tab", id: `tab-${id}`, textContent: name });
  tab.setAttribute("aria-controls", id);
  tab.addEventListener("click", () => show(id));
  tabs.append(tab);
  const section = make("section", { id }, make("iframe", { src: page, title: name }));
  section.setAttribute("aria-label", name);
  main.append(section);
}

function show(shown) {
  for (const { id } of devices) {
    const tab = document.getElementById(`tab-${id}`);
    tab.setAttribute("aria-selected", id === shown);
    tab.tabIndex = id === shown ? 0 : -1;
    document.getElementById(id).classList.toggle("shown", id === shown);
  }
}

tabs.addEventListener("keydown", ({ key }) => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
  const all = [...tabs.children];
  if (!step) return;
  const next = all.at((all.indexOf(document.activeElement) + step) % all.length);
  next.click();
  next.focus();
});

// A page tells how much there is to read, for the mark on its tab.
window.addEventListener("message", ({ origin, source, data }) => {
  if (origin !== location.origin || typeof data?.unread !== "number") return;
  const frame = [...document.querySelectorAll("iframe")].find(({ contentWindow }) => contentWindow === source);
  if (frame) document.getElementById(`tab-${frame.parentElement.id}`).classList.toggle("unread", data.unread > 0);
});

show("alice");
