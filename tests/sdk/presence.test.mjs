// Who is online, as each version of the unmodified web SDK sees it, in a service that has reachability switched on.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { sdks } from "./sdks.mjs";
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

// People of their own for each version, and their clients.
function people(version, sdk) {
  const named = (who) => `${who} with ${version}`;
  return { named, clientOf: (who) => server.client(named(who), server.port, {}, sdk) };
}

const reasons = (updates) => updates.map(({ updateReasons }) => updateReasons);

describe("shows who is online and notifiable, to others, to oneself and over REST", { concurrency: true }, () => {
  for (const version of sdks) test(version.version, limit, () => showsWhoIsOnline(version));
});

async function showsWhoIsOnline({ version, sdk }) {
  const { named, clientOf } = people(version, sdk);
  const bob = await clientOf("bob");
  const [alice, updates] = await watched(bob, named("alice"));
  const onClient = collect(bob, "userUpdated");
  assert.equal(bob.reachabilityEnabled, true);

  const client = await clientOf("alice");
  await until("alice is seen online", () => alice.isOnline);
  await until("alice sees it, too", () => client.user.isOnline);
  const single = async () => {
    const { isOnline, isNotifiable } = await backend.users(named("alice")).fetch();
    return [isOnline, isNotifiable];
  };
  assert.deepEqual(await single(), [true, false]);
  assert.deepEqual((await backend.users.list()).map(({ isOnline }) => isOnline).filter((shown) => shown !== null), []);

  await client.setPushRegistrationId("fcm", "device");
  await until("alice is seen notifiable", () => alice.isNotifiable);
  await client.unsetPushRegistrationId("fcm");
  await until("alice is seen as not notifiable", () => alice.isNotifiable === false);

  // A second client of the same user is no news, nor is that it leaves.
  await (await clientOf("alice")).shutdown();
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
}

test("shows nobody as offline who comes back, also when the server was killed", limit, async () => {
  // One server is killed for all versions.
  const all = await Promise.all(sdks.map(async ({ version, sdk }) => {
    const { named, clientOf } = people(version, sdk);
    const eve = await clientOf("eve");
    const [[fay, ofFay], [gil, ofGil]] = [await watched(eve, named("fay")), await watched(eve, named("gil"))];
    const [stays, goes] = [await clientOf("fay"), await clientOf("gil")];
    await until("both are seen online", () => fay.isOnline && gil.isOnline);
    return { named, eve, fay, ofFay, gil, ofGil, stays, goes };
  }));
  const clients = all.flatMap(({ eve, stays }) => [eve, stays]);

  await server.kill();
  await Promise.all(all.map(({ goes }) => goes.shutdown()));
  await server.launch();
  await until("all others are back", () => clients.every((client) => client.connectionState === "connected"));
  for (const { named, fay, ofFay, gil, ofGil } of all) {
    // It is found without the server that knew it.
    await until(`${named("gil")} is seen offline`, () => gil.isOnline === false);
    assert.equal(fay.isOnline, true);
    assert.equal((await backend.users(named("fay")).fetch()).isOnline, true);
    const online = ["reachabilityOnline", "reachabilityNotifiable"];
    assert.deepEqual(reasons(ofFay), [online]);
    assert.deepEqual(reasons(ofGil), [online, ["reachabilityOnline"]]);
  }
  await Promise.all(clients.map((client) => client.shutdown()));
});
