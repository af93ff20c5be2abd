// Sending messages: every form of `sendMessage` and of the builder, and what others hear of it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { collect, until } from "../server.mjs";
import { forEachVersion } from "../versions.mjs";

forEachVersion("sending", (context) => {
  const { fresh } = context;

  // Two people who have both opened a conversation of theirs.
  const pair = async () => {
    const [ann, ben] = [fresh("ann"), fresh("ben")];
    const sid = await context.conversation({}, ann, ben);
    const [[client, hers], [, his]] = await Promise.all([context.opened(ann, sid), context.opened(ben, sid)]);
    return { ann, ben, sid, client, hers, his };
  };
  const single = async (talk, index) => (await talk.getMessages(1, index, "forward")).items[0];

  test("sends texts, and texts that are empty", async () => {
    const { ann, sid, hers, his } = await pair();
    const heard = collect(his, "messageAdded");
    assert.equal(await hers.sendMessage("héllo ☂"), 0);
    assert.equal(await hers.sendMessage(""), 1);
    assert.equal(await hers.sendMessage(null), 2);
    assert.equal(await hers.sendMessage("with a subject", { a: 1 }, { subject: "about it" }), 3);
    await until("all were heard", () => heard.length === 4);
    assert.deepEqual(heard.map(({ index, body }) => [index, body]), [
      [0, "héllo ☂"], [1, ""], [2, ""], [3, "with a subject"],
    ]);
    const me = (await hers.getParticipants()).find(({ identity }) => identity === ann);
    for (const message of heard) {
      assert.deepEqual([message.author, message.participantSid, message.type], [ann, me.sid, "text"]);
      assert.deepEqual([message.media, message.attachedMedia, message.contentSid], [null, [], null]);
      assert.deepEqual([message.lastUpdatedBy, message.aggregatedDeliveryReceipt], [null, null]);
      assert.equal(message.dateUpdated.getTime(), message.dateCreated.getTime());
      assert.ok(Math.abs(Date.now() - message.dateCreated) < 60_000);
      assert.equal(context.watch(message).conversation, his);
      assert.equal((await message.getParticipant()).identity, ann);
    }
    assert.deepEqual(heard.map(({ subject }) => subject), [null, null, null, "about it"]);
    const stored = await context.backend.conversations(sid).messages(heard[3].sid).fetch();
    assert.deepEqual([stored.index, stored.author, stored.attributes], [3, ann, '{"a":1}']);
  });

  test("keeps attributes of every kind of JSON", async () => {
    const { hers, his } = await pair();
    const heard = collect(his, "messageAdded");
    const kinds = [
      {}, { nested: { list: [1, "two", null, { three: true }] }, "☂ \u0000 \"": "\n" },
      [], [1, [2]], "text", "", 0, -1.5e-7, true, false, null,
    ];
    for (const attributes of kinds) await hers.sendMessage("x", attributes);
    await hers.sendMessage("x");
    await until("all were heard", () => heard.length === kinds.length + 1);
    assert.deepEqual(heard.map(({ attributes }) => attributes), [...kinds, {}]);
    // Read from the list, and not from an event.
    const [, again] = await context.opened((await his.getParticipants())[0].identity, his.sid);
    assert.deepEqual((await again.getMessages(50)).items.map(({ attributes }) => attributes), [...kinds, {}]);
  });

  test("sends files, and names them", async () => {
    const { ann, hers, his } = await pair();
    const heard = collect(his, "messageAdded");
    const files = [
      { contentType: "text/plain", filename: "a ☂ & b.txt", media: "short ☂" },
      { contentType: "application/octet-stream", filename: "bytes", media: Buffer.from([0, 255, 13, 10, 0]) },
      { contentType: "image/png", media: Buffer.from("no picture") },
    ];
    for (const [index, file] of files.entries()) {
      assert.equal(await hers.sendMessage(file, { index }, { subject: "is left out" }), index);
    }
    await until("all were heard", () => heard.length === files.length);
    for (const [index, message] of heard.entries()) {
      const { contentType, filename = null, media } = files[index];
      const size = Buffer.byteLength(media);
      assert.deepEqual([message.type, message.body, message.author, message.attributes], ["media", null, ann, { index }]);
      assert.equal(message.attachedMedia.length, 1);
      const [piece] = message.attachedMedia;
      assert.deepEqual([piece.sid, piece.filename, piece.contentType, piece.size, piece.category], [
        message.media.sid, filename, contentType, size, "media",
      ]);
      assert.match(piece.sid, /^ME[0-9a-f]{32}$/);
      const answer = await fetch(await piece.getContentTemporaryUrl());
      assert.equal(answer.headers.get("content-type"), contentType);
      assert.deepEqual(Buffer.from(await answer.arrayBuffer()), Buffer.from(media));
    }
  });

  test("builds messages of many parts", async () => {
    const { sid, hers, his } = await pair();
    const heard = collect(his, "messageAdded");
    const mail = (text) => ({ contentType: "text/html", filename: "mail.html", media: `<p>${text}</p>` });
    const builder = hers.prepareMessage().setBody("the text").setSubject("the subject").setAttributes({ b: [1] })
      .addMedia({ contentType: "text/plain", filename: "1.txt", media: "one" })
      .addMedia({ contentType: "text/plain", filename: "2.txt", media: Buffer.from("two") })
      .setEmailBody("text/html", mail("body"))
      .setEmailHistory("text/html", mail("history"))
      .setEmailHistory("text/plain", { contentType: "text/plain", filename: "h.txt", media: "plain history" });
    const unsent = context.watch(builder.build());
    assert.deepEqual([unsent.text, unsent.attributes, unsent.emailOptions.subject], ["the text", { b: [1] }, "the subject"]);
    assert.deepEqual(unsent.mediaContent.map(([category]) => category), ["media", "media", "body", "history", "history"]);
    assert.equal(await unsent.send(), 0);
    assert.equal(await hers.prepareMessage().setBody("and sent").buildAndSend(), 1);
    assert.equal(await hers.prepareMessage().build().send(), 2);
    await until("all were heard", () => heard.length === 3);

    const [message, second, empty] = heard;
    assert.deepEqual([message.body, message.subject, message.attributes, message.type], [
      "the text", "the subject", { b: [1] }, "media",
    ]);
    assert.deepEqual(message.attachedMedia.map(({ filename }) => filename), ["1.txt", "2.txt"]);
    assert.equal(message.media.filename, "1.txt");
    const content = async (piece) => (await fetch(await piece.getContentTemporaryUrl())).text();
    assert.equal(await content(message.getEmailBody("text/html")), "<p>body</p>");
    assert.equal(message.getEmailBody(), null);
    assert.equal(await content(message.getEmailHistory("text/html")), "<p>history</p>");
    assert.equal(await content(message.getEmailHistory()), "plain history");
    assert.deepEqual(message.getMediaByCategories(["body", "history"]).map(({ category }) => category), [
      "body", "history", "history",
    ]);
    assert.deepEqual(message.getMediaByCategory(["history"]).length, 2);
    assert.equal(await message.getContentData(), null);
    assert.deepEqual([second.body, second.type, second.attributes], ["and sent", "text", {}]);
    assert.deepEqual([empty.body, empty.type], [null, "text"]);
    const stored = await context.backend.conversations(sid).messages(message.sid).fetch();
    assert.deepEqual([stored.body, stored.media.length], ["the text", 5]);

    // What the SDK itself holds a message to comes from us.
    const many = hers.prepareMessage();
    for (let n = 0; n <= hers.limits.mediaAttachmentsCountLimit; n++) {
      many.addMedia({ contentType: "text/plain", media: "x" });
    }
    assert.throws(() => many.build(), /Too many media attachments/);
    assert.throws(() => hers.prepareMessage().setEmailBody("text/rtf", mail("x")).build(), /Unsupported email body/);
  });

  test("puts many messages at once in one order for all", async () => {
    const { ann, ben, sid, hers, his } = await pair();
    const { messages } = context.backend.conversations(sid);
    const [hersHears, hisHears] = [collect(hers, "messageAdded"), collect(his, "messageAdded")];
    const sends = [...Array(40).keys()].map((n) => (n % 2 ? hers : his).sendMessage(`m${n}`));
    const posts = [...Array(40).keys()].map((n) => messages.create({ author: "program", body: `p${n}` }));
    const [indexes, posted] = await Promise.all([Promise.all(sends), Promise.all(posts)]);
    const all = [...indexes, ...posted.map(({ index }) => index)];
    const inOrder = [...Array(80).keys()];
    assert.deepEqual(all.toSorted((a, b) => a - b), inOrder);
    await until("both heard all", () => hersHears.length >= 80 && hisHears.length >= 80);
    for (const heard of [hersHears, hisHears]) {
      assert.deepEqual(heard.map(({ index }) => index), inOrder);
      for (const [n, index] of indexes.entries()) {
        assert.deepEqual([heard[index].body, heard[index].author], [`m${n}`, n % 2 ? ann : ben]);
      }
      for (const { index, body } of posted) assert.equal(heard[index].body, body);
    }
    await until("the last is known", () => [hers, his].every(({ lastMessage }) => lastMessage.index === 79));
    assert.equal(await hers.getMessagesCount(), 80);
    assert.equal((await single(hers, 7)).index, 7);
  });

  test("tells what is unread, and what the last message is", async () => {
    const { ben, sid, client, hers, his } = await pair();
    const updates = collect(his, "updated");
    assert.equal(await his.getUnreadMessagesCount(), null);
    for (const body of ["a", "b", "c"]) await hers.sendMessage(body);
    await until("the last is known", () => his.lastMessage?.index === 2 && hers.lastMessage?.index === 2);
    assert.ok(updates.some(({ updateReasons }) => updateReasons.includes("lastMessage")));
    const [last] = (await his.getMessages(1)).items;
    assert.equal(his.lastMessage.dateCreated.getTime(), last.dateCreated.getTime());
    assert.equal(await his.updateLastReadMessageIndex(0), 2);
    await hers.sendMessage("d");
    await until("it is counted", async () => (await his.getUnreadMessagesCount()) === 3);
    // The own message counts as well.
    assert.equal(await his.sendMessage("e"), 4);
    await until("it is counted", async () => (await his.getUnreadMessagesCount()) === 4);

    // With the last one gone, the one before is the last; with all gone, there is none.
    const all = (await hers.getMessages(10)).items;
    await context.backend.conversations(sid).messages(all.pop().sid).remove();
    await until("the one before is the last", () => his.lastMessage?.index === 3);
    assert.equal(his.lastMessage.dateCreated.getTime(), all.at(-1).dateCreated.getTime());
    await context.backend.conversations(sid).messages(all.shift().sid).remove();
    for (const message of all) await message.remove();
    await until("there is none", () => his.lastMessage === undefined && hers.lastMessage === undefined);
    assert.deepEqual((await his.getMessages(10)).items, []);
    // An index is never given twice.
    assert.equal(await his.sendMessage("f"), 5);
    await until("it is the last", () => hers.lastMessage?.index === 5);
    const [, later] = await context.opened(ben, sid);
    assert.deepEqual([later.lastMessage.index, await later.getMessagesCount()], [5, 1]);
    assert.equal((await client.getConversationBySid(sid)).lastMessage.index, 5);
  });
});
