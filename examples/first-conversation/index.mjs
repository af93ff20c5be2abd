// A backend, a web client and a phone hold their first conversation.

import conversations from "@twilio/conversations";
import twilio from "twilio";

const url = process.env.CONVOKE_URL ?? "http://127.0.0.1:8080";
const accountSid = setting("CONVOKE_ACCOUNT_SID");
const authToken = setting("CONVOKE_AUTH_TOKEN");
const apiKeySid = setting("CONVOKE_API_KEY_SID");
const apiKeySecret = setting("CONVOKE_API_KEY_SECRET");

const suffix = String(Date.now()).slice(-7);
const phone = `+1555${suffix}`;
const proxy = "+15550100000";

// The backend: the official library, with another base address.
const backend = twilio(accountSid, authToken);
backend.conversations.baseUrl = url;

const conversation = await backend.conversations.v1.conversations.create({ friendlyName: "First conversation" });
const talk = backend.conversations.v1.conversations(conversation.sid);
tell("backend", `created the conversation ${conversation.sid}`);
await talk.participants.create({ identity: "alice" });
await talk.participants.create({ "messagingBinding.address": phone, "messagingBinding.proxyAddress": proxy });
tell("backend", `added alice, who uses the web, and ${phone}, who uses a phone`);

// The web client: the official SDK, with another socket.
const client = new conversations.Client(accessToken("alice"), {
  twilsock: { uri: `${url.replace(/^http/, "ws")}/v3/wsconnect` },
});
await new Promise((resolve, reject) => {
  client.once("initialized", resolve);
  client.once("initFailed", ({ error }) => reject(new Error(`alice cannot sign in: ${error?.message}`)));
});
tell("alice", "signed in");
const hers = await client.getConversationBySid(conversation.sid);
const heard = new Promise((resolve) =>
  hers.on("messageAdded", (message) => message.author === phone && resolve(message)),
);
const index = await hers.sendMessage("hello from the web");
tell("alice", `said "hello from the web", which is message ${index}`);

// The phone: a virtual handset.
const received = await until("the phone receives it", async () =>
  (await thread()).find((message) => message.direction === "received"),
);
tell("phone", `received "${received.text}"`);
await handset("POST", { to: proxy, text: "hi alice, from the phone" });
tell("phone", 'answered "hi alice, from the phone"');

// Everybody sees the same.
const answer = await heard;
tell("alice", `heard message ${answer.index} of ${answer.author}: "${answer.body}"`);
const [stored] = await talk.messages.list({ order: "desc", limit: 1 });
tell("backend", `sees message ${stored.index} of ${stored.author}: "${stored.body}"`);
check(stored.sid === answer.sid && stored.index === 1 && stored.author === phone, "both see the same message");

const [sent] = await talk.messages.list({ limit: 1 });
const receipt = await until("the receipt says delivered", async () => {
  const [receipt] = await talk.messages(sent.sid).deliveryReceipts.list();
  return receipt?.status === "delivered" && receipt;
});
const { delivery } = await talk.messages(sent.sid).fetch();
check(delivery.delivered === "all", "the message's summary says so too");
tell("backend", `sees that message ${sent.index} was ${receipt.status}`);

await client.shutdown();
tell("everybody", "is happy");
// The SDK's timers run on for some seconds; there is nothing to wait for.
process.exit();

function accessToken(identity) {
  const { AccessToken } = twilio.jwt;
  const token = new AccessToken(accountSid, apiKeySid, apiKeySecret, { identity });
  token.addGrant(new AccessToken.ChatGrant({ serviceSid: conversation.chatServiceSid }));
  return token.toJwt();
}

async function handset(method, body) {
  const path = `/v1/simulator/handsets/${encodeURIComponent(phone)}/messages`;
  const response = await fetch(url + path, {
    method,
    headers: {
      authorization: `Basic ${btoa(`${accountSid}:${authToken}`)}`,
      "content-type": "application/json",
    },
    body: body && JSON.stringify(body),
  });
  check(response.ok, `the handset answers (${response.status})`);
  return response.json();
}

async function thread() {
  return (await handset("GET")).messages;
}

// Looks often, and gives up late.
async function until(what, look) {
  for (const end = Date.now() + 20_000; Date.now() < end; ) {
    const seen = await look();
    if (seen) return seen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited in vain until ${what}`);
}

function check(holds, what) {
  if (!holds) throw new Error(`expected that ${what}`);
}

function setting(name) {
  const value = process.env[name];
  if (!value) throw new Error(`${name} is not set: see README.md`);
  return value;
}

function tell(who, what) {
  console.log(`${who.padEnd(9)} ${what}`);
}
