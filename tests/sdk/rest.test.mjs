// The official Node library: a round trip over all core resources, in both forms of their paths.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Server, refused } from "./server.mjs";

let server, backend;
before(async () => {
  server = await Server.start();
  backend = server.backend();
});
after(() => server.stop());

const forms = {
  "default service": async () => backend,
  "named service": async () => {
    const service = await backend.services.create({ friendlyName: "tenant" });
    return backend.services(service.sid);
  },
};

test("services", async () => {
  const service = await backend.services.create({ friendlyName: "one more" });
  assert.equal((await backend.services(service.sid).fetch()).friendlyName, "one more");
  assert.ok((await backend.services.list()).some(({ sid }) => sid === service.sid));
  assert.equal(await backend.services(service.sid).remove(), true);
  assert.deepEqual(await refused(backend.services(service.sid).fetch()), [404, 20404]);
  assert.deepEqual(await refused(backend.services.create({ friendlyName: "" })), [400, 50000]);
});

for (const [form, make] of Object.entries(forms)) {
  test(`conversations of the ${form}`, async () => {
    const api = await make();
    const dateCreated = new Date("2024-01-02T03:04:05Z");
    const made = await api.conversations.create({
      friendlyName: "Hi & bye",
      uniqueName: "a b/c",
      attributes: '{"k":  "v"}',
      dateCreated,
      "timers.inactive": "PT1H",
      "timers.closed": "P1D",
    });
    assert.deepEqual([made.friendlyName, made.uniqueName, made.attributes, made.state], [
      "Hi & bye", "a b/c", '{"k":  "v"}', "active",
    ]);
    assert.deepEqual(made.dateCreated, dateCreated);
    assert.deepEqual(Object.keys(made.timers).sort(), ["date_closed", "date_inactive"]);
    assert.equal((await api.conversations(made.sid).fetch()).sid, made.sid);
    const changed = await api.conversations(made.sid).update({ friendlyName: "New", state: "inactive" });
    assert.deepEqual([changed.friendlyName, changed.state], ["New", "inactive"]);
    const named = await api.conversations.create({ uniqueName: "plain" });
    assert.equal((await api.conversations("plain").fetch()).sid, named.sid);
    assert.deepEqual(await refused(api.conversations.create({ uniqueName: "plain" })), [409, 50353]);
    assert.deepEqual(await refused(api.conversations.create({ attributes: "{" })), [400, 50304]);
    assert.deepEqual(await refused(api.conversations.create({ "timers.inactive": "PT1S" })), [400, 50375]);
    assert.deepEqual(await refused(api.conversations.create({ state: "closed" })), [400, 50384]);
    for (let n = 0; n < 5; n++) await api.conversations.create({});
    const all = await api.conversations.list({ pageSize: 2 });
    assert.equal(new Set(all.map(({ sid }) => sid)).size, 7);
    assert.equal((await api.conversations.list({ limit: 500 })).length, 7);
    assert.equal((await api.conversations.list({ state: "inactive" })).length, 1);
    assert.equal((await api.conversations.list({ endDate: "2024-01-31T23:59:59Z" })).length, 1);
    assert.equal(await api.conversations(made.sid).remove(), true);
    assert.deepEqual(await refused(api.conversations(made.sid).remove()), [404, 20404]);
  });

  test(`participants of the ${form}`, async () => {
    const api = await make();
    const { sid } = await api.conversations.create({});
    const talk = api.conversations(sid);
    const chat = await talk.participants.create({ identity: "alice+x", attributes: '{"a":1}' });
    assert.deepEqual([chat.identity, chat.messagingBinding], ["alice+x", null]);
    const address = `+1555${Date.now().toString().slice(-7)}`;
    const pair = { "messagingBinding.address": address, "messagingBinding.proxyAddress": "+15550100000" };
    const sms = await talk.participants.create(pair);
    assert.deepEqual(sms.messagingBinding, { type: "sms", address, proxy_address: "+15550100000" });
    const whatsapp = await talk.participants.create({
      "messagingBinding.address": `whatsapp:${address}`,
      "messagingBinding.proxyAddress": "whatsapp:+15550100000",
    });
    assert.equal(whatsapp.messagingBinding.type, "whatsapp");
    assert.equal((await talk.participants("alice+x").fetch()).sid, chat.sid);
    assert.equal((await talk.participants(sms.sid).fetch()).identity, null);
    const listed = await talk.participants.list({ pageSize: 1 });
    assert.deepEqual(listed.map((participant) => participant.sid), [chat.sid, sms.sid, whatsapp.sid]);
    await talk.messages.create({ body: "one" });
    const read = await talk.participants("alice+x").update({ lastReadMessageIndex: 0, attributes: "{}" });
    assert.deepEqual([read.lastReadMessageIndex, read.attributes], [0, "{}"]);
    assert.ok(read.lastReadTimestamp);
    const unread = await talk.participants("alice+x").update({ lastReadMessageIndex: null });
    assert.deepEqual([unread.lastReadMessageIndex, unread.lastReadTimestamp], [null, null]);
    assert.deepEqual(await refused(talk.participants.create({ identity: "alice+x" })), [409, 50433]);
    const error = await api.conversations.create({}).then(({ sid }) =>
      api.conversations(sid).participants.create(pair).catch((error) => error));
    assert.deepEqual([error.status, error.code, error.message.slice(-34)], [409, 50416, sid]);
    assert.deepEqual(await refused(talk.participants.create({})), [400, 50204]);
    const removed = await talk.participants(sms.sid).update({ "messagingBinding.proxyAddress": "null" });
    assert.deepEqual(removed.messagingBinding, { type: "sms", address });
    assert.equal(await talk.participants("alice+x").remove(), true);
    assert.deepEqual(await refused(talk.participants("alice+x").fetch()), [404, 20404]);
  });

  test(`messages and receipts of the ${form}`, async () => {
    const api = await make();
    const { sid } = await api.conversations.create({});
    const talk = api.conversations(sid);
    const alice = await talk.participants.create({ identity: "alice" });
    const first = await talk.messages.create({ author: "alice", body: "héllo ☂", attributes: '{"n":1}' });
    assert.deepEqual([first.index, first.author, first.body, first.participantSid], [0, "alice", "héllo ☂", alice.sid]);
    assert.deepEqual([first.media, first.delivery], [null, null]);
    const anonymous = await talk.messages.create({});
    assert.deepEqual([anonymous.author, anonymous.body, anonymous.participantSid], ["system", null, null]);
    for (let n = 2; n < 7; n++) await talk.messages.create({ body: `m${n}` });
    const up = await talk.messages.list({ pageSize: 2 });
    assert.deepEqual(up.map(({ index }) => index), [0, 1, 2, 3, 4, 5, 6]);
    const down = await talk.messages.list({ order: "desc", pageSize: 3, limit: 5 });
    assert.deepEqual(down.map(({ index }) => index), [6, 5, 4, 3, 2]);
    const edited = await talk.messages(first.sid).update({ body: "edited" });
    assert.deepEqual([edited.body, edited.attributes, edited.index], ["edited", '{"n":1}', 0]);
    assert.deepEqual(await talk.messages(first.sid).deliveryReceipts.list(), []);
    assert.equal(await talk.messages(first.sid).remove(), true);
    assert.deepEqual(await refused(talk.messages(first.sid).fetch()), [404, 20404]);
    assert.deepEqual(await refused(talk.messages.create({ body: "x".repeat(32769) })), [400, 50504]);
    const address = `+1556${Date.now().toString().slice(-7)}`;
    await talk.participants.create({
      "messagingBinding.address": address, "messagingBinding.proxyAddress": "+15550100000",
    });
    const sent = await talk.messages.create({ body: "to the phone" });
    assert.equal(sent.delivery.total, 1);
    const [receipt] = await talk.messages(sent.sid).deliveryReceipts.list();
    assert.match(receipt.channelMessageSid, /^SM[0-9a-f]{32}$/);
    assert.equal((await talk.messages(sent.sid).deliveryReceipts(receipt.sid).fetch()).sid, receipt.sid);
    await api.conversations(sid).update({ state: "closed" });
    assert.deepEqual(await refused(talk.messages.create({ body: "late" })), [400, 50377]);
  });

  test(`users and roles of the ${form}`, async () => {
    const api = await make();
    const user = await api.users.create({ identity: "bob@example.com", friendlyName: "Bob", attributes: '{"x":1}' });
    assert.equal((await api.users("bob@example.com").fetch()).sid, user.sid);
    assert.equal((await api.users(user.sid).update({ friendlyName: "Rob" })).friendlyName, "Rob");
    assert.deepEqual(await refused(api.users.create({ identity: "bob@example.com" })), [409, 50201]);
    assert.deepEqual(await refused(api.users.create({ identity: "system" })), [400, 50203]);
    await api.users.create({ identity: "carol" });
    assert.ok((await api.users.list({ pageSize: 1 })).length >= 2);
    const role = await api.roles.create({
      friendlyName: "speaker", type: "conversation", permission: ["sendMessage", "leaveConversation"],
    });
    assert.deepEqual(role.permissions, ["sendMessage", "leaveConversation"]);
    const changed = await api.roles(role.sid).update({ permission: ["sendMessage"] });
    assert.deepEqual(changed.permissions, ["sendMessage"]);
    assert.deepEqual(
      await refused(api.roles.create({ friendlyName: "x", type: "service", permission: ["fly"] })), [400, 50104]);
    const names = (await api.roles.list({ pageSize: 2 })).map(({ friendlyName }) => friendlyName);
    for (const name of ["service admin", "service user", "channel admin", "channel user", "speaker"]) {
      assert.ok(names.includes(name), name);
    }
    const inUse = (await api.roles.list()).find(({ friendlyName }) => friendlyName === "channel user");
    assert.deepEqual(await refused(api.roles(inUse.sid).remove()), [409, 20409]);
    assert.equal(await api.roles(role.sid).remove(), true);
    assert.equal(await api.users(user.sid).remove(), true);
  });
}

test("wrong credentials", async () => {
  const stranger = server.backend("AC00000000000000000000000000000009", "wrong");
  assert.deepEqual(await refused(stranger.conversations.list()), [401, 20003]);
});
