// Conversations as the client finds, peeks at, creates and lists them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { collect, until } from "../server.mjs";
import { forEachVersion, refusal } from "../versions.mjs";

forEachVersion("conversations", (context) => {
  const { fresh, conversation } = context;
  const service = () => context.backend;

  test("are listed in pages, both ways", async () => {
    const ann = fresh("ann");
    const participant = [JSON.stringify({ identity: ann })];
    const made = await Promise.all([...Array(105)].map(async () =>
      (await service().conversationWithParticipants.create({ participant })).sid));
    const client = await context.client(ann);
    const first = await client.getSubscribedConversations();
    assert.deepEqual([first.items.length, first.hasNextPage, first.hasPrevPage], [50, true, false]);
    const second = await first.nextPage();
    assert.deepEqual([second.items.length, second.hasNextPage, second.hasPrevPage], [50, true, true]);
    const third = await second.nextPage();
    assert.deepEqual([third.items.length, third.hasNextPage, third.hasPrevPage], [5, false, true]);
    const sids = [first, second, third].flatMap(({ items }) => items.map(({ sid }) => sid));
    assert.deepEqual(sids.toSorted(), made.toSorted());
    const back = await third.prevPage();
    assert.deepEqual(back.items.map(({ sid }) => sid), second.items.map(({ sid }) => sid));
  });

  test("are told of once each at the start", async () => {
    const bea = fresh("bea");
    const made = [await conversation({}, bea), await conversation({}, bea)];
    const client = context.connect(context.server.token(bea));
    const [added, joined] = [collect(client, "conversationAdded"), collect(client, "conversationJoined")];
    await client.getSubscribedConversations();
    await until("both were told", () => added.length >= 2 && joined.length >= 2);
    for (const told of [added, joined]) assert.deepEqual(told.map(({ sid }) => sid).toSorted(), made.toSorted());
  });

  test("have all their fields", async () => {
    const cid = fresh("cid");
    const uniqueName = fresh("room");
    const sid = await conversation({ friendlyName: "Room", uniqueName, attributes: '{"a":[1,null]}' }, cid);
    const said = await service().conversations(sid).messages.create({ body: "hello" });
    const client = await context.client(cid);
    const talk = await client.getConversationBySid(sid);
    await until("it is open", () => talk.state && talk.lastMessage);
    const stored = await service().conversations(sid).fetch();
    assert.deepEqual(
      [context.watch(talk).sid, talk.friendlyName, talk.uniqueName, talk.attributes, talk.createdBy, talk.status],
      [sid, "Room", uniqueName, { a: [1, null] }, "system", "joined"],
    );
    assert.deepEqual(await talk.getAttributes(), { a: [1, null] });
    assert.deepEqual([talk.dateCreated, talk.dateUpdated], [stored.dateCreated, stored.dateUpdated]);
    assert.deepEqual([talk.notificationLevel, talk.lastReadMessageIndex, talk.bindings], ["default", null, {}]);
    assert.equal(talk.state.current, "active");
    assert.ok(Math.abs(talk.state.dateUpdated - stored.dateCreated) < 1000);
    assert.equal(talk.lastMessage.index, 0);
    assert.ok(Math.abs(talk.lastMessage.dateCreated - said.dateCreated) < 1000);
    assert.deepEqual(talk.limits, {
      mediaAttachmentsCountLimit: 10,
      mediaAttachmentSizeLimitInMb: 150,
      mediaAttachmentsTotalSizeLimitInMb: 150,
      emailHistoriesAllowedContentTypes: ["text/plain", "text/html"],
      emailBodiesAllowedContentTypes: ["text/plain", "text/html"],
    });
    assert.deepEqual([await talk.getParticipantsCount(), await talk.getMessagesCount()], [1, 1]);
  });

  test("show the address that stands for them in e-mails", async () => {
    const dan = fresh("dan");
    const sid = await conversation({
      "bindings.email.address": `${fresh("talk")}@example.com`, "bindings.email.name": "The talk",
    }, dan);
    const [, talk] = await context.opened(dan, sid);
    assert.deepEqual([talk.bindings.email.name, /^talk.*@example.com$/.test(talk.bindings.email.projected_address)], [
      "The talk", true,
    ]);
  });

  test("are found by names of any letters", async () => {
    const eli = fresh("eli");
    const client = await context.client(eli);
    for (const name of ["a/b", "100%", "%2F", "two words", "☂ 🙂", "?&#=+;", "ümlaut", "..", "a\\b"]) {
      const uniqueName = `${name} ${fresh("")}`;
      const sid = await conversation({ uniqueName }, eli);
      const found = await client.getConversationByUniqueName(uniqueName);
      assert.deepEqual([found.sid, found.uniqueName, found.status], [sid, uniqueName, "joined"], uniqueName);
      await assert.rejects(client.getConversationByUniqueName(`${uniqueName}x`));
    }
  });

  test("can be looked at by whoever may join, and by nobody else", async () => {
    const fay = fresh("fay");
    const uniqueName = fresh("open");
    const sid = await conversation({ friendlyName: "Open", uniqueName, attributes: '{"x":1}' }, fresh("owner"));
    await service().conversations(sid).messages.create({ body: "private" });
    const client = await context.client(fay);
    const added = collect(client, "conversationAdded");
    const peeked = await client.peekConversationBySid(sid);
    assert.deepEqual([peeked.sid, peeked.friendlyName, peeked.attributes, peeked.status], [
      sid, "Open", { x: 1 }, "notParticipating",
    ]);
    assert.deepEqual((await client.getSubscribedConversations()).items, []);
    assert.equal((await client.getConversationByUniqueName(uniqueName)).status, "notParticipating");
    assert.equal((await client.getConversationBySid(sid)).sid, sid);
    await assert.rejects(client.peekConversationBySid("CH00000000000000000000000000000000"));
    await assert.rejects(client.getConversationBySid("CH00000000000000000000000000000000"));
    assert.ok(added.every((one) => one.sid === sid));

    const role = await service().roles.create({
      friendlyName: fresh("guest"), type: "service", permission: ["editOwnUserInfo"],
    });
    const gil = fresh("gil");
    await service().users.create({ identity: gil, roleSid: role.sid });
    const guest = await context.client(gil);
    await assert.rejects(guest.peekConversationBySid(sid));
    await assert.rejects(guest.getConversationBySid(sid));
    await assert.rejects(guest.getConversationByUniqueName(uniqueName));
    assert.deepEqual(await refusal(guest.createConversation()), [403, 50107, "createConversation"]);
  });

  test("are created with all options, and with none", async () => {
    const hal = fresh("hal");
    const client = await context.client(hal);
    const [added, joined] = [collect(client, "conversationAdded"), collect(client, "conversationJoined")];
    const uniqueName = fresh("made/by 100% ☂");
    const made = await client.createConversation({
      friendlyName: "Made", uniqueName, attributes: { topic: "tea" }, access: "private",
    });
    assert.deepEqual([made.friendlyName, made.uniqueName, made.attributes, made.createdBy, made.status], [
      "Made", uniqueName, { topic: "tea" }, hal, "notParticipating",
    ]);
    await until("it was told", () => added.length === 1);
    const stored = await service().conversations(made.sid).fetch();
    assert.deepEqual([stored.friendlyName, stored.uniqueName, stored.attributes, stored.state], [
      "Made", uniqueName, '{"topic":"tea"}', "active",
    ]);
    assert.deepEqual(await service().conversations(made.sid).participants.list(), []);
    assert.deepEqual(await refusal(client.createConversation({ uniqueName })), [409, 50353]);
    const plain = await client.createConversation();
    assert.deepEqual([plain.friendlyName, plain.uniqueName, plain.attributes], [null, null, {}]);
    // Whoever created it counts what is in it before joining.
    await service().conversations(plain.sid).participants.create({ identity: fresh("ida") });
    await service().conversations(plain.sid).messages.create({ body: "hello" });
    assert.deepEqual([await plain.getParticipantsCount(), await plain.getMessagesCount()], [1, 1]);
    await until("both were told", () => added.length === 2);
    assert.deepEqual(joined, []);
    // Attributes may be any JSON value.
    for (const attributes of ["text", 5, true, null, [1], {}]) {
      const one = await client.createConversation({ attributes });
      const kept = JSON.parse((await service().conversations(one.sid).fetch()).attributes);
      assert.deepEqual(kept, attributes);
    }
    const long = "x".repeat(257);
    assert.deepEqual(await refusal(client.createConversation({ friendlyName: long })), [400, 50003]);
    assert.deepEqual(await refusal(client.createConversation({ uniqueName: long })), [400, 50004]);
    assert.deepEqual(await refusal(client.createConversation({ attributes: "x".repeat(16384) })), [400, 50303]);
  });
});
