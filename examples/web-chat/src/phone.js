// The virtual phone: what the simulator's handset received and sent. It is asked every second.

import { ask, byId, clock, composer, make, trouble } from "./page.js";

const list = byId("messages");
const power = byId("power");
const fields = byId("composer").querySelector("fieldset");
let on;
let switched = 0;
let unsent;

// The text stays until it is sent.
const text = composer(async (body) => {
  if (!body || text.readOnly) return;
  text.readOnly = true;
  unsent = await ask("/phone", "POST", { text: body }).then(() => undefined, notSent);
  text.readOnly = false;
  if (!unsent) text.value = "";
  await look();
});
fields.disabled = true;
text.addEventListener("input", () => (unsent = undefined));
const notSent = ({ message }) => new Error(`your text was not sent: ${message}`);

power.onclick = async () => {
  power.disabled = true;
  try {
    const { state } = await ask("/phone", "PUT", { state: on ? "off" : "on" });
    switched += 1;
    showPower(state);
  } catch (error) {
    trouble(error);
  }
  power.disabled = false;
};

// A phone that is off neither gets nor sends.
function showPower(state) {
  on = state !== "off";
  power.textContent = on ? "Switch off" : "Switch on";
  power.hidden = false;
  fields.disabled = !on;
  text.placeholder = on ? "Text message" : "The phone is off";
}

async function show() {
  const before = switched;
  const phone = await ask("/phone");
  byId("who").textContent = document.title = phone.name;
  byId("avatar").textContent = phone.name[0];
  byId("address").textContent = phone.address;
  // What was asked before the switch was used does not know of it.
  if (before === switched) showPower(phone.state);
  let next = null;
  for (const message of phone.messages.filter(isHere).reverse()) {
    const known = list.querySelector(`[data-id="${message.id}"]`);
    const element = known ?? paint(message);
    if (!known) list.insertBefore(element, next);
    next = element;
  }
}

// What is on its way to the phone is not there yet.
const isHere = ({ direction, status }) => direction === "sent" || status === "delivered" || status === "read";

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

// Shows what there is and what is in the way of it; that something was not sent is said until it is, or is written anew.
const look = () => show().then(() => trouble(unsent), trouble);

async function follow() {
  await look();
  setTimeout(follow, 1000);
}
follow();
