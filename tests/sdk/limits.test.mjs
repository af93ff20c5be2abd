// Clients that there is no room for: they come back by themselves once there is, whichever limit sent them away.

import assert from "node:assert/strict";
import { after, describe, test } from "node:test";

import { sdks } from "./sdks.mjs";
import { Server, collect, until } from "./server.mjs";
import { wire } from "./wire.mjs";

const limit = { timeout: 120_000 };
const clean = [];
after(async () => {
  for (const stop of clean.reverse()) await stop();
});

async function started(settings) {
  const server = await Server.start(settings);
  clean.push(() => server.stop());
  return server;
}

// For each version a client that waits to be let in; what it was refused with, and when it is in.
const waiting = (server, identity) => sdks.map(({ version, sdk }) => {
  const client = server.newClient(server.token(identity(version)), server.port, sdk);
  const refusals = collect(client, "connectionError");
  return { version, client, refusals, begun: new Promise((resolve) => client.once("initialized", resolve)) };
});

const codes = (refusals) => refusals.map(({ httpStatusCode, errorCode }) => [httpStatusCode, errorCode]);

// Refused with nothing but this; and seldom, for it was told when to come again.
function refusedWith(refusals, code, what) {
  assert.deepEqual(codes(refusals), refusals.map(() => [429, code]), what);
  assert.ok(refusals.length >= 1 && refusals.length <= 4, `${what}: ${refusals.length} times`);
}

// Ends clients when what they read at their start is there; before, they would have rejections of their own.
const leave = (clients) => Promise.all(clients.map(async (client) => {
  await client.getSubscribedConversations();
  await client.shutdown();
}));

describe("comes back by itself", { concurrency: true }, () => {
  test("when others of its user have left", limit, async () => {
    const server = await started({ CONVOKE_GATEWAY_MAX_SOCKETS_PER_USER: "1" });
    const first = await Promise.all(sdks.map(({ version, sdk }) => server.client(version, server.port, {}, sdk)));
    const late = waiting(server, (version) => version);
    await until("all are refused", () => late.every(({ refusals }) => refusals.length > 0));
    await leave(first);
    await Promise.all(late.map(({ begun }) => begun));
    for (const { version, client, refusals } of late) {
      refusedWith(refusals, 51001, version);
      assert.equal(client.user.identity, version);
    }
    await leave(late.map(({ client }) => client));
  });

  test("when others of its account have left, and has missed nothing", limit, async () => {
    const server = await started({ CONVOKE_GATEWAY_MAX_SOCKETS_PER_ACCOUNT: String(sdks.length) });
    const rest = server.backend();
    const { sid } = await rest.conversations.create({});
    const line = await wire(server.port);
    clean.push(() => line.close());
    const members = await Promise.all(sdks.map(async ({ version, sdk }) => {
      await rest.conversations(sid).participants.create({ identity: version });
      const client = await server.client(version, line.port, {}, sdk);
      const talk = await client.getConversationBySid(sid);
      await talk.getMessages(1);
      return { version, client, heard: collect(talk, "messageAdded"), refusals: collect(client, "connectionError") };
    }));
    line.cut();
    await until("their places are free", async () => {
      const metrics = await (await fetch(`${server.url}/metrics`)).text();
      return /^convoke_sockets 0$/m.test(metrics);
    });
    const others = await Promise.all(sdks.map(({ version, sdk }) => server.client(`not ${version}`, server.port, {}, sdk)));
    line.mend();
    const refused = ({ refusals }) => refusals.filter(({ httpStatusCode }) => httpStatusCode === 429);
    await until("all are refused", () => members.every((member) => refused(member).length > 0));
    await rest.conversations(sid).messages.create({ body: "meanwhile" });
    await leave(others);
    for (const member of members) {
      await until(`${member.version} heard it`, () => member.heard.length > 0);
      assert.deepEqual(member.heard.map(({ body }) => body), ["meanwhile"]);
      refusedWith(refused(member), 51124, member.version);
    }
    await leave(members.map(({ client }) => client));
  });

  test("when it comes with too many others at once", limit, async () => {
    const server = await started({ CONVOKE_GATEWAY_MAX_NEW_SOCKETS_PER_ACCOUNT: "1" });
    const all = [1, 2].flatMap((n) => waiting(server, (version) => `${version} ${n}`));
    await Promise.all(all.map(({ begun }) => begun));
    // One a second is let in.
    assert.ok(all.some(({ refusals }) => refusals.length > 0));
    for (const { version, refusals } of all) if (refusals.length > 0) refusedWith(refusals, 51201, version);
    await leave(all.map(({ client }) => client));
  });

  test("when others of its node have left", limit, async () => {
    const server = await started({ CONVOKE_GATEWAY_MAX_SOCKETS: String(sdks.length) });
    const first = await Promise.all(sdks.map(({ version, sdk }) => server.client(version, server.port, {}, sdk)));
    const late = waiting(server, (version) => version);
    await until("all are refused", () => late.every(({ refusals }) => refusals.length > 0));
    await leave(first);
    await Promise.all(late.map(({ begun }) => begun));
    for (const { version, refusals } of late) {
      // Before they could say who they are.
      assert.ok(refusals.every(({ terminal, message }) => !terminal && message.includes("503")), version);
    }
    await leave(late.map(({ client }) => client));
  });
});
