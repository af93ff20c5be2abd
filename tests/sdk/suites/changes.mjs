// What changes in a conversation itself, whoever changes it, and what is heard of it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { collect, until } from "../server.mjs";
import { forEachVersion, refusal } from "../versions.mjs";

forEachVersion("changes of a conversation", (context) => {
  const { fresh, conversation } = context;
  const rest = (sid) => context.backend.conversations(sid);

  // The reasons of everything a conversation tells, without the date that goes with them.
  function reasons(emitter, event = "updated") {
    const told = [];
    emitter.on(event, ({ updateReasons }) => {
      const named = updateReasons.filter((why) => why !== "dateUpdated");
      if (named.length > 0) told.push(named.toSorted().join());
    });
    return told;
  }

  // A conversation of somebody who may change it, and of somebody who listens.
  async function pair() {
    const [her, him] = [fresh("ann"), fresh("bob")];
    const client = await context.client(her);
    const made = await client.createConversation({ friendlyName: "one", attributes: { n: 1 } });
    await made.join();
    await made.add(him);
    const [other, his] = await context.opened(him, made.sid);
    await context.open(made);
    return { client, made, other, his };
  }

  test("name, unique name and attributes, by the SDK", async () => {
    const { client, made, other, his } = await pair();
    const told = [reasons(made), reasons(his), reasons(client, "conversationUpdated"), reasons(other, "conversationUpdated")];
    const all = (count) => until(`all heard ${count}`, () => told.every((list) => list.length >= count));
    assert.equal(await made.updateFriendlyName("two"), made);
    await all(1);
    assert.deepEqual([made.friendlyName, his.friendlyName], ["two", "two"]);
    const name = fresh("☂/%");
    assert.equal(await made.updateUniqueName(name), made);
    await all(2);
    assert.deepEqual([made.uniqueName, his.uniqueName], [name, name]);
    assert.equal(await made.updateAttributes({ n: 2, deep: [{ a: null }] }), made);
    await all(3);
    assert.deepEqual(his.attributes, { n: 2, deep: [{ a: null }] });
    // What changes nothing is answered, and told nobody.
    await made.updateFriendlyName("two");
    await made.updateUniqueName(name);
    await made.updateAttributes({ n: 2, deep: [{ a: null }] });
    await made.updateUniqueName(null);
    await all(4);
    assert.equal(his.uniqueName, null);
    const expected = ["friendlyName", "uniqueName", "attributes", "uniqueName"];
    assert.deepEqual(told, [expected, expected, expected, expected]);
    const stored = await rest(made.sid).fetch();
    assert.deepEqual([stored.friendlyName, stored.uniqueName, stored.dateUpdated], ["two", null, his.dateUpdated]);
  });

  test("what is refused changes nothing", async () => {
    const { made, other, his } = await pair();
    const taken = fresh("taken");
    await conversation({ uniqueName: taken });
    const told = reasons(his);
    assert.deepEqual(await refusal(made.updateUniqueName(taken)), [409, 50353]);
    assert.deepEqual(await refusal(made.updateFriendlyName("x".repeat(257))), [400, 50003]);
    assert.deepEqual(await refusal(made.updateAttributes("x".repeat(16384))), [400, 50303]);
    assert.deepEqual(await refusal(his.updateFriendlyName("his")), [403, 50107, "editConversationName"]);
    assert.deepEqual(await refusal(his.updateUniqueName("his")), [403, 50107, "editConversationName"]);
    assert.deepEqual(await refusal(his.updateAttributes({})), [403, 50107, "editConversationAttributes"]);
    // Whoever only looks at a conversation takes no part in it.
    const guest = await (await context.client(fresh("guest"))).peekConversationBySid(made.sid);
    assert.deepEqual(await refusal(guest.updateFriendlyName("mine")), [403, 50430]);
    assert.deepEqual(await refusal(guest.sendMessage("hello")), [403, 50430]);
    assert.deepEqual(await refusal(guest.typing()), [403, 50430]);
    assert.deepEqual(await refusal(guest.setUserNotificationLevel("muted")), [403, 50430]);
    assert.deepEqual(await refusal(guest.updateLastReadMessageIndex(0)), [403, 50430]);
    await made.updateFriendlyName("last");
    await until("the change was heard", () => told.length >= 1);
    assert.deepEqual([told, other.connectionState], [["friendlyName"], "connected"]);
  });

  test("everything at once, by REST", async () => {
    const cid = fresh("cid");
    const sid = await conversation({}, cid);
    const [client, talk] = await context.opened(cid, sid);
    const [told, onClient] = [collect(talk, "updated"), collect(client, "conversationUpdated")];
    const [uniqueName, dateCreated] = [fresh("room"), new Date("2020-01-02T03:04:05Z")];
    await rest(sid).update({ friendlyName: "by REST", uniqueName, attributes: '{"by":"REST"}', dateCreated });
    await until("it was heard", () => told.length >= 1 && onClient.length >= 1);
    const kinds = ["attributes", "dateCreated", "friendlyName", "uniqueName"];
    for (const [event] of [told, onClient]) {
      assert.equal(event.conversation, talk);
      assert.deepEqual(event.updateReasons.filter((why) => why !== "dateUpdated").toSorted(), kinds);
    }
    assert.deepEqual([talk.friendlyName, talk.uniqueName, talk.attributes, talk.dateCreated], [
      "by REST", uniqueName, { by: "REST" }, dateCreated,
    ]);
    await rest(sid).update({ friendlyName: "by REST" });
    await rest(sid).update({ "bindings.email.name": "Talk", "bindings.email.address": `${fresh("t")}@example.com` });
    await until("the binding was heard", () => told.length >= 2);
    assert.deepEqual([told[1].updateReasons.includes("bindings"), talk.bindings.email.name], [true, "Talk"]);
    assert.equal(told.length, 2);
  });

  test("messages move the last message, and nothing else", async () => {
    const dan = fresh("dan");
    const sid = await conversation({}, dan);
    const [, talk] = await context.opened(dan, sid);
    assert.equal(talk.lastMessage, undefined);
    const told = reasons(talk);
    const first = await rest(sid).messages.create({ body: "one" });
    await until("one was heard", () => talk.lastMessage?.index === 0);
    assert.ok(Math.abs(talk.lastMessage.dateCreated - first.dateCreated) < 1000);
    const second = await rest(sid).messages.create({ body: "two" });
    await until("two was heard", () => talk.lastMessage.index === 1);
    await rest(sid).messages(second.sid).update({ body: "2" });
    await rest(sid).messages(second.sid).remove();
    await until("one is the last again", () => talk.lastMessage.index === 0);
    await rest(sid).messages(first.sid).remove();
    await until("there is none", () => talk.lastMessage === undefined);
    assert.deepEqual(told, ["lastMessage", "lastMessage", "lastMessage", "lastMessage"]);
  });

  test("states, and waking up", async () => {
    const eli = fresh("eli");
    const sid = await conversation({}, eli);
    const [, talk] = await context.opened(eli, sid);
    const told = reasons(talk);
    const before = talk.state.dateUpdated;
    await rest(sid).update({ state: "inactive" });
    await until("it is inactive", () => talk.state.current === "inactive");
    assert.ok(talk.state.dateUpdated >= before);
    await talk.sendMessage("wake up");
    await until("it is active", () => talk.state.current === "active" && talk.lastMessage?.index === 0);
    assert.deepEqual(told.flatMap((why) => why.split(",")).toSorted(), ["lastMessage", "state", "state"]);
  });

  test("a closed conversation can be read, and left, and nothing else", async () => {
    const [fay, gil] = [fresh("fay"), fresh("gil")];
    const client = await context.client(fay);
    const made = await client.createConversation({ friendlyName: "closing" });
    await made.join();
    await made.add(gil);
    const index = await made.sendMessage("last words");
    await rest(made.sid).update({ state: "closed" });
    await until("it is closed", () => made.state?.current === "closed");
    const message = (await made.getMessages()).items[index];
    const own = await made.getParticipantByIdentity(fay);
    for (const [what, call] of Object.entries({
      send: () => made.sendMessage("late"),
      edit: () => message.updateBody("other words"),
      redescribeMessage: () => message.updateAttributes({}),
      rename: () => made.updateFriendlyName("open"),
      uniqueName: () => made.updateUniqueName(fresh("open")),
      attributes: () => made.updateAttributes({ x: 1 }),
      add: () => made.add(fresh("late")),
      telephone: () => made.addNonChatParticipant("+15550100000", "+15550100001"),
      participant: () => own.updateAttributes({ x: 1 }),
      level: () => made.setUserNotificationLevel("muted"),
      horizon: () => made.setAllMessagesRead(),
      typing: () => made.typing(),
    })) {
      assert.deepEqual(await refusal(call()), [400, 50377], what);
    }
    // It is in the lists, and readable, also for those who come later.
    const other = await context.client(gil);
    assert.deepEqual((await other.getSubscribedConversations()).items.map(({ sid }) => sid), [made.sid]);
    const his = await other.getConversationBySid(made.sid);
    assert.deepEqual([his.state.current, (await his.getMessages()).items.map(({ body }) => body)], ["closed", ["last words"]]);
    assert.equal((await his.getParticipants()).length, 2);
    const left = collect(other, "conversationLeft");
    await his.leave();
    await until("it was left", () => left.length === 1);
    await made.delete();
    await assert.rejects(client.peekConversationBySid(made.sid));
  });
});
