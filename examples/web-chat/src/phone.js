// The virtual phone: what the simulator's handset received and sent. It is asked every second.

import { ask, byId, clock, composer, make, trouble } from "./page.js";

const list = byId("messages");
const power = byId("power");
let on = true;

const text = composer(async (body) => {
  if (!body) return;
  text.value = "";
  await ask("/phone", "POST", { text: body }).catch(trouble);
  await show();
});

power.onclick = async () => {
  try {
    on = (await ask("/phone", "PUT", { state: on ? "off" : "on" })).state === "on";
  } catch (error) {
    return trouble(error);
  }
  power.textContent = on ? "Switch off" : "Switch on";
};

async function show() {
  const phone = await ask("/phone");
  byId("who").textContent = document.title = phone.name;
  byId("avatar").textContent = phone.name[0];
  byId("address").textContent = phone.address;
  for (const message of phone.messages) {
    const known = list.querySelector(`[data-id="${message.id}"]`);
    if (!known) list.append(paint(message));
  }
  trouble();
}

function paint({ id, direction, text, media, at }) {
  const words = text || (media.length ? "" : "(a message without text)");
  const body = words ? make("p", { className: "body", textContent: words }) : undefined;
  const pictures = media.map(({ url }) => make("div", { className: "picture" }, make("img", { src: url, alt: "Picture" })));
  const element = make(
    "li",
    { className: direction === "sent" ? "message own" : "message" },
    make("p", { className: "facts", textContent: clock(new Date(at)) }),
    make("div", { className: "bubble" }, ...pictures, body),
  );
  element.dataset.id = id;
  return element;
}

async function follow() {
  await show().catch(trouble);
  setTimeout(follow, 1000);
}
follow();
