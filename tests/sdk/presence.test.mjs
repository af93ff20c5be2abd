// Who is online, as the unmodified web SDK sees it, in a service that has reachability switched on.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Server, collect, until } from "./server.mjs";

const limit = { timeout: 60_000 };
let server, backend;
before(async () => {
  server = await Server.start({ CONVOKE_GATEWAY_OFFLINE_AFTER_SECONDS: "2" });
  backend = server.backend();
  const { defaultChatServiceSid } = await backend.configuration().fetch();
  await backend.services(defaultChatServiceSid).configuration().update({ reachabilityEnabled: true });
});
after(() => server.stop());

// A user who has never been online, as somebody else sees it, and the reasons of all updates from now on.
async function watched(watcher, identity) {
  await backend.users.create({ identity });
  const user = await watcher.getUser(identity);
  assert.deepEqual([user.isOnline, user.isNotifiable], [null, null]);
  return [user, collect(user, "updated")];
}

const reasons = (updates) => updates.map(({ updateReasons }) => updateReasons);

test("shows who is online and notifiable, to others, to oneself and over REST", limit, async () => {
  const bob = await server.client("bob");
  const [alice, updates] = await watched(bob, "alice");
  const onClient = collect(bob, "userUpdated");
  assert.equal(bob.reachabilityEnabled, true);

  const client = await server.client("alice");
  await until("alice is seen online", () => alice.isOnline);
  await until("alice sees it, too", () => client.user.isOnline);
  const single = async () => {
    const { isOnline, isNotifiable } = await backend.users("alice").fetch();
    return [isOnline, isNotifiable];
  };
  assert.deepEqual(await single(), [true, false]);
  assert.deepEqual((await backend.users.list()).map(({ isOnline }) => isOnline).filter((shown) => shown !== null), []);

  await client.setPushRegistrationId("fcm", "device");
  await until("alice is seen notifiable", () => alice.isNotifiable);
  await client.unsetPushRegistrationId("fcm");
  await until("alice is seen as not notifiable", () => alice.isNotifiable === false);

  // A second client of the same user is no news, nor is that it leaves.
  const second = await server.client("alice");
  await second.getSubscribedConversations();
  await second.shutdown();
  await client.shutdown();
  await until("alice is seen offline", () => alice.isOnline === false);
  assert.deepEqual(await single(), [false, false]);
  assert.deepEqual(reasons(updates), [
    ["reachabilityOnline", "reachabilityNotifiable"],
    ["reachabilityNotifiable"],
    ["reachabilityNotifiable"],
    ["reachabilityOnline"],
  ]);
  assert.deepEqual(reasons(onClient.filter(({ user }) => user === alice)), reasons(updates));
  await bob.shutdown();
});

test("shows nobody as offline who comes back, also when the server was killed", limit, async () => {
  const eve = await server.client("eve");
  const [[fay, ofFay], [gil, ofGil]] = [await watched(eve, "fay"), await watched(eve, "gil")];
  const [stays, goes] = [await server.client("fay"), await server.client("gil")];
  await until("both are seen online", () => fay.isOnline && gil.isOnline);

  await server.kill();
  await goes.shutdown();
  await server.launch();
  await until("both are back", () => [eve, stays].every((client) => client.connectionState === "connected"));
  // It is found without the server that knew it.
  await until("gil is seen offline", () => gil.isOnline === false);
  assert.equal(fay.isOnline, true);
  assert.equal((await backend.users("fay").fetch()).isOnline, true);
  const online = ["reachabilityOnline", "reachabilityNotifiable"];
  assert.deepEqual(reasons(ofFay), [online]);
  assert.deepEqual(reasons(ofGil), [online, ["reachabilityOnline"]]);
  await Promise.all([eve.shutdown(), stays.shutdown()]);
});
