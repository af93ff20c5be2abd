// Read horizons, unread counts and the notification level.

import assert from "node:assert/strict";
import { test } from "node:test";

import { collect, until } from "../server.mjs";
import { forEachVersion } from "../versions.mjs";

forEachVersion("reading", (context) => {
  const { fresh, conversation } = context;
  const rest = (sid) => context.backend.conversations(sid);
  const post = async (sid, count) => {
    for (let n = 0; n < count; n++) await rest(sid).messages.create({ body: `m${n}` });
  };

  test("a horizon moves, and is seen by everybody", async () => {
    const [ann, bob] = [fresh("ann"), fresh("bob")];
    const sid = await conversation({}, ann, bob);
    await post(sid, 6);
    const [client, talk] = await context.opened(ann, sid);
    const [, his] = await context.opened(bob, sid);
    const own = [];
    client.on("conversationUpdated", ({ updateReasons }) => own.push(...updateReasons));
    const seen = collect(his, "participantUpdated");
    assert.deepEqual([talk.lastReadMessageIndex, await talk.getUnreadMessagesCount()], [null, null]);
    assert.equal(await talk.updateLastReadMessageIndex(1), 4);
    await until("both heard", () => own.length >= 1 && seen.length >= 1);
    const participant = await his.getParticipantByIdentity(ann);
    const stored = await rest(sid).participants(ann).fetch();
    assert.deepEqual(
      [talk.lastReadMessageIndex, participant.lastReadMessageIndex, participant.lastReadTimestamp, seen[0].participant],
      [1, 1, new Date(stored.lastReadTimestamp), participant],
    );
    assert.deepEqual(seen[0].updateReasons.toSorted(), ["lastReadMessageIndex", "lastReadTimestamp"]);
    // Only forward with one call, anywhere with the other.
    assert.equal(await talk.advanceLastReadMessageIndex(3), 2);
    await until("it moved", () => talk.lastReadMessageIndex === 3);
    assert.equal(await talk.advanceLastReadMessageIndex(2), 2);
    assert.equal(await talk.updateLastReadMessageIndex(0), 5);
    await until("it moved back", () => talk.lastReadMessageIndex === 0);
    assert.equal(await talk.setAllMessagesRead(), 0);
    await until("it is at the end", () => talk.lastReadMessageIndex === 5);
    assert.equal(await talk.setAllMessagesUnread(), null);
    await until("there is none", () => talk.lastReadMessageIndex === null && participant.lastReadMessageIndex === null);
    assert.equal((await rest(sid).participants(ann).fetch()).lastReadMessageIndex, null);
    assert.equal(await talk.updateLastReadMessageIndex(4), 1);
    await until("both heard all", () => participant.lastReadMessageIndex === 4 && own.length >= 6 && seen.length >= 6);
    assert.deepEqual(own, Array(6).fill("lastReadMessageIndex"));
    assert.equal(seen.length, 6);
  });

  test("what is read already is told nobody", async () => {
    const [cid, dan] = [fresh("cid"), fresh("dan")];
    const sid = await conversation({}, cid, dan);
    await post(sid, 3);
    const [client, talk] = await context.opened(cid, sid);
    const [, his] = await context.opened(dan, sid);
    const [own, seen] = [collect(client, "conversationUpdated"), collect(his, "participantUpdated")];
    for (let n = 0; n < 5; n++) assert.equal(await talk.setAllMessagesRead(), 0);
    await until("the first was heard", () => own.length >= 1 && seen.length >= 1);
    await talk.setUserNotificationLevel("default");
    await talk.setUserNotificationLevel("muted");
    await talk.setUserNotificationLevel("muted");
    await until("the level was heard", () => own.length >= 2);
    assert.deepEqual(own.map(({ updateReasons }) => updateReasons), [["lastReadMessageIndex"], ["notificationLevel"]]);
    assert.deepEqual([talk.notificationLevel, seen.length], ["muted", 1]);
    await talk.setUserNotificationLevel("default");
    await until("it is loud again", () => talk.notificationLevel === "default");
  });

  test("REST and other devices move the same horizon", async () => {
    const eli = fresh("eli");
    const sid = await conversation({}, eli);
    await post(sid, 4);
    const [[, here], [, there]] = await Promise.all([context.opened(eli, sid), context.opened(eli, sid)]);
    await here.updateLastReadMessageIndex(1);
    await until("the other device knows", () => there.lastReadMessageIndex === 1);
    await rest(sid).participants(eli).update({ lastReadMessageIndex: 2 });
    await until("both know", () => here.lastReadMessageIndex === 2 && there.lastReadMessageIndex === 2);
    await context.backend.users(eli).userConversations(sid).update({ notificationLevel: "muted", lastReadMessageIndex: 3 });
    await until("all is known", () => [here, there].every((talk) =>
      talk.notificationLevel === "muted" && talk.lastReadMessageIndex === 3));
    assert.equal((await context.backend.users(eli).userConversations(sid).fetch()).unreadMessagesCount, 0);
  });

  test("counts what is unread", async () => {
    const [fay, gil] = [fresh("fay"), fresh("gil")];
    const sid = await conversation({}, fay, gil);
    const [, talk] = await context.opened(fay, sid);
    const [, his] = await context.opened(gil, sid);
    assert.equal(await his.setAllMessagesRead(), 0);
    assert.equal(his.lastReadMessageIndex, null);
    await post(sid, 2);
    assert.equal(await his.updateLastReadMessageIndex(0), 1);
    const last = await talk.sendMessage("mine");
    assert.equal(last, 2);
    // Counts are remembered by the SDK for half a second, under their address.
    await until("two are unread", async () => (await his.getUnreadMessagesCount()) === 2);
    await until("three are there", async () => (await his.getMessagesCount()) === 3);
    const [middle] = (await his.getMessages(1, 1, "forward")).items;
    await rest(sid).messages(middle.sid).remove();
    await until("one is unread", async () => (await his.getUnreadMessagesCount()) === 1);
    assert.equal(await his.getParticipantsCount(), 2);
    // A horizon behind the end is at the end.
    assert.equal(await his.updateLastReadMessageIndex(99), 0);
    await until("it is at the end", () => his.lastReadMessageIndex === 2);
  });
});
