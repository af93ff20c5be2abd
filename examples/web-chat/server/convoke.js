// Convoke as the backend sees it: the official library with another base address, and the conversation of this example.

import { execFile } from "node:child_process";
import { access } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import twilio from "twilio";

export const url = process.env.CONVOKE_URL ?? "http://127.0.0.1:8080";
export const names = { alice: "Alice", bob: "Bob" };
export const phone = { address: "+15558675309", proxy: "+15550100001", name: "Carol" };

const root = fileURLToPath(new URL("../../..", import.meta.url));

let key;

// Signs in to the server, and finds or makes the conversation.
export async function connect() {
  await fetch(`${url}/readyz`).catch(away);
  // Kept also where the server refuses it: a new one each time would only be refused as well.
  key ??= await apiKey();
  const client = twilio(key.sid, key.secret, { accountSid: key.account });
  client.conversations.baseUrl = url;
  const { conversations } = client.conversations.v1;
  const uniqueName = "web-chat";
  const room =
    (await conversations(uniqueName).fetch().catch(unless(404))) ??
    (await conversations.create({ uniqueName, friendlyName: "Web chat" }));
  const conversation = conversations(room.sid);
  const { participants } = conversation;
  for (const identity of Object.keys(names)) await participants.create({ identity }).catch(unless(409));
  await participants
    .create({ "messagingBinding.address": phone.address, "messagingBinding.proxyAddress": phone.proxy })
    .catch(unless(409));
  return { key, room, conversation };
}

export function forgetKey() {
  key = undefined;
}

// Whether the server still knows the key and the conversation.
export async function check({ conversation }) {
  await conversation.fetch();
}

// What went wrong with a call to the server, for people.
export function explain(error) {
  if (error.status === 401) {
    return `the server at ${url} does not know the API key ${key?.sid ?? "that was used"}: it is of another server`;
  }
  return error.code === "ECONNREFUSED" ? noServer : error.message;
}

const noServer = `there is no server at ${url}: start script/server first`;

function away() {
  throw new Error(noServer);
}

// An access token for somebody's web client.
export function accessToken({ key, room }, identity) {
  const { AccessToken } = twilio.jwt;
  const token = new AccessToken(key.account, key.sid, key.secret, { identity, ttl: 3600 });
  token.addGrant(new AccessToken.ChatGrant({ serviceSid: room.chatServiceSid }));
  return token.toJwt();
}

// What the virtual phone received and sent. Only this example needs it: real phones are reached by SMS and WhatsApp.
export const handset = (convoke, method, path, body) =>
  simulator(convoke, method, `/${encodeURIComponent(phone.address)}${path}`, body);

// A phone that was never used is on.
export async function phoneState(convoke) {
  const { handsets } = await simulator(convoke, "GET", "");
  return handsets.find(({ address }) => address === phone.address)?.state ?? "on";
}

async function simulator({ key }, method, path, body) {
  const answer = await fetch(`${url}/v1/simulator/handsets${path}`, {
    method,
    headers: { authorization: `Basic ${btoa(`${key.sid}:${key.secret}`)}`, "content-type": "application/json" },
    body: body && JSON.stringify(body),
  }).catch(away);
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.message), { status: answer.status });
  return said;
}

// The API key that signs tokens and calls REST: from the environment, or a new one of the server beside us.
async function apiKey() {
  const { CONVOKE_ACCOUNT_SID, CONVOKE_API_KEY_SID, CONVOKE_API_KEY_SECRET } = process.env;
  if (CONVOKE_API_KEY_SID) {
    return { account: CONVOKE_ACCOUNT_SID, sid: CONVOKE_API_KEY_SID, secret: CONVOKE_API_KEY_SECRET };
  }
  const create = promisify(execFile)(await binary(), ["key", "create", "--name", "web-chat"], { cwd: root });
  const { stdout } = await create.catch(({ stderr, message }) => {
    throw new Error(`no API key could be made: ${lastWords(stderr) || message}`);
  });
  const made = JSON.parse(stdout);
  return { account: made.account_sid, sid: made.sid, secret: made.secret };
}

// The last that a command said: a sentence, or a line of a log with one in it.
function lastWords(text = "") {
  const line = text.trim().split("\n").at(-1);
  try {
    return JSON.parse(line).message;
  } catch {
    return line.replace(/^convoke: /, "").trim();
  }
}

async function binary() {
  const candidates = [process.env.CONVOKE_BIN, `${root}target/release/convoke`, `${root}target/debug/convoke`];
  for (const path of candidates.filter(Boolean)) {
    if (await access(path).then(() => true, () => false)) return path;
  }
  throw new Error("the program convoke is not built yet: start script/server first, or set CONVOKE_BIN");
}

// Passes over a refusal that is expected.
function unless(status) {
  return (error) => {
    if (error.status !== status) throw error;
  };
}
