// Who takes part: joining, leaving, adding and removing, by the SDK, by REST and by telephone; and what is heard of it.

import assert from "node:assert/strict";
import { test } from "node:test";

import { collect, until } from "../server.mjs";
import { forEachVersion, refusal } from "../versions.mjs";
import { wire } from "../wire.mjs";

let phones = 0;

forEachVersion("membership", (context) => {
  const { fresh, conversation } = context;
  const rest = (sid) => context.backend.conversations(sid);

  // A telephone that nobody else has.
  const phone = () => `+1555${String(Date.now()).slice(-5)}${String(++phones % 100).padStart(2, "0")}`;

  // What a client tells of its conversations, in order.
  function diary(client) {
    const told = [];
    for (const event of ["conversationAdded", "conversationJoined", "conversationLeft", "conversationRemoved"]) {
      client.on(event, ({ sid }) => told.push(`${event} ${sid}`));
    }
    return told;
  }

  // What a client tells of the people in its conversations.
  function roster(emitter) {
    const told = [];
    for (const event of ["participantJoined", "participantLeft"]) {
      emitter.on(event, ({ identity, type }) => told.push(`${event} ${identity ?? type}`));
    }
    return told;
  }

  test("whoever creates a conversation joins it, and leaves it", async () => {
    const ann = fresh("ann");
    const client = await context.client(ann);
    const told = diary(client);
    const talk = await client.createConversation({ friendlyName: "own" });
    assert.equal(await talk.join(), talk);
    await until("it was joined", () => talk.status === "joined");
    await context.open(talk);
    const [own] = await talk.getParticipants();
    assert.equal(own.identity, ann);
    assert.deepEqual(await refusal(talk.join()), [409, 50433]);
    assert.equal(await talk.leave(), talk);
    await until("it was left", () => told.length >= 4);
    const names = ["Added", "Joined", "Left", "Removed"];
    assert.deepEqual(told, names.map((what) => `conversation${what} ${talk.sid}`));
    assert.equal(talk.status, "notParticipating");
    assert.deepEqual(await rest(talk.sid).participants.list(), []);
    assert.deepEqual((await client.getSubscribedConversations()).items, []);
    // Leaving what was left already is nothing to the SDK; by REST it would be 404.
    assert.equal(await talk.leave(), talk);
    // And joins it again.
    await (await client.getConversationBySid(talk.sid)).join();
    await until("it was joined again", () => told.length >= 6);
    assert.deepEqual(told.slice(4), [`conversationAdded ${talk.sid}`, `conversationJoined ${talk.sid}`]);
  });

  test("people are added and removed by a client", async () => {
    const [bea, cid, dan] = [fresh("bea"), fresh("cid"), fresh("dan")];
    const client = await context.client(bea);
    const talk = await client.createConversation();
    await talk.join();
    await context.open(talk);
    const [told, fromClient] = [roster(talk), roster(client)];
    const cids = await context.client(cid);
    const hears = diary(cids);
    const added = await talk.add(cid, { role: "guest" });
    assert.deepEqual([added.identity, added.conversation_sid, added.messaging_binding], [cid, talk.sid, null]);
    assert.match(added.sid, /^MB[0-9a-f]{32}$/);
    await until("both heard", () => told.length >= 1 && hears.length >= 2);
    assert.deepEqual(hears, [`conversationAdded ${talk.sid}`, `conversationJoined ${talk.sid}`]);
    const found = await talk.getParticipantByIdentity(cid);
    assert.deepEqual([found.sid, found.attributes], [added.sid, { role: "guest" }]);
    assert.equal(await talk.getParticipantBySid(added.sid), found);
    await assert.rejects(talk.getParticipantByIdentity(dan));
    await assert.rejects(talk.getParticipantBySid("MB00000000000000000000000000000000"));
    assert.deepEqual(await refusal(talk.add(cid)), [409, 50433]);

    await talk.removeParticipant(cid);
    await until("the first left", () => told.length >= 2 && hears.length >= 4);
    assert.deepEqual(hears.slice(2), [`conversationLeft ${talk.sid}`, `conversationRemoved ${talk.sid}`]);
    assert.deepEqual(await refusal(talk.removeParticipant(cid)), [404, 20404]);
    // By its object, by its SID, by itself.
    for (const way of ["object", "sid", "itself"]) {
      await talk.add(dan);
      await until("dan is seen", () => told.at(-1) === `participantJoined ${dan}`);
      const participant = await talk.getParticipantByIdentity(dan);
      if (way === "object") await talk.removeParticipant(participant);
      else if (way === "sid") await talk.removeParticipant(participant.sid);
      else await participant.remove();
      await until("dan is gone", () => told.at(-1) === `participantLeft ${dan}`);
    }
    const expected = [cid, dan, dan, dan].flatMap((who) => [`participantJoined ${who}`, `participantLeft ${who}`]);
    assert.deepEqual([told, fromClient], [expected, expected]);
    assert.equal(await talk.getParticipantsCount(), 1);
  });

  test("an ordinary participant may leave by any way, and remove nobody else", async () => {
    const [eli, fay] = [fresh("eli"), fresh("fay")];
    const sid = await conversation({}, eli, fay);
    const [client, talk] = await context.opened(eli, sid);
    const told = diary(client);
    const others = await talk.getParticipantByIdentity(fay);
    assert.deepEqual(await refusal(talk.removeParticipant(fay)), [403, 50107, "removeParticipant"]);
    assert.deepEqual(await refusal(others.remove()), [403, 50107, "removeParticipant"]);
    assert.deepEqual(await refusal(talk.add(fresh("gil"))), [403, 50107, "addParticipant"]);
    assert.deepEqual(await refusal(talk.addNonChatParticipant("+15550100000", phone())), [
      403, 50107, "addNonChatParticipant",
    ]);
    assert.deepEqual(await refusal(talk.delete()), [403, 50107, "deleteConversation"]);
    // Removing oneself is leaving, whatever the call.
    await (await talk.getParticipantByIdentity(eli)).remove();
    await until("it was left", () => told.length >= 2);
    assert.deepEqual(told, [`conversationLeft ${sid}`, `conversationRemoved ${sid}`]);
    assert.deepEqual((await rest(sid).participants.list()).map(({ identity }) => identity), [fay]);
  });

  test("all devices of somebody hear the same", async () => {
    const pia = fresh("pia");
    const clients = await Promise.all([context.client(pia), context.client(pia)]);
    const told = clients.map(diary);
    const talk = await clients[0].createConversation();
    await talk.join();
    await until("both joined", () => told.every((list) => list.length >= 2));
    const there = await clients[1].getConversationBySid(talk.sid);
    await Promise.all([talk, there].map(context.open));
    await there.leave();
    await until("both left", () => told.every((list) => list.length >= 4));
    const all = ["Added", "Joined", "Left", "Removed"].map((what) => `conversation${what} ${talk.sid}`);
    assert.deepEqual(told, [all, all]);
  });

  test("who was away hears first what was left, then what is gone, and goes on with what was joined again", async () => {
    const quin = fresh("quin");
    const line = await wire(context.server.port);
    const twilsock = { uri: `ws://127.0.0.1:${line.port}/v3/wsconnect` };
    const deleted = await Promise.all([1, 2, 3, 4].map(() => conversation({}, quin)));
    const left = await conversation({}, quin);
    const rejoined = await conversation({}, quin);
    const client = await context.client(quin, { twilsock });
    for (const sid of [...deleted, left, rejoined]) await context.open(await client.getConversationBySid(sid));
    const [told, heard] = [diary(client), collect(client, "messageAdded")];
    line.cut();
    for (const sid of deleted) await rest(sid).remove();
    for (const sid of [left, rejoined]) await rest(sid).participants(quin).remove();
    await rest(rejoined).participants.create({ identity: quin });
    line.mend();
    await until("everything was told", () => told.length >= 2 * 5 + 4);
    const of = (sid) => told.filter((line) => line.endsWith(sid)).map((line) => line.split(" ")[0]);
    const farewell = ["conversationLeft", "conversationRemoved"];
    for (const sid of [...deleted, left]) assert.deepEqual(of(sid), farewell);
    assert.deepEqual(of(rejoined), [...farewell, "conversationAdded", "conversationJoined"]);
    const talk = await client.getConversationBySid(rejoined);
    await context.open(talk);
    await rest(rejoined).messages.create({ body: "still heard" });
    await until("it is heard", () => heard.length >= 1);
    assert.deepEqual(heard.map(({ body }) => body), ["still heard"]);
    line.close();
  });

  test("identities may hold any letters", async () => {
    const [owner, odd] = [fresh("o/w %2F?#&=+ ☂ ."), fresh("../x % 🙂")];
    const client = await context.client(owner);
    const talk = await client.createConversation();
    await talk.join();
    await context.open(talk);
    const told = roster(talk);
    const added = await talk.add(odd);
    assert.equal(added.identity, odd);
    await until("it was seen", () => told.length === 1);
    const seen = await talk.getParticipantByIdentity(odd);
    assert.equal((await seen.getUser()).identity, odd);
    await talk.removeParticipant(odd);
    await until("it is gone", () => told.length === 2);
    assert.deepEqual(told, [`participantJoined ${odd}`, `participantLeft ${odd}`]);
    await talk.leave();
    assert.deepEqual(await rest(talk.sid).participants.list(), []);
  });

  test("REST adds and removes people", async () => {
    const [hal, ida] = [fresh("hal"), fresh("ida")];
    const client = await context.client(hal);
    const told = diary(client);
    const sid = await conversation({}, hal);
    await until("it was joined", () => told.length >= 2);
    const talk = await context.open(await client.getConversationBySid(sid));
    const people = roster(talk);
    await rest(sid).participants.create({ identity: ida });
    await until("ida is seen", () => people.length >= 1);
    await rest(sid).participants(ida).remove();
    await until("ida is gone", () => people.length >= 2);
    assert.deepEqual(people, [`participantJoined ${ida}`, `participantLeft ${ida}`]);
    await rest(sid).participants(hal).remove();
    await until("it was left", () => told.length >= 4);
    assert.deepEqual(told, ["Added", "Joined", "Left", "Removed"].map((what) => `conversation${what} ${sid}`));
    // A user who is deleted leaves all conversations.
    const jan = fresh("jan");
    const user = await context.backend.users.create({ identity: jan });
    const second = await conversation({}, hal, jan);
    const [, other] = await context.opened(hal, second);
    const leaving = roster(other);
    await context.backend.users(user.sid).remove();
    await until("jan is gone", () => leaving.length >= 1);
    assert.deepEqual(leaving, [`participantLeft ${jan}`]);
  });

  test("people on telephones take part", async () => {
    const kim = fresh("kim");
    const client = await context.client(kim);
    const talk = await client.createConversation();
    await talk.join();
    await context.open(talk);
    const people = roster(talk);
    const number = phone();
    const added = await talk.addNonChatParticipant("+15550100000", number, { name: "Lea" });
    assert.deepEqual(added.messaging_binding, { type: "sms", address: number, proxy_address: "+15550100000" });
    assert.equal(added.identity, null);
    await until("the telephone is seen", () => people.length === 1);
    const seen = await talk.getParticipantBySid(added.sid);
    assert.deepEqual([seen.identity, seen.type, seen.attributes, seen.bindings], [null, "sms", { name: "Lea" }, {}]);
    await assert.rejects(seen.getUser());
    await talk.addNonChatParticipant("whatsapp:+15550100000", `whatsapp:${number}`);
    await until("the second is seen", () => people.length === 2);
    assert.deepEqual(people, ["participantJoined sms", "participantJoined whatsapp"]);
    // The same two numbers cannot be in two conversations.
    const other = await client.createConversation();
    await other.join();
    await context.open(other);
    assert.deepEqual(await refusal(other.addNonChatParticipant("+15550100000", number)), [409, 50416]);
    assert.deepEqual((await refusal(other.addNonChatParticipant("nonsense", "neither")))[0], 400);
    await talk.removeParticipant(added.sid);
    await until("the telephone left", () => people.length === 3);
    assert.equal(people[2], "participantLeft sms");
    await other.addNonChatParticipant("+15550100000", number);
  });

  test("a conversation that is deleted is gone for everybody, once", async () => {
    const [lea, max] = [fresh("lea"), fresh("max")];
    const client = await context.client(lea);
    const talk = await client.createConversation();
    await talk.join();
    await talk.add(max);
    const [other, his] = await context.opened(max, talk.sid);
    await context.open(talk);
    await until("it was joined", () => talk.status === "joined");
    const [hers, his_] = [diary(client), diary(other)];
    const removed = collect(his, "removed");
    assert.equal(await talk.delete(), talk);
    await until("both heard", () => hers.length >= 2 && his_.length >= 2 && removed.length >= 1);
    const gone = [`conversationLeft ${talk.sid}`, `conversationRemoved ${talk.sid}`];
    assert.deepEqual([hers, his_, removed], [gone, gone, [his]]);
    await assert.rejects(client.getConversationBySid(talk.sid));
    // The same by REST, and for somebody who only looked.
    const sid = await conversation({}, max);
    const [, second] = await context.opened(max, sid);
    const peeked = await client.peekConversationBySid(sid);
    const [forMember, forGuest] = [collect(second, "removed"), collect(peeked, "removed")];
    await rest(sid).remove();
    await until("both heard again", () => forMember.length >= 1 && forGuest.length >= 1);
    assert.deepEqual([forMember.length, forGuest.length], [1, 1]);
  });

  test("participants have all their fields, and change", async () => {
    const [nia, oto] = [fresh("nia"), fresh("oto")];
    const sid = await conversation({}, nia, oto);
    await rest(sid).messages.create({ body: "one" });
    await rest(sid).participants(oto).update({ attributes: '{"seat":1}', lastReadMessageIndex: 0 });
    const [client, talk] = await context.opened(nia, sid);
    const stored = await rest(sid).participants(oto).fetch();
    const him = await talk.getParticipantByIdentity(oto);
    assert.deepEqual(
      [context.watch(him).conversation, him.sid, him.identity, him.type, him.attributes, him.roleSid, him.bindings],
      [talk, stored.sid, oto, "chat", { seat: 1 }, stored.roleSid, {}],
    );
    assert.deepEqual([him.dateCreated, him.dateUpdated, him.isTyping], [stored.dateCreated, stored.dateUpdated, false]);
    assert.deepEqual([him.lastReadMessageIndex, him.lastReadTimestamp], [0, new Date(stored.lastReadTimestamp)]);
    const user = await him.getUser();
    assert.deepEqual([user.identity, user.isSubscribed], [oto, true]);

    const [own, onTalk, onClient] = [
      collect(him, "updated"), collect(talk, "participantUpdated"), collect(client, "participantUpdated"),
    ];
    const told = () => [own, onTalk, onClient].map((events) => events.length);
    const reasons = (at) => [own, onTalk, onClient].map((events) => {
      assert.equal(events[at].participant, him);
      return events[at].updateReasons.filter((why) => why !== "dateUpdated");
    });
    await rest(sid).participants(oto).update({ attributes: '{"seat":2}' });
    await until("the change was heard", () => told().every((count) => count === 1));
    assert.deepEqual([him.attributes, reasons(0)], [{ seat: 2 }, [["attributes"], ["attributes"], ["attributes"]]]);
    const role = (await context.backend.roles.list()).find(({ friendlyName }) => friendlyName === "channel admin");
    await rest(sid).participants(oto).update({ roleSid: role.sid });
    await until("the role was heard", () => told().every((count) => count === 2));
    assert.deepEqual([him.roleSid, reasons(1)[0]], [role.sid, ["roleSid"]]);
    await rest(sid).participants(oto).update({ lastReadMessageIndex: null });
    await until("the horizon was heard", () => told().every((count) => count === 3));
    // The SDK keeps the time of a horizon that is gone.
    assert.deepEqual([him.lastReadMessageIndex, reasons(2)[0]], [null, ["lastReadMessageIndex"]]);

    // What changes nothing is not told; what is told next shows it.
    const her = await talk.getParticipantByIdentity(nia);
    await rest(sid).participants(oto).update({ attributes: '{"seat":2}' });
    assert.equal(await her.updateAttributes({ mood: "good" }), her);
    await until("the own change was heard", () => onTalk.length === 4);
    assert.deepEqual([onTalk[3].participant, her.attributes], [her, { mood: "good" }]);
    assert.deepEqual(told(), [3, 4, 4]);
    assert.deepEqual(await refusal(him.updateAttributes({})), [403, 50107, "editAnyParticipantAttributes"]);
    assert.deepEqual(await refusal(her.updateAttributes("x".repeat(4096))), [400, 50303]);
  });
});
