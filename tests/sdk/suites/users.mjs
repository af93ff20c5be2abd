// Users: their fields, who may change them, who hears of it. (Reachability is a suite of its own.)

import assert from "node:assert/strict";
import { test } from "node:test";

import { collect, until } from "../server.mjs";
import { forEachVersion, refusal } from "../versions.mjs";

forEachVersion("users", (context) => {
  const { fresh, conversation } = context;
  const users = () => context.backend.users;

  test("the own user has its fields, and changes them", async () => {
    const ann = fresh("ann");
    const { sid } = await users().create({ identity: ann, friendlyName: "Ann", attributes: '{"n":1}' });
    const client = await context.client(ann);
    const me = client.user;
    assert.deepEqual([me.identity, me.friendlyName, me.attributes], [ann, "Ann", { n: 1 }]);
    assert.deepEqual([me.isOnline, me.isNotifiable, me.isSubscribed], [null, null, true]);
    const [own, onClient] = [collect(me, "updated"), collect(client, "userUpdated")];
    assert.equal(await me.updateFriendlyName("Anna"), me);
    await until("the name was heard", () => own.length >= 1 && onClient.length >= 1);
    assert.equal(await me.updateAttributes({ n: 2, list: [true, null] }), me);
    await until("the attributes were heard", () => own.length >= 2 && onClient.length >= 2);
    assert.deepEqual([me.friendlyName, me.attributes], ["Anna", { n: 2, list: [true, null] }]);
    const stored = await users()(sid).fetch();
    assert.deepEqual([stored.friendlyName, JSON.parse(stored.attributes)], ["Anna", { n: 2, list: [true, null] }]);
    // What changes nothing is told nobody.
    await me.updateFriendlyName("Anna");
    await me.updateAttributes({ n: 2, list: [true, null] });
    await users()(sid).update({ friendlyName: "by REST" });
    await until("REST was heard", () => own.length >= 3 && onClient.length >= 3);
    for (const events of [own, onClient]) {
      assert.deepEqual(events.map(({ updateReasons }) => updateReasons), [["friendlyName"], ["attributes"], ["friendlyName"]]);
      assert.ok(events.every(({ user }) => user === me));
    }
    assert.deepEqual(await refusal(me.updateFriendlyName("x".repeat(257))), [400, 50003]);
    assert.deepEqual(await refusal(me.updateAttributes("x".repeat(16384))), [400, 50303]);
  });

  test("the own user is subscribed to with the start", async () => {
    const ida = fresh("ida");
    const client = context.connect(context.server.token(ida));
    const [own, onClient] = [collect(client.user, "userSubscribed"), collect(client, "userSubscribed")];
    await until("it was told", () => own.length >= 1 && onClient.length >= 1);
    assert.deepEqual([own, onClient, client.user.identity], [[client.user], [client.user], ida]);
    await client.getSubscribedConversations();
  });

  test("whoever is met for the first time is a user with empty fields", async () => {
    const bea = fresh("bea @ home / ☂");
    const client = await context.client(bea);
    assert.deepEqual([client.user.identity, client.user.friendlyName, client.user.attributes], [bea, null, {}]);
    await client.user.updateFriendlyName("Bea");
    await until("the name was heard", () => client.user.friendlyName === "Bea");
    const again = await context.client(bea);
    assert.equal(again.user.friendlyName, "Bea");
    assert.ok((await users().list()).some(({ identity, friendlyName }) => identity === bea && friendlyName === "Bea"));
  });

  test("others are subscribed to, heard of, and let go", async () => {
    const [cid, dan] = [fresh("cid"), fresh("dan / 100% ☂")];
    const sid = await conversation({}, cid, dan);
    await context.client(dan);
    const [client, talk] = await context.opened(cid, sid);
    const [subscribed, unsubscribed, updated] = ["userSubscribed", "userUnsubscribed", "userUpdated"]
      .map((event) => collect(client, event));
    const him = await client.getUser(dan);
    await until("he was subscribed to", () => subscribed.includes(him));
    assert.deepEqual([him.identity, him.friendlyName, him.attributes, him.isSubscribed], [dan, null, {}, true]);
    assert.equal(await client.getUser(dan), him);
    assert.equal(await (await talk.getParticipantByIdentity(dan)).getUser(), him);
    const known = await client.getSubscribedUsers();
    assert.ok(known.includes(him), known.map(({ identity }) => identity).join());

    const own = collect(him, "updated");
    const his = await context.client(dan);
    await his.user.updateFriendlyName("Dan");
    await until("his name was heard", () => own.length >= 1);
    await his.user.updateAttributes({ mood: "good" });
    await until("his mood was heard", () => own.length >= 2);
    assert.deepEqual([him.friendlyName, him.attributes], ["Dan", { mood: "good" }]);
    const told = updated.filter(({ user }) => user === him).slice(-2);
    for (const events of [own, told]) {
      assert.deepEqual(events.map(({ updateReasons }) => updateReasons), [["friendlyName"], ["attributes"]]);
    }
    assert.deepEqual(await refusal(him.updateFriendlyName("D.")), [403, 50107, "editAnyUserInfo"]);
    assert.deepEqual(await refusal(him.updateAttributes({})), [403, 50107, "editAnyUserInfo"]);

    const [subscribedAgain, left] = [collect(him, "userSubscribed"), collect(him, "userUnsubscribed")];
    await him.unsubscribe();
    await until("he was let go", () => unsubscribed.includes(him) && left.length === 1);
    assert.equal(him.isSubscribed, false);
    assert.ok(!(await client.getSubscribedUsers()).includes(him));
    // Asked for again, the user is followed anew.
    const again = await client.getUser(dan);
    const heard = collect(again, "updated");
    await his.user.updateFriendlyName("Daniel");
    await until("his new name was heard", () => again.friendlyName === "Daniel" && heard.length >= 1);
    assert.deepEqual([again.isSubscribed, subscribedAgain.length], [true, again === him ? 1 : 0]);
  });

  test("nobody is found who was never met", async () => {
    const client = await context.client(fresh("eli"));
    assert.deepEqual(await refusal(client.getUser(fresh("nobody"))), [404, 20404]);
  });

  test("more users than the client follows at once are let go, first in, first out", async () => {
    const fay = fresh("fay");
    const others = ["a", "b", "c", "d"].map(fresh);
    for (const identity of others) await users().create({ identity });
    const client = await context.client(fay, { userInfosToSubscribeOverride: 3 });
    const unsubscribed = collect(client, "userUnsubscribed");
    for (const identity of others) await client.getUser(identity);
    await until("the first was let go", () => unsubscribed.length >= 1);
    assert.equal(unsubscribed[0].identity, others[0]);
    const known = (await client.getSubscribedUsers()).map(({ identity }) => identity);
    assert.ok(others.slice(1).every((identity) => known.includes(identity)), known.join());
  });

  test("an administrator may change others", async () => {
    const [gil, hal] = [fresh("gil"), fresh("hal")];
    const role = (await context.backend.roles.list()).find(({ friendlyName }) => friendlyName === "service admin");
    await users().create({ identity: gil, roleSid: role.sid });
    await users().create({ identity: hal });
    const client = await context.client(gil);
    const him = await client.getUser(hal);
    const heard = collect(him, "updated");
    await him.updateFriendlyName("Hal");
    await until("it was heard", () => heard.length >= 1);
    assert.deepEqual([him.friendlyName, (await users()(hal).fetch()).friendlyName], ["Hal", "Hal"]);
  });

  test("whoever is deleted is shown out, and begins anew", async () => {
    const ira = fresh("ira");
    const talks = [await conversation({}, ira)];
    const [client] = await context.opened(ira, talks[0]);
    const joined = collect(client, "conversationJoined");
    talks.push(await conversation({}, ira));
    await until("the second was joined", () => joined.some((talk) => talk.sid === talks[1]));
    await context.open(await client.getConversationBySid(talks[1]));
    const [errors, left, removed] = ["connectionError", "conversationLeft", "conversationRemoved"]
      .map((event) => collect(client, event));
    const denials = () => errors.map((error) => [error.terminal, error.httpStatusCode, error.errorCode]);
    await users()(ira).remove();
    await until("the client is denied", () => client.connectionState === "denied" && errors.length >= 1);
    assert.deepEqual(denials(), [[true, 403, 20403]]);
    for (const gone of [left, removed]) assert.deepEqual(gone.map((talk) => talk.sid).sort(), talks.sort());
    // Nobody came to be by that, and the client stays that of the old user, whatever the identity means by now.
    await assert.rejects(users()(ira).fetch(), { status: 404 });
    const sid = await conversation({}, ira);
    await assert.rejects(client.updateToken(context.server.token(ira, { ttl: 1800 })));
    await until("it is denied again", () => client.connectionState === "denied" && errors.length >= 2);
    assert.deepEqual(denials(), Array(2).fill([true, 403, 20403]));
    const [again, talk] = await context.opened(ira, sid);
    assert.deepEqual((await again.getSubscribedConversations()).items, [talk]);
    const heard = collect(talk, "messageAdded");
    await context.backend.conversations(sid).messages.create({ body: "hello" });
    await until("the new client heard", () => heard.length === 1);
  });

  test("whoever is deleted in the middle of the start is shown out, too", async () => {
    const jon = fresh("jon");
    const client = await context.client(jon);
    // What belongs to the user was read, and is about to be followed.
    await users()(jon).remove();
    await until("the client is denied", () => client.connectionState === "denied");
    await assert.rejects(users()(jon).fetch(), { status: 404 });
  });
});
