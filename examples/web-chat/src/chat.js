// One person's chat, on the official web SDK.

import { Outbox } from "./outbox.js";
import { byId, composer, insist, trouble } from "./page.js";
import { isPicture, preview } from "./picture.js";
import { signIn } from "./session.js";
import { Timeline } from "./timeline.js";
import { tunnel } from "./tunnel.js";

const me = new URLSearchParams(location.search).get("as") ?? "alice";
start().catch(trouble);

async function start() {
  byId("who").textContent = me;
  byId("avatar").textContent = me[0];
  offlineButton();
  const showConnection = connectionBadge();
  const { session, client, conversation } = await insist(() => signIn(me, showConnection));
  byId("who").textContent = document.title = session.names[me];
  byId("avatar").textContent = session.names[me][0];

  const timeline = new Timeline(me, session.names, {
    edit: (message, text) => editor.edit(message, text),
    remove: (message) => outbox.change(message),
  });
  const outbox = new Outbox(conversation, timeline, arrived);
  const editor = writing(conversation, outbox);
  client.on("connectionStateChanged", (state) => outbox.connection(state));
  outbox.connection(client.connectionState);
  const reader = reading(conversation, timeline);

  function arrived(message) {
    outbox.arrived(message);
    timeline.put(message);
    reader.check();
  }
  conversation.on("messageAdded", arrived);
  conversation.on("messageUpdated", ({ message, updateReasons }) => {
    // What became of it on its way to phones changes often, and nothing that one might be about to click.
    if (updateReasons.every((reason) => reason === "deliveryReceipt")) timeline.markSeen();
    else timeline.put(message);
  });
  conversation.on("messageRemoved", (message) => {
    timeline.drop(message);
    editor.gone(message, outbox.gone(message));
  });
  // It may have been read on another device.
  conversation.on("updated", reader.check);
  showTyping(conversation, session.names);

  const showSeen = ({ identity, lastReadMessageIndex }) => {
    if (identity && identity !== me) timeline.seen(identity, lastReadMessageIndex);
  };
  conversation.on("participantUpdated", ({ participant }) => showSeen(participant));
  await insist(async () => {
    (await conversation.getParticipants()).forEach(showSeen);
    await history(conversation, timeline);
  });
  reader.check();
}

// The newest page of messages, and the earlier ones on demand.
async function history(conversation, timeline) {
  const button = byId("earlier");
  let page = await conversation.getMessages(30);
  const show = () => {
    page.items.forEach((message) => timeline.put(message));
    button.hidden = !page.hasPrevPage;
  };
  button.onclick = async () => {
    trouble();
    button.disabled = true;
    try {
      page = await page.prevPage();
      show();
    } catch (error) {
      trouble(error);
    } finally {
      button.disabled = false;
    }
  };
  show();
}

// Tells the others how far one has read, which is what the end of the list being in sight means.
function reading(conversation, timeline) {
  let atEnd = false;
  const check = () => {
    const last = timeline.lastIndex;
    const unread = Math.max(0, last - (conversation.lastReadMessageIndex ?? -1));
    if (atEnd && unread) conversation.advanceLastReadMessageIndex(last).catch(console.warn);
    window.parent.postMessage({ unread: atEnd ? 0 : unread }, location.origin);
  };
  new IntersectionObserver(([entry]) => {
    atEnd = entry.isIntersecting;
    check();
  }).observe(byId("end"));
  return { check };
}

// Writing, sending and editing. A picture may be added to a new message; what was begun waits while a message is edited.
function writing(conversation, outbox) {
  const context = byId("context");
  const picture = byId("picture");
  let chosen;
  let edited;
  let draft = "";
  const text = composer((body) => {
    if (edited) {
      if (!body) return show("A message needs a text. Cancel, or delete it instead.");
      if (body !== edited.text) outbox.change(edited.message, body);
      return leave();
    }
    if (!body && !chosen) return;
    trouble();
    outbox.put(body, chosen);
    chosen = undefined;
    text.value = "";
    show();
  });
  // Shows what is being written, or what there is to say about it.
  function show(sentence = edited ? "Editing" : chosen ? `With ${chosen.name}` : "") {
    context.firstElementChild.replaceChildren(...(chosen && !edited ? [preview(chosen)] : []), sentence);
    context.hidden = !sentence;
    picture.disabled = Boolean(edited);
    text.focus();
  }
  function leave() {
    edited = undefined;
    text.value = draft;
    show();
  }
  function cancel() {
    if (edited) return leave();
    chosen = undefined;
    show();
  }
  context.lastElementChild.onclick = cancel;
  picture.onchange = async () => {
    const [file] = picture.files;
    // The same file may be chosen again.
    picture.value = "";
    if (!file) return;
    if (!(await isPicture(file))) return show(`${file.name} is not a picture that can be shown.`);
    chosen = file;
    show();
  };
  // What is edited is there already: nobody waits for it.
  text.addEventListener("input", () => edited || conversation.typing().catch(console.warn));
  text.addEventListener("keydown", ({ key }) => key === "Escape" && !context.hidden && cancel());
  return {
    edit(message, body) {
      if (edited && text.value.trim() !== edited.text) return show("Send or cancel this first.");
      if (!edited) draft = text.value;
      edited = { message, text: body };
      text.value = body;
      show();
    },
    // A message is not there any more. A new text that was written for it stays, as a new message's.
    gone(message, waiting) {
      const editing = edited?.message.sid === message.sid;
      const written = editing && text.value.trim() !== edited.text ? text.value : waiting;
      if (editing) leave();
      if (!written) return;
      if (edited) draft = [draft, written].filter(Boolean).join("\n");
      else text.value = [text.value, written].filter(Boolean).join("\n");
      show("The message was deleted. What you wrote for it is kept here.");
    },
  };
}

function showTyping(conversation, names) {
  const typing = new Set();
  const show = () => {
    const who = [...typing].map((identity) => names[identity] ?? identity);
    byId("typing").textContent = who.length ? `${who.join(" and ")} ${who.length > 1 ? "are" : "is"} typing…` : "";
  };
  conversation.on("typingStarted", ({ identity }) => show(typing.add(identity)));
  conversation.on("typingEnded", ({ identity }) => show(typing.delete(identity)));
}

// Without a network the SDK goes on connecting; for people that is being offline. Gives back what hears of the states.
function connectionBadge() {
  const badge = byId("connection");
  let offline = !navigator.onLine;
  let connection = "connecting";
  const show = () => {
    const state = offline ? "offline" : connection;
    badge.dataset.state = state;
    badge.textContent = { retrying: "connecting", denied: "signed out" }[state] ?? state;
  };
  for (const event of ["offline", "online"]) window.addEventListener(event, () => show((offline = event === "offline")));
  show();
  return (state) => show((connection = state));
}

function offlineButton() {
  const button = byId("cut");
  let offline = false;
  button.onclick = () => {
    offline = !offline;
    button.textContent = offline ? "Come back" : "Go offline";
    tunnel(offline);
  };
}
