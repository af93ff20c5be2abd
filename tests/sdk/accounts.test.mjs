// The official Node library: accounts, keys, numbers and plain messages, under the prefixes of their products.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import twilio from "twilio";

import { Server, accountSid, apiKeySecret, apiKeySid, authToken, refused, until } from "./server.mjs";

let server, owner;
before(async () => {
  server = await Server.start();
  owner = client(accountSid, authToken);
});
after(() => server.stop());

function client(user, password, of = accountSid) {
  const made = twilio(user, password, { accountSid: of });
  made.conversations.baseUrl = server.url;
  made.api.baseUrl = `${server.url}/api`;
  made.iam.baseUrl = `${server.url}/iam`;
  return made;
}

test("accounts and subaccounts", async () => {
  const own = await owner.api.accounts(accountSid).fetch();
  assert.deepEqual([own.sid, own.ownerAccountSid, own.status, own.authToken], [
    accountSid, accountSid, "active", authToken,
  ]);
  assert.ok(own.dateCreated instanceof Date && !Number.isNaN(own.dateCreated.getTime()));
  const shop = await owner.api.accounts.create({ friendlyName: "shop" });
  assert.deepEqual([shop.friendlyName, shop.ownerAccountSid], ["shop", accountSid]);
  const tenant = client(shop.sid, shop.authToken, shop.sid);
  await owner.conversations.v1.conversations.create({ uniqueName: "ours" });
  assert.deepEqual(await refused(tenant.conversations.v1.conversations("ours").fetch()), [404, 20404]);
  assert.deepEqual(await refused(tenant.api.accounts(accountSid).fetch()), [404, 20404]);
  assert.equal((await tenant.api.accounts.list()).length, 1);
  for (let n = 0; n < 4; n++) await owner.api.accounts.create({ friendlyName: `more ${n}` });
  const all = await owner.api.accounts.list({ pageSize: 2 });
  assert.equal(new Set(all.map(({ sid }) => sid)).size, 6);
  assert.deepEqual((await owner.api.accounts.list({ friendlyName: "shop" })).map(({ sid }) => sid), [shop.sid]);
  await owner.api.accounts(shop.sid).update({ status: "suspended" });
  assert.deepEqual(await refused(tenant.conversations.v1.conversations.list()), [403, 20005]);
  await owner.api.accounts(shop.sid).update({ status: "active" });
  assert.deepEqual(await tenant.conversations.v1.conversations.list(), []);
});

test("keys of 2010, signing keys", async () => {
  for (const [create, keys] of [
    [owner.newKeys, owner.keys],
    [owner.newSigningKeys, owner.signingKeys],
  ]) {
    const made = await create.create({ friendlyName: "ci" });
    assert.match(made.secret, /^[A-Za-z0-9]{32}$/);
    const mine = client(made.sid, made.secret);
    assert.ok(await mine.conversations.v1.conversations.list());
    assert.deepEqual(await refused(mine.keys.list()), [403, 70051]);
    assert.equal((await keys(made.sid).fetch()).friendlyName, "ci");
    assert.equal((await keys(made.sid).update({ friendlyName: "cd" })).friendlyName, "cd");
    assert.ok((await keys.list({ pageSize: 1 })).some(({ sid }) => sid === made.sid));
    assert.equal(await keys(made.sid).remove(), true);
    assert.deepEqual(await refused(mine.conversations.v1.conversations.list()), [401, 20003]);
  }
});

test("keys of IAM", async () => {
  const { iam } = owner;
  const policy = { allow: ["/twilio/conversations/conversations/list"] };
  const made = await iam.v1.newApiKey.create({ accountSid, friendlyName: "few", keyType: "restricted", policy });
  assert.deepEqual(made.policy, policy);
  const few = client(made.sid, made.secret).conversations.v1;
  assert.ok(await few.conversations.list());
  assert.deepEqual(await refused(few.conversations.create({})), [403, 70051]);
  const more = { allow: [...policy.allow, "/twilio/conversations/conversations/create"] };
  assert.deepEqual((await iam.v1.apiKey(made.sid).update({ policy: more })).policy, more);
  assert.ok(await few.conversations.create({}));
  assert.equal((await iam.v1.apiKey(made.sid).fetch()).friendlyName, "few");
  const listed = await iam.v1.getApiKeys.list({ accountSid, pageSize: 1 });
  assert.ok(listed.some(({ sid }) => sid === made.sid));
  assert.equal(await iam.v1.apiKey(made.sid).remove(), true);
  assert.deepEqual(await refused(iam.v1.apiKey(made.sid).fetch()), [404, 20404]);
});

test("numbers, plain messages and relay tokens", async () => {
  const backend = client(apiKeySid, apiKeySecret);
  const number = await backend.incomingPhoneNumbers.create({ phoneNumber: "+15550100077" });
  assert.equal((await backend.incomingPhoneNumbers(number.sid).fetch()).phoneNumber, "+15550100077");
  assert.equal(number.capabilities.sms, true);
  assert.deepEqual(await refused(backend.incomingPhoneNumbers.create({ phoneNumber: "+15550100077" })), [409, 20409]);
  assert.equal((await backend.incomingPhoneNumbers.list({ phoneNumber: "+15550100077" })).length, 1);
  const to = "+15558675377";
  const sent = await backend.messages.create({ to, from: number.phoneNumber, body: "hello" });
  assert.deepEqual([sent.status, sent.to, sent.numSegments, sent.errorCode], ["queued", to, "1", null]);
  const done = await until("the message is delivered", async () => {
    const seen = await backend.messages(sent.sid).fetch();
    return seen.status === "delivered" && seen;
  });
  assert.ok(done.dateSent instanceof Date);
  await backend.messages.create({ to, from: number.phoneNumber, mediaUrl: ["https://example.com/a.png"] });
  await backend.messages.create({ to, messagingServiceSid: sent.messagingServiceSid, body: "through" });
  const listed = await backend.messages.list({ to, pageSize: 1 });
  assert.deepEqual(listed.map(({ body }) => body), ["through", null, "hello"]);
  const since = new Date(Date.now() - 24 * 3600 * 1000);
  assert.ok((await backend.messages.list({ to, dateSentAfter: since })).length >= 1);
  assert.deepEqual(await backend.messages.list({ to, dateSentBefore: since }), []);
  assert.deepEqual(await refused(backend.messages.create({ to, from: "me", body: "x" })), [400, 21212]);
  assert.equal(await backend.incomingPhoneNumbers(number.sid).remove(), true);
  const token = await backend.tokens.create({ ttl: 60 });
  assert.deepEqual([token.ttl, token.iceServers], ["60", []]);
});
