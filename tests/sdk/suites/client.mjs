// The client itself: starting, its state, its token, its lists.

import assert from "node:assert/strict";
import { test } from "node:test";

import { collect, until } from "../server.mjs";
import { forEachVersion } from "../versions.mjs";

forEachVersion("client", (context) => {
  const { version, sdk, fresh } = context;

  test("starts, and says what it is", async () => {
    const ann = fresh("ann");
    const client = context.connect(context.server.token(ann));
    const [states, connection, initialized] = [
      collect(client, "stateChanged"), collect(client, "connectionStateChanged"), collect(client, "initialized"),
    ];
    await until("it is initialized", () => initialized.length === 1 && states.length === 1);
    assert.deepEqual(states, ["initialized"]);
    assert.ok(connection.includes("connected"), connection.join());
    const seen = context.watch(client);
    assert.deepEqual([seen.version, sdk.Client.version, seen.connectionState], [version, version, "connected"]);
    assert.deepEqual([client.user.identity, client.reachabilityEnabled], [ann, false]);
    assert.deepEqual((await client.getSubscribedConversations()).items, []);
  });
});
