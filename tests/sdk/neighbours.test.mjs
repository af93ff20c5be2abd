// The official libraries: content templates and Messaging Services, under the prefixes of their products.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import twilio from "twilio";

import { Server, accountSid, authToken, collect, refused, until } from "./server.mjs";

let server, client;
before(async () => {
  server = await Server.start();
  client = twilio(accountSid, authToken);
  client.conversations.baseUrl = server.url;
  client.api.baseUrl = `${server.url}/api`;
  client.content.baseUrl = `${server.url}/content`;
  client.messaging.baseUrl = `${server.url}/messaging`;
});
after(() => server.stop());

// The library sends what it is given, so names are those of the API.
const greeting = {
  friendly_name: "greeting",
  language: "en",
  variables: { 1: "friend" },
  types: {
    "twilio/text": { body: "Hello {{1}}" },
    "twilio/quick-reply": { body: "Well?", actions: [{ title: "Yes", id: "yes" }] },
  },
};

test("content templates", async () => {
  const { contents } = client.content.v1;
  const made = await contents.create(greeting);
  assert.match(made.sid, /^HX[0-9a-f]{32}$/);
  assert.deepEqual([made.friendlyName, made.language, made.variables], ["greeting", "en", { 1: "friend" }]);
  assert.deepEqual(made.types["twilio/text"], { body: "Hello {{1}}" });
  assert.ok(made.dateCreated instanceof Date);
  const fetched = await contents(made.sid).fetch();
  assert.deepEqual(fetched.toJSON(), made.toJSON());
  for (let n = 0; n < 4; n++) await contents.create(greeting);
  const all = await contents.list({ pageSize: 2 });
  assert.equal(new Set(all.map(({ sid }) => sid)).size, 5);
  assert.equal(await contents(made.sid).remove(), true);
  assert.deepEqual(await refused(contents(made.sid).fetch()), [404, 20404]);
  assert.deepEqual(await refused(contents.create({ language: "en", types: {} })), [400, 20422]);
});

test("messages from a template", async () => {
  const { sid } = await client.content.v1.contents.create(greeting);
  const { conversations } = client.conversations.v1;
  const talk = await conversations.create({});
  await conversations(talk.sid).participants.create({ identity: "alice" });
  const alice = await server.client("alice");
  const seen = await alice.getConversationBySid(talk.sid);
  await seen.getMessages(1);
  const heard = collect(seen, "messageAdded");
  const contentVariables = JSON.stringify({ 1: "Bob" });
  const { messages } = conversations(talk.sid);
  const sent = await messages.create({ contentSid: sid, contentVariables });
  assert.deepEqual([sent.body, sent.contentSid], ["Hello Bob", sid]);
  await until("alice hears it", () => heard.length === 1);
  assert.deepEqual([heard[0].body, heard[0].contentSid], ["Hello Bob", sid]);
  assert.deepEqual(await refused(messages.create({ contentVariables })), [400, 50528]);

  const template = (await alice.getContentTemplates()).find((one) => one.sid === sid);
  assert.deepEqual([template.friendlyName, template.variables[0].name, template.variables[0].value], [
    "greeting", "1", "friend",
  ]);
  const values = [template.variables[0].copyWithValue("Carol")];
  const index = await seen.prepareMessage().setContentTemplate(sid, values).build().send();
  await until("alice hears her own", () => heard.length === 2);
  assert.deepEqual([heard[1].index, heard[1].body, heard[1].author], [index, "Hello Carol", "alice"]);
  await alice.shutdown();
});

test("messaging services", async () => {
  const { services } = client.messaging.v1;
  const made = await services.create({
    friendlyName: "support",
    inboundRequestUrl: "https://example.com/in",
    inboundMethod: "GET",
    stickySender: false,
    validityPeriod: 600,
  });
  assert.deepEqual([made.friendlyName, made.inboundMethod, made.stickySender, made.validityPeriod], [
    "support", "GET", false, 600,
  ]);
  const changed = await services(made.sid).update({ friendlyName: "sales", usecase: "poll" });
  assert.deepEqual([changed.friendlyName, changed.usecase, changed.inboundMethod], ["sales", "poll", "GET"]);
  for (let n = 0; n < 3; n++) await services.create({ friendlyName: `service ${n}` });
  // The account's default one is there from the start.
  assert.equal((await services.list({ pageSize: 2 })).length, 5);
  const other = await client.conversations.v1.conversations.create({ messagingServiceSid: made.sid });
  assert.equal(other.messagingServiceSid, made.sid);
  assert.equal(await services(made.sid).remove(), true);
  assert.deepEqual(await refused(services(made.sid).fetch()), [404, 20404]);
});

test("senders of a messaging service", async () => {
  const { services } = client.messaging.v1;
  const service = services((await services.create({ friendlyName: "support" })).sid);
  const other = services((await services.create({ friendlyName: "other" })).sid);
  const number = await client.request({
    method: "post",
    uri: `${server.url}/api/2010-04-01/Accounts/${accountSid}/IncomingPhoneNumbers.json`,
    username: accountSid,
    password: authToken,
    data: { PhoneNumber: "+15558675310" },
  });
  const phoneNumberSid = number.body.sid;
  for (let n = 0; n < 2; n++) {
    const added = await service.phoneNumbers.create({ phoneNumberSid });
    assert.deepEqual([added.sid, added.phoneNumber], [phoneNumberSid, "+15558675310"]);
  }
  assert.deepEqual(await refused(other.phoneNumbers.create({ phoneNumberSid })), [409, 20409]);
  assert.equal((await service.phoneNumbers(phoneNumberSid).fetch()).sid, phoneNumberSid);
  assert.equal((await service.phoneNumbers.list()).length, 1);
  assert.equal(await service.phoneNumbers(phoneNumberSid).remove(), true);
  assert.equal((await other.phoneNumbers.create({ phoneNumberSid })).phoneNumber, "+15558675310");

  const alpha = await service.alphaSenders.create({ alphaSender: "Acme" });
  assert.deepEqual([alpha.alphaSender, alpha.capabilities], ["Acme", ["SMS"]]);
  assert.deepEqual(await refused(service.alphaSenders.create({ alphaSender: "123" })), [400, 20422]);
  assert.deepEqual((await service.shortCodes.list()).length, 0);
  assert.deepEqual((await service.channelSenders.list()).length, 0);
  const absent = `XE${"0".repeat(32)}`;
  assert.deepEqual(await refused(service.channelSenders.create({ sid: absent })), [400, 20422]);
});
