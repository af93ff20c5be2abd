// The client itself: starting, its states, its token, its end.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createRequire } from "node:module";
import { test } from "node:test";

import { collect, until } from "../server.mjs";
import { forEachVersion, versions } from "../versions.mjs";

forEachVersion("client", (context) => {
  const { version, sdk, fresh } = context;
  const token = (identity, options) => context.server.token(identity, options);

  test("starts, and says what it is", async () => {
    const ann = fresh("ann");
    const given = token(ann);
    const client = context.connect(given);
    assert.throws(() => client.reachabilityEnabled, /has not yet been initialized/);
    const [states, connection, initialized] = [
      collect(client, "stateChanged"), collect(client, "connectionStateChanged"), collect(client, "initialized"),
    ];
    await until("it is initialized", () => initialized.length === 1 && states.length === 1);
    assert.deepEqual([states, connection.at(-1)], [["initialized"], "connected"]);
    const seen = context.watch(client);
    assert.deepEqual([seen.version, sdk.Client.version, seen.connectionState], [version, version, "connected"]);
    assert.deepEqual([client.token, client.user.identity, client.reachabilityEnabled], [given, ann, false]);
    assert.deepEqual((await client.getSubscribedConversations()).items, []);
  });

  test("is made by the factory, ready to use", async () => {
    const options = { twilsock: { uri: `ws://127.0.0.1:${context.server.port}/v3/wsconnect` }, logLevel: "silent" };
    const bea = fresh("bea");
    const client = await sdk.Client.create(token(bea), options);
    assert.deepEqual([client.connectionState, client.user.identity], ["connected", bea]);
    assert.deepEqual((await client.getSubscribedConversations()).items, []);
    await client.shutdown();
  });

  test("starts with registrations that somebody else made", async () => {
    const { typings } = versions.find((one) => one.version === version);
    const { InitRegistration } = createRequire(typings)("twilsock");
    const registration = new InitRegistration("ip_messaging");
    sdk.Client.populateInitRegistrations(registration);
    assert.ok(registration.message_types.includes(sdk.NotificationTypes.TYPING_INDICATOR));
    const cid = fresh("cid");
    const sid = await context.conversation({}, cid);
    const options = { initRegistrations: [registration], disableDeepClone: true };
    const [, talk] = await context.opened(cid, sid, options);
    const heard = collect(talk, "messageAdded");
    await context.backend.conversations(sid).messages.create({ body: "hello" });
    await until("the message was heard", () => heard.length === 1);
  });

  test("lives in the service that its token names", async () => {
    const ida = fresh("ida");
    const [uniqueName, there] = [fresh("room"), await context.backend.services.create({ friendlyName: fresh("second") })];
    const here = await context.conversation({ uniqueName }, ida);
    const other = context.backend.services(there.sid);
    const { sid } = await other.conversations.create({ uniqueName });
    await other.conversations(sid).participants.create({ identity: ida });
    const given = context.server.token(ida, {}, undefined, { serviceSid: there.sid });
    const client = context.connect(given);
    assert.deepEqual((await client.getSubscribedConversations()).items.map((one) => one.sid), [sid]);
    assert.equal((await client.getConversationByUniqueName(uniqueName)).sid, sid);
    await assert.rejects(client.peekConversationBySid(here));
    await assert.rejects(client.getConversationBySid(here));
    const own = await client.createConversation({ friendlyName: "there" });
    assert.deepEqual([own.createdBy, (await other.conversations(own.sid).fetch()).friendlyName], [ida, "there"]);
    assert.equal((await context.backend.conversations(here).participants.list()).length, 1);
  });

  test("fails with a bad token, and says so", async () => {
    const client = context.connect("no token");
    const [states, connection, failed, errors] = [
      "stateChanged", "connectionStateChanged", "initFailed", "connectionError",
    ].map((event) => collect(client, event));
    await until("it failed", () => connection.includes("denied") && failed.length === 2);
    assert.deepEqual(states, ["failed", "failed"]);
    // The SDK tells of it twice: that it is not connected, and why.
    for (const error of [failed[1].error, errors[0]]) {
      assert.deepEqual([error.terminal, error.httpStatusCode, error.errorCode], [true, 401, 20101]);
    }
  });

  test("takes a new token before the old one ends", async () => {
    const dan = fresh("dan");
    const client = context.connect(token(dan, { ttl: 60 }));
    await once(client, "tokenAboutToExpire");
    const states = collect(client, "connectionStateChanged");
    const longer = token(dan, { ttl: 3600 });
    assert.equal(await client.updateToken(longer), client);
    assert.equal(client.token, longer);
    assert.deepEqual((await client.getSubscribedConversations()).items, []);
    assert.deepEqual(states.filter((state) => state !== "connected"), [], "the connection was kept");
    // The same token again is no news.
    assert.equal(await client.updateToken(longer), client);
  });

  test("ends with its token, and comes back with another without a gap", async () => {
    // One program has a new token at once, one takes its time, and one never gets any.
    const [eli, eva, eno] = [fresh("eli"), fresh("eva"), fresh("eno")];
    const sid = await context.conversation({}, eli, eva, eno);
    const follow = async (identity) => {
      const client = context.connect(token(identity, { ttl: 5 }));
      const talk = await client.getConversationBySid(sid);
      await talk.getMessages(1);
      const [states, expired, errors] = ["connectionStateChanged", "tokenExpired", "connectionError"]
        .map((event) => collect(client, event));
      return { client, states, expired, errors, heard: collect(talk, "messageAdded") };
    };
    const all = await Promise.all([eli, eva, eno].map(follow));
    const [prompt, late, never] = all;
    const renewed = new Promise((resolve, reject) => {
      prompt.client.once("tokenExpired", () => prompt.client.updateToken(token(eli)).then(resolve, reject));
    });
    // Messages come all the time.
    let sent = 0;
    const say = () => context.backend.conversations(sid).messages.create({ body: `${sent++}` });
    const denied = () => [late, never].every(({ client }) => client.connectionState === "denied");
    await until("the tokens expired", () => say().then(() => denied() && prompt.expired.length === 1));
    assert.equal(await renewed, prompt.client);
    for (const { errors } of all) {
      assert.deepEqual(errors.map((error) => [error.terminal, error.httpStatusCode, error.errorCode]), [[true, 401, 20104]]);
    }
    await say();
    assert.equal(await late.client.updateToken(token(eva)), late.client);
    await say();
    for (const { client, states, expired, heard } of [prompt, late]) {
      await until("what was missed is heard", () => heard.length >= sent);
      assert.deepEqual(heard.map(({ body }) => body), [...Array(sent).keys()].map(String));
      assert.deepEqual(states.slice(-4), ["connecting", "denied", "connecting", "connected"]);
      assert.deepEqual([client.connectionState, expired.length], ["connected", 1]);
      assert.deepEqual((await client.getSubscribedConversations()).items.map((one) => one.sid), [sid]);
    }
    assert.deepEqual([never.client.connectionState, never.expired.length], ["denied", 1]);
  });

  test("is refused the token of somebody else", async () => {
    const fay = fresh("fay");
    const client = await context.client(fay);
    const refused = collect(client, "connectionError");
    const updated = client.updateToken(token(fresh("mallory"))).catch(() => {});
    // The refusal arrives, though the server reads nothing of what is said behind that.
    const attributes = { x: "y".repeat(15_000) };
    for (let n = 0; n < 40; n++) client.createConversation({ attributes }).catch(() => {});
    await updated;
    await until("it is denied", () => client.connectionState === "denied");
    const errors = refused.map((error) => [error.terminal, error.httpStatusCode, error.errorCode]);
    assert.deepEqual(errors, [[true, 403, 20403]]);
    assert.equal(client.user.identity, fay);
    // The own one is still good.
    await client.updateToken(token(fay, { ttl: 1800 }));
    await until("it is connected again", () => client.connectionState === "connected");
  });

  test("shuts down", async () => {
    const gil = fresh("gil");
    const sid = await context.conversation({}, gil);
    const [client, talk] = await context.opened(gil, sid);
    const [states, heard] = [collect(client, "connectionStateChanged"), collect(talk, "messageAdded")];
    await client.shutdown();
    await until("it has ended", () => client.connectionState === "disconnected");
    assert.deepEqual(states, ["disconnecting", "disconnected"]);
    // Somebody who is still there hears what the one who left does not.
    const other = fresh("hal");
    await context.backend.conversations(sid).participants.create({ identity: other });
    const [, hers] = await context.opened(other, sid);
    const both = collect(hers, "messageAdded");
    await context.backend.conversations(sid).messages.create({ body: "anybody?" });
    await until("the other heard", () => both.length === 1);
    assert.deepEqual(heard, []);
  });
});
