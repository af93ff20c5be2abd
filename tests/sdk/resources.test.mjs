// The official Node library: a round trip over the resources around conversations, in each form of path they have.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Server, refused, until } from "./server.mjs";

const PROXY = "+15550100000";
const hook = "https://example.com/hook";

let server, backend, service;
before(async () => {
  server = await Server.start();
  backend = server.backend();
  service = backend.services((await backend.services.create({ friendlyName: "tenant" })).sid);
});
after(() => server.stop());

const forms = { "default service": () => backend, "named service": () => service };
let phones = 0;
const phone = () => `+1555867${String(5000 + phones++)}`;

test("configuration of the account", async () => {
  const before = await backend.configuration().fetch();
  assert.match(before.defaultChatServiceSid, /^IS/);
  assert.match(before.defaultMessagingServiceSid, /^MG/);
  const set = await backend.configuration().update({ defaultInactiveTimer: "PT10M", defaultClosedTimer: "P2D" });
  assert.deepEqual([set.defaultInactiveTimer, set.defaultClosedTimer], ["PT10M", "P2D"]);
  const talk = await backend.conversations.create({});
  assert.deepEqual(Object.keys(talk.timers).sort(), ["date_closed", "date_inactive"]);
  assert.deepEqual(await refused(backend.configuration().update({ defaultClosedTimer: "PT1S" })), [400, 50376]);
  const { defaultInactiveTimer } = await backend.configuration().update({ defaultInactiveTimer: "" });
  assert.equal(defaultInactiveTimer, null);
  await backend.configuration().update({ defaultClosedTimer: "" });
});

test("webhooks of the account", async () => {
  const webhooks = backend.configuration.webhooks();
  const before = await webhooks.fetch();
  assert.deepEqual([before.method, before.target, before.preWebhookUrl], ["POST", "webhook", null]);
  const set = await webhooks.update({
    method: "GET", filters: ["onMessageAdded", "onConversationAdd"], postWebhookUrl: hook,
  });
  assert.deepEqual([set.method, set.filters, set.postWebhookUrl], ["GET", ["onMessageAdded", "onConversationAdd"], hook]);
  assert.deepEqual(await refused(webhooks.update({ filters: ["onNothing"] })), [400, 50365]);
  assert.equal((await webhooks.update({ postWebhookUrl: "" })).postWebhookUrl, null);
});

test("configuration of addresses", async () => {
  const address = phone();
  const made = await backend.addressConfigurations.create({
    type: "sms", address, friendlyName: "Line", "autoCreation.enabled": true, "autoCreation.type": "webhook",
    "autoCreation.webhookUrl": hook, "autoCreation.webhookFilters": ["onMessageAdded"],
  });
  assert.deepEqual([made.type, made.address, made.friendlyName], ["sms", address, "Line"]);
  assert.deepEqual(
    [made.autoCreation.enabled, made.autoCreation.type, made.autoCreation.webhook_method], [true, "webhook", "POST"]);
  assert.equal((await backend.addressConfigurations(address).fetch()).sid, made.sid);
  const changed = await backend.addressConfigurations(made.sid).update({ "autoCreation.enabled": false });
  assert.equal(changed.autoCreation.enabled, false);
  const again = { type: "sms", address };
  assert.deepEqual(await refused(backend.addressConfigurations.create(again)), [409, 20409]);
  assert.ok((await backend.addressConfigurations.list({ type: "sms" })).some(({ sid }) => sid === made.sid));
  assert.deepEqual(await backend.addressConfigurations.list({ type: "whatsapp" }), []);
  assert.equal(await backend.addressConfigurations(made.sid).remove(), true);
  assert.deepEqual(await refused(backend.addressConfigurations(address).fetch()), [404, 20404]);
});

test("credentials and bindings", async () => {
  const made = await backend.credentials.create({ type: "fcm", friendlyName: "push", secret: "s3cret" });
  assert.deepEqual([made.type, made.friendlyName, typeof made.sandbox], ["fcm", "push", "string"]);
  assert.equal((await backend.credentials(made.sid).update({ friendlyName: "p" })).friendlyName, "p");
  assert.ok((await backend.credentials.list({ pageSize: 1 })).some(({ sid }) => sid === made.sid));

  const { defaultChatServiceSid } = await backend.configuration().fetch();
  const { bindings } = backend.services(defaultChatServiceSid);
  const client = await server.client("dora", server.port, { pushCredentialSid: made.sid });
  try {
    await client.setPushRegistrationId("fcm", "a-device");
    const [binding] = await until("the device is listed", async () => {
      const listed = await bindings.list({ bindingType: ["fcm"], identity: ["dora"] });
      return listed.length > 0 && listed;
    });
    assert.deepEqual([binding.identity, binding.bindingType, binding.credentialSid], ["dora", "fcm", made.sid]);
    assert.ok(binding.messageTypes.includes("new_message"), binding.messageTypes);
    assert.equal((await bindings(binding.sid).fetch()).sid, binding.sid);
    assert.deepEqual(await bindings.list({ bindingType: ["apn"] }), []);
    assert.equal(await bindings(binding.sid).remove(), true);
    assert.deepEqual(await refused(bindings(binding.sid).fetch()), [404, 20404]);
  } finally {
    await client.shutdown();
  }
  assert.equal(await backend.credentials(made.sid).remove(), true);
  assert.deepEqual(await refused(backend.credentials(made.sid).fetch()), [404, 20404]);
});

test("configuration of a service", async () => {
  const before = await service.configuration().fetch();
  assert.equal(before.reachabilityEnabled, false);
  const role = await service.roles.create({
    friendlyName: "guest", type: "conversation", permission: ["sendMessage"],
  });
  const set = await service.configuration().update({
    reachabilityEnabled: true, defaultConversationRoleSid: role.sid,
  });
  assert.deepEqual([set.reachabilityEnabled, set.defaultConversationRoleSid], [true, role.sid]);
  const { sid } = await service.conversations.create({});
  const guest = await service.conversations(sid).participants.create({ identity: "guest" });
  assert.equal(guest.roleSid, role.sid);
  assert.deepEqual(await refused(service.roles(role.sid).remove()), [409, 20409]);

  const notifications = service.configuration.notifications();
  assert.equal((await notifications.fetch()).newMessage.enabled, false);
  const told = await notifications.update({
    logEnabled: true, "newMessage.enabled": true, "newMessage.template": "${PARTICIPANT}: ${MESSAGE}",
    "newMessage.withMedia.enabled": true, "removedFromConversation.sound": "bye",
  });
  assert.equal(told.logEnabled, true);
  assert.deepEqual([told.newMessage.enabled, told.newMessage.template], [true, "${PARTICIPANT}: ${MESSAGE}"]);
  assert.deepEqual([told.newMessage.with_media.enabled, told.removedFromConversation.sound], [true, "bye"]);

  const webhooks = service.configuration.webhooks();
  assert.deepEqual([(await webhooks.fetch()).method, (await webhooks.fetch()).filters], [null, null]);
  const heard = await webhooks.update({ preWebhookUrl: hook, filters: ["onMessageAdd"], method: "POST" });
  assert.deepEqual([heard.preWebhookUrl, heard.filters, heard.method], [hook, ["onMessageAdd"], "POST"]);
  await webhooks.update({ preWebhookUrl: "" });
});

for (const [form, make] of Object.entries(forms)) {
  test(`webhooks of one conversation of the ${form}`, async () => {
    const api = make();
    const { sid } = await api.conversations.create({});
    const { webhooks } = api.conversations(sid);
    const made = await webhooks.create({
      target: "webhook", "configuration.url": hook, "configuration.filters": ["onMessageAdded"],
    });
    assert.deepEqual(made.configuration, { url: hook, method: "post", filters: ["onMessageAdded"] });
    const trigger = await webhooks.create({
      target: "trigger", "configuration.url": hook, "configuration.triggers": ["help", "stop"],
    });
    assert.deepEqual(trigger.configuration.triggers, ["help", "stop"]);
    const flow = `FW${"0".repeat(32)}`;
    const studio = await webhooks.create({ target: "studio", "configuration.flowSid": flow });
    assert.deepEqual(studio.configuration, { flow_sid: flow });
    assert.deepEqual((await webhooks.list()).map(({ sid }) => sid), [made.sid, trigger.sid, studio.sid]);
    const changed = await webhooks(made.sid).update({ "configuration.method": "get" });
    assert.deepEqual([changed.configuration.method, changed.configuration.url], ["get", hook]);
    assert.deepEqual(await refused(webhooks.create({ target: "webhook" })), [400, 50369]);
    assert.equal(await webhooks(made.sid).remove(), true);
    assert.deepEqual(await refused(webhooks(made.sid).fetch()), [404, 20404]);
  });

  test(`conversations of a user and of a participant of the ${form}`, async () => {
    const api = make();
    const other = await api.conversations.create({});
    const talk = await api.conversations.create({ uniqueName: "together", friendlyName: "Together" });
    const identity = "erin@example.com";
    const erin = await api.conversations(talk.sid).participants.create({ identity });
    await api.conversations(other.sid).participants.create({ identity });
    for (let n = 0; n < 3; n++) await api.conversations(talk.sid).messages.create({ body: `m${n}` });

    const own = api.users(identity).userConversations;
    const listed = await own.list({ pageSize: 1 });
    assert.deepEqual(listed.map(({ conversationSid }) => conversationSid), [talk.sid, other.sid]);
    const one = await own("together").fetch();
    assert.deepEqual(
      [one.participantSid, one.friendlyName, one.uniqueName, one.conversationState, one.unreadMessagesCount],
      [erin.sid, "Together", "together", "active", null]);
    const read = await own(talk.sid).update({ lastReadMessageIndex: 0, notificationLevel: "muted" });
    assert.deepEqual([read.unreadMessagesCount, read.notificationLevel], [2, "muted"]);
    assert.equal((await api.conversations(talk.sid).participants(erin.sid).fetch()).lastReadMessageIndex, 0);
    assert.equal(await own(talk.sid).remove(), true);
    assert.deepEqual(await refused(own(talk.sid).fetch()), [404, 20404]);

    const found = await api.participantConversations.list({ identity });
    assert.deepEqual(
      found.map((row) => [row.conversationSid, row.participantIdentity, row.participantMessagingBinding]),
      [[other.sid, identity, null]]);
    const address = phone();
    await api.conversations(talk.sid).participants.create({
      "messagingBinding.address": address, "messagingBinding.proxyAddress": PROXY,
    });
    const [held] = await api.participantConversations.list({ address });
    assert.deepEqual(
      [held.conversationSid, held.conversationUniqueName, held.participantIdentity], [talk.sid, "together", null]);
    assert.deepEqual(
      [held.participantMessagingBinding.address, held.participantMessagingBinding.level], [address, null]);
    assert.deepEqual(await refused(api.participantConversations.list({ address, identity })), [400, 50451]);
  });

  test(`a conversation with participants of the ${form}`, async () => {
    const api = make();
    const address = phone();
    const pair = JSON.stringify({ messaging_binding: { address, proxy_address: PROXY } });
    const made = await api.conversationWithParticipants.create({
      friendlyName: "at once", participant: ['{"identity":"frank"}', pair],
    });
    assert.deepEqual([made.friendlyName, made.state], ["at once", "active"]);
    const people = await api.conversations(made.sid).participants.list();
    assert.deepEqual(people.map(({ identity }) => identity), ["frank", null]);
    const twice = api.conversationWithParticipants.create({ participant: ['{"identity":"gina"}', pair] });
    assert.deepEqual(await refused(twice), [409, 50425]);
    assert.deepEqual(await api.participantConversations.list({ identity: "gina" }), []);
    const eleven = Array.from({ length: 11 }, (_, n) => JSON.stringify({ identity: `p${n}` }));
    assert.deepEqual(await refused(api.conversationWithParticipants.create({ participant: eleven })), [400, 50426]);
  });
}
