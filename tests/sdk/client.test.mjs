// The unmodified web SDK: signing in, reading, sending, hearing, and coming back.

import assert from "node:assert/strict";
import { once } from "node:events";
import { after, before, test } from "node:test";

import { Server, collect, until } from "./server.mjs";
import { wire } from "./wire.mjs";

const limit = { timeout: 60_000 };
let server, backend;
before(async () => {
  server = await Server.start();
  backend = server.backend();
});
after(() => server.stop());

// A conversation with these people in it.
async function conversation(options, ...identities) {
  const { sid } = await backend.conversations.create(options);
  for (const identity of identities) {
    await backend.conversations(sid).participants.create({ identity });
  }
  return sid;
}

test("lists and opens its conversations, by SID and by unique name", limit, async () => {
  const uniqueName = "a room / with ? odd # name ☂";
  const mine = await conversation({ friendlyName: "Mine", uniqueName, attributes: '{"a":1}' }, "ann");
  const other = await conversation({ friendlyName: "Not mine" }, "somebody");
  const client = await server.client("ann");
  const listed = await client.getSubscribedConversations();
  assert.deepEqual(listed.items.map((item) => item.sid), [mine]);
  const bySid = await client.getConversationBySid(mine);
  assert.deepEqual([bySid.friendlyName, bySid.uniqueName, bySid.attributes], ["Mine", uniqueName, { a: 1 }]);
  assert.equal((await client.getConversationByUniqueName(uniqueName)).sid, mine);
  await assert.rejects(client.getConversationByUniqueName("no such room"));
  // Whoever may join may look; the messages are for participants.
  const peeked = await client.peekConversationBySid(other);
  assert.equal(peeked.friendlyName, "Not mine");
  await client.shutdown();
});

test("reads messages in pages, backwards and forwards", limit, async () => {
  const sid = await conversation({}, "ben");
  for (let n = 0; n < 25; n++) await backend.conversations(sid).messages.create({ body: `m${n}` });
  const client = await server.client("ben");
  const talk = await client.getConversationBySid(sid);
  let page = await talk.getMessages(10);
  const seen = page.items.map((message) => message.index);
  while (page.hasPrevPage) {
    page = await page.prevPage();
    seen.unshift(...page.items.map((message) => message.index));
  }
  assert.deepEqual(seen, [...Array(25).keys()]);
  const forward = await talk.getMessages(10, 5, "forward");
  assert.deepEqual(forward.items.map((message) => message.index), [...Array(10).keys()].map((n) => n + 5));
  assert.equal(await talk.getMessagesCount(), 25);
  await client.shutdown();
});

test("sends in order and hears everything once", limit, async () => {
  const sid = await conversation({}, "cid", "dan");
  const [cid, dan] = [await server.client("cid"), await server.client("dan")];
  const [hers, his] = [await cid.getConversationBySid(sid), await dan.getConversationBySid(sid)];
  await Promise.all([hers.getMessages(1), his.getMessages(1)]);
  const [cidHears, danHears] = [collect(hers, "messageAdded"), collect(his, "messageAdded")];
  const sends = [...Array(20).keys()].map((n) => hers.sendMessage(`m${n}`, { n }));
  assert.deepEqual(await Promise.all(sends), [...Array(20).keys()]);
  await backend.conversations(sid).messages.create({ author: "bot", body: "from REST" });
  await until("both heard all", () => cidHears.length >= 21 && danHears.length >= 21);
  for (const heard of [cidHears, danHears]) {
    assert.deepEqual(heard.map((message) => message.index), [...Array(21).keys()]);
    assert.deepEqual(heard[3].attributes, { n: 3 });
    assert.deepEqual([heard[20].author, heard[20].body], ["bot", "from REST"]);
  }
  await Promise.all([cid.shutdown(), dan.shutdown()]);
});

test("hears who comes and goes, edits and deletions", limit, async () => {
  const sid = await conversation({}, "eve");
  const client = await server.client("eve");
  const talk = await client.getConversationBySid(sid);
  const events = [];
  talk.on("participantJoined", ({ identity }) => events.push(`joined ${identity}`));
  talk.on("participantLeft", ({ identity }) => events.push(`left ${identity}`));
  talk.on("messageAdded", ({ index }) => events.push(`added ${index}`));
  talk.on("messageUpdated", ({ message }) => events.push(`updated ${message.index} ${message.body}`));
  talk.on("messageRemoved", ({ index }) => events.push(`removed ${index}`));
  // What is loaded when a conversation is opened announces nothing; from here on everything is new.
  await talk.getParticipants();
  await talk.getMessages(1);
  const rest = backend.conversations(sid);
  await rest.participants.create({ identity: "fay" });
  await until("fay was seen", () => events.includes("joined fay"));
  const message = await rest.messages.create({ body: "one" });
  await until("the message was heard", () => events.includes("added 0"));
  await rest.messages(message.sid).update({ body: "two" });
  await until("the edit was heard", () => events.includes("updated 0 two"));
  await rest.messages(message.sid).remove();
  await until("the deletion was heard", () => events.includes("removed 0"));
  await rest.participants("fay").remove();
  await until("all was heard", () => events.includes("left fay"));
  assert.deepEqual(events, ["joined fay", "added 0", "updated 0 two", "removed 0", "left fay"]);

  const joined = once(client, "conversationJoined");
  const second = await conversation({}, "eve");
  const [arrived] = await joined;
  assert.equal(arrived.sid, second);
  // The SDK opens what it joined by itself, and lets nobody know if that is refused because it left again meanwhile.
  await Promise.all([arrived.getParticipants(), arrived.getMessages(1)]);
  const left = once(client, "conversationLeft");
  await backend.conversations(second).participants("eve").remove();
  assert.equal((await left)[0].sid, second);
  await client.shutdown();
});

test("acts within its roles", limit, async () => {
  const sid = await conversation({ friendlyName: "theirs" }, "gil");
  const client = await server.client("gil");
  const talk = await client.getConversationBySid(sid);
  const refused = await talk.updateFriendlyName("mine").then(() => null, (error) => error);
  assert.deepEqual([refused.status, refused.body.code, refused.body.details], [
    403, 50107, { permission: "editConversationName" },
  ]);
  const own = await client.createConversation({ friendlyName: "own", uniqueName: "gils" });
  await own.join();
  await own.add("hal");
  await own.updateFriendlyName("renamed");
  await until("the new name was heard", () => own.friendlyName === "renamed");
  const participants = await own.getParticipants();
  assert.deepEqual(participants.map(({ identity }) => identity).sort(), ["gil", "hal"]);
  await own.leave();
  await client.shutdown();
});

test("keeps its read horizon and counts what is unread", limit, async () => {
  const sid = await conversation({}, "ida");
  for (let n = 0; n < 5; n++) await backend.conversations(sid).messages.create({ body: `m${n}` });
  const client = await server.client("ida");
  const talk = await client.getConversationBySid(sid);
  assert.equal(await talk.updateLastReadMessageIndex(1), 3);
  assert.equal(await talk.setAllMessagesRead(), 0);
  await until("the horizon was heard", () => talk.lastReadMessageIndex === 4);
  const participant = await backend.conversations(sid).participants("ida").fetch();
  assert.equal(participant.lastReadMessageIndex, 4);
  await client.shutdown();
});

test("refuses tokens that are expired, forged or of a stranger", limit, async () => {
  for (const [token, code] of [
    [server.token("joe", { ttl: -10 }), 20104],
    [server.token("joe", {}, "another0secret0another0secret000"), 20107],
    ["no token at all", 20101],
  ]) {
    const client = server.newClient(token);
    const [refusal] = await once(client, "connectionError");
    assert.deepEqual([refusal.errorCode, refusal.httpStatusCode, refusal.terminal], [code, 401, true]);
    await until("the state says so", () => client.connectionState === "denied");
    await client.shutdown();
  }
});

test("comes back after a lost connection without a gap or a repeat", limit, async () => {
  const sid = await conversation({}, "kim");
  const rest = backend.conversations(sid);
  const line = await wire(server.port);
  const client = await server.client("kim", line.port);
  const talk = await client.getConversationBySid(sid);
  await talk.getMessages(1);
  const heard = collect(talk, "messageAdded");
  const joined = collect(talk, "participantJoined");
  await rest.messages.create({ body: "before" });
  await until("the first was heard", () => heard.length === 1);

  line.cut();
  await until("the loss was noticed", () => client.connectionState !== "connected");
  // More than the server replays at once.
  for (let n = 0; n < 30; n++) {
    await Promise.all([...Array(20)].map((_, m) => rest.messages.create({ body: `meanwhile ${n} ${m}` })));
  }
  await rest.participants.create({ identity: "lea" });
  line.mend();
  await rest.messages.create({ body: "after" });
  await until("all was heard", () => heard.length >= 602 && joined.length >= 1);

  // Cut it again and again while messages come.
  for (let n = 0; n < 60; n++) {
    await rest.messages.create({ body: `storm ${n}` });
    if (n % 10 === 5) line.cut();
    if (n % 10 === 8) line.mend();
  }
  await until("the storm was heard", () => heard.length >= 662);
  assert.deepEqual(heard.map((message) => message.index), [...Array(662).keys()]);
  assert.deepEqual(joined.map((participant) => participant.identity), ["lea"]);
  await client.shutdown();
  line.close();
});
