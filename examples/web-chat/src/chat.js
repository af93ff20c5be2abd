// One person's chat, on the official web SDK.

import { Outbox } from "./outbox.js";
import { byId, composer, trouble } from "./page.js";
import { signIn } from "./session.js";
import { Timeline } from "./timeline.js";
import { tunnel } from "./tunnel.js";

const me = new URLSearchParams(location.search).get("as") ?? "alice";
start().catch(trouble);

async function start() {
  byId("who").textContent = byId("avatar").textContent = me;
  offlineButton();
  const { session, conversation } = await signIn(me, showConnection);
  byId("who").textContent = document.title = session.names[me];
  byId("avatar").textContent = session.names[me][0];

  const editor = writing(conversation);
  const timeline = new Timeline(me, session.names, {
    edit: editor.edit,
    remove: (message) => message.remove().catch(trouble),
  });
  const reader = reading(conversation, timeline);

  conversation.on("messageAdded", (message) => {
    editor.outbox.arrived(message);
    timeline.put(message);
    reader.check();
  });
  conversation.on("messageUpdated", ({ message, updateReasons }) => {
    // What became of it on its way to phones changes often, and nothing that one might be about to click.
    if (updateReasons.every((reason) => reason === "deliveryReceipt")) timeline.markSeen();
    else timeline.put(message);
  });
  conversation.on("messageRemoved", (message) => timeline.drop(message));
  // It may have been read on another device.
  conversation.on("updated", reader.check);
  showTyping(conversation, session.names);

  const showSeen = ({ identity, lastReadMessageIndex }) => {
    if (identity && identity !== me) timeline.seen(identity, lastReadMessageIndex);
  };
  conversation.on("participantUpdated", ({ participant }) => showSeen(participant));
  (await conversation.getParticipants()).forEach(showSeen);
  await history(conversation, timeline);
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

// Writing, sending and editing. A picture may be added to a new message.
function writing(conversation) {
  const outbox = new Outbox(conversation);
  const context = byId("context");
  const picture = byId("picture");
  let edited;
  const text = composer(async (body) => {
    if (!body && !picture.files.length) return;
    const message = edited;
    const [file] = picture.files;
    done();
    trouble();
    if (message) message.updateBody(body).catch(trouble);
    else outbox.put(body, file);
  });
  function done() {
    edited = undefined;
    text.value = picture.value = "";
    context.hidden = true;
    text.focus();
  }
  function explain(sentence) {
    context.firstElementChild.textContent = sentence;
    context.hidden = false;
    text.focus();
  }
  context.lastElementChild.onclick = done;
  picture.onchange = () => picture.files.length && explain(`With ${picture.files[0].name}`);
  text.addEventListener("input", () => conversation.typing().catch(console.warn));
  text.addEventListener("keydown", ({ key }) => key === "Escape" && !context.hidden && done());
  return {
    outbox,
    edit(message) {
      done();
      edited = message;
      text.value = message.body;
      explain("Editing");
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

function showConnection(state) {
  const badge = byId("connection");
  badge.dataset.state = state;
  badge.textContent = { retrying: "connecting", denied: "signed out" }[state] ?? state;
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
