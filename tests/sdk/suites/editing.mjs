// Messages that change and go: by their authors, by programs and by people on phones, and what everybody hears of it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { collect, until } from "../server.mjs";
import { forEachVersion } from "../versions.mjs";

forEachVersion("editing", (context) => {
  const { fresh } = context;

  // A message of Ann's that Ben has loaded too.
  const sent = async () => {
    const [ann, ben] = [fresh("ann"), fresh("ben")];
    const sid = await context.conversation({}, ann, ben);
    const [[client, hers], [other, his]] = await Promise.all([context.opened(ann, sid), context.opened(ben, sid)]);
    const heard = collect(his, "messageAdded");
    await hers.sendMessage("first", { a: 1 });
    await until("it was heard", () => heard.length === 1);
    const [message] = (await hers.getMessages(1)).items;
    return { ann, ben, sid, client, other, hers, his, message, seen: heard[0], rest: context.backend.conversations(sid) };
  };
  const sorted = (updates) => updates.map(({ updateReasons }) => updateReasons.toSorted());

  test("tells every change with its reasons, whoever makes it", async () => {
    const { ann, ben, other, his, message, seen, rest } = await sent();
    const own = collect(seen, "updated");
    const [byTalk, byClient] = [collect(his, "messageUpdated"), collect(other, "messageUpdated")];
    const changes = [
      [() => message.updateBody("second"), ["body", "dateUpdated", "lastUpdatedBy"], ["body", "second"]],
      [() => message.updateAttributes({ b: [2] }), ["attributes", "dateUpdated"], ["attributes", { b: [2] }]],
      [() => message.updateBody(""), ["body", "dateUpdated"], ["body", ""]],
      [() => message.updateAttributes(null), ["attributes", "dateUpdated"], ["attributes", null]],
      [() => rest.messages(message.sid).update({ body: "third" }), ["body", "dateUpdated", "lastUpdatedBy"], ["body", "third"]],
      [() => rest.messages(message.sid).update({ subject: "s" }), ["dateUpdated", "subject"], ["subject", "s"]],
      [() => rest.messages(message.sid).update({ attributes: '{"c":{}}' }), ["attributes", "dateUpdated"], ["attributes", { c: {} }]],
      [() => rest.messages(message.sid).update({ author: ben }), ["author", "dateUpdated"], ["author", ben]],
      [
        () => rest.messages(message.sid).update({ dateCreated: new Date("2020-01-02T03:04:05Z") }),
        ["dateCreated", "dateUpdated"],
        ["dateCreated", new Date("2020-01-02T03:04:05Z")],
      ],
      [
        () => rest.messages(message.sid).update({ dateUpdated: new Date("2021-01-02T03:04:05Z") }),
        ["dateUpdated"],
        ["dateUpdated", new Date("2021-01-02T03:04:05Z")],
      ],
    ];
    const by = [ann, ann, ann, ann, "system", "system", "system", "system", "system", "system"];
    assert.equal(seen.lastUpdatedBy, null);
    for (const [n, [change, reasons, [property, value]]] of changes.entries()) {
      await change();
      await until(`change ${n} was heard`, () => own.length === n + 1 && byTalk.length === n + 1 && byClient.length === n + 1);
      assert.deepEqual(sorted(own)[n], reasons, `change ${n}`);
      assert.deepEqual(seen[property], value);
      assert.equal(seen.lastUpdatedBy, by[n]);
    }
    for (const heard of [byTalk, byClient]) {
      assert.ok(heard.every((update) => update.message === seen));
      assert.deepEqual(sorted(heard), sorted(own));
    }
    // Somebody who reads it only now sees the same.
    const [, again] = await context.opened(ben, his.sid);
    const [read] = (await again.getMessages(1)).items;
    for (const property of ["body", "subject", "attributes", "author", "dateCreated", "dateUpdated", "lastUpdatedBy"]) {
      assert.deepEqual(read[property], seen[property], property);
    }
    const me = (await again.getParticipants()).find(({ identity }) => identity === ben);
    assert.equal(read.participantSid, me.sid);
    assert.equal((await read.getParticipant()).identity, ben);
  });

  test("says nothing of a change that changes nothing", async () => {
    const { ann, message, his, seen, rest } = await sent();
    const updates = collect(his, "messageUpdated");
    assert.equal(await message.updateBody("first"), message);
    assert.equal(await message.updateAttributes({ a: 1 }), message);
    await rest.messages(message.sid).update({ body: "first", author: ann });
    await message.updateBody("second");
    await until("the change was heard", () => updates.length > 0 && seen.body === "second");
    assert.deepEqual(sorted(updates), [["body", "dateUpdated", "lastUpdatedBy"]]);
  });

  test("announces deletions once, whoever makes them", async () => {
    const { other, hers, his, message, rest } = await sent();
    const [byTalk, byClient, updates] = [
      collect(his, "messageRemoved"), collect(other, "messageRemoved"), collect(his, "messageUpdated"),
    ];
    await hers.sendMessage("second");
    await rest.messages.create({ body: "third" });
    const all = await until("all are there", async () => {
      const { items } = await his.getMessages(10);
      return items.length === 3 && items;
    });
    const [first, second, third] = all;
    assert.equal(await message.remove(), message);
    await rest.messages(second.sid).remove();
    await rest.messages(third.sid).remove();
    await until("all were heard", () => byTalk.length >= 3 && byClient.length >= 3);
    assert.deepEqual(byTalk, [first, second, third]);
    assert.deepEqual(byClient, [first, second, third]);
    assert.deepEqual(updates, []);
    assert.deepEqual((await his.getMessages(10)).items, []);
    // What is gone can be neither changed nor deleted again.
    for (const call of [() => message.updateBody("x"), () => message.updateAttributes({}), () => message.remove()]) {
      await assert.rejects(call(), { status: 404 });
    }
  });

  test("hears of what it has not loaded only what is new", async () => {
    const { ben, sid, message, rest } = await sent();
    const client = await context.client(ben);
    const talk = await client.getConversationBySid(sid);
    await talk.getParticipants();
    const [added, updated, removed] = ["messageAdded", "messageUpdated", "messageRemoved"].map((event) => collect(client, event));
    await message.updateBody("edited");
    await rest.messages.create({ body: "new" });
    await until("the new one was heard", () => added.length === 1);
    await message.remove();
    await rest.messages.create({ body: "newer" });
    await until("the newer one was heard", () => added.length === 2);
    assert.deepEqual([updated, removed], [[], []]);
    assert.deepEqual((await talk.getMessages(10)).items.map(({ body }) => body), ["new", "newer"]);
  });

  test("keeps edits and deletions made while it was away", async () => {
    const { ann, ben, sid, his, message, rest } = await sent();
    await rest.messages.create({ body: "to be deleted", author: ann });
    const { items } = await until("both are there", async () => {
      const page = await his.getMessages(10);
      return page.items.length === 2 && page;
    });
    await message.updateBody("edited");
    await rest.messages(items[1].sid).remove();
    await rest.messages.create({ body: "after" });
    const [, fresher] = await context.opened(ben, sid);
    const read = (await fresher.getMessages(10)).items;
    assert.deepEqual(read.map(({ index, body }) => [index, body]), [[0, "edited"], [2, "after"]]);
    await until("the open one has them too", async () => {
      const now = (await his.getMessages(10)).items.map(({ index, body }) => [index, body]);
      return JSON.stringify(now) === JSON.stringify([[0, "edited"], [2, "after"]]);
    });
  });
});
