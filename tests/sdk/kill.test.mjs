// A server that is killed under load loses nothing that it acknowledged, and invents nothing.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { Server, accountSid, authToken, collect, until } from "./server.mjs";

let server;
before(async () => (server = await Server.start()));
after(() => server.stop());

test("SIGKILL under load", { timeout: 120_000 }, async () => {
  const backend = server.backend();
  const { sid } = await backend.conversations.create({});
  await backend.conversations(sid).participants.create({ identity: "alice" });
  const client = await server.client("alice");
  const talk = await client.getConversationBySid(sid);
  await talk.getMessages(1);
  const heard = collect(talk, "messageAdded");

  const acknowledged = new Map();
  let posting = true;
  const post = async (who) => {
    for (let n = 0; posting; n++) {
      const answer = await fetch(`${server.url}/v1/Conversations/${sid}/Messages`, {
        method: "POST",
        headers: { authorization: `Basic ${btoa(`${accountSid}:${authToken}`)}` },
        body: new URLSearchParams({ Author: who, Body: `${who} ${n}` }),
      }).catch(() => null);
      const message = answer?.status === 201 && (await answer.json().catch(() => null));
      if (message) acknowledged.set(message.sid, message);
      else await new Promise((resolve) => setTimeout(resolve, 20));
    }
  };
  const posters = [...Array(16).keys()].map((n) => post(`poster ${n}`));

  for (let round = 1; round <= 3; round++) {
    await until("some were acknowledged", () => acknowledged.size >= round * 300);
    await server.kill();
    await server.launch();
  }
  await until("some more were acknowledged", () => acknowledged.size >= 1200);
  posting = false;
  await Promise.all(posters);

  const stored = await backend.conversations(sid).messages.list({ pageSize: 100 });
  assert.deepEqual(stored.map((message) => message.index), [...stored.keys()], "indexes without gap or repeat");
  const bySid = new Map(stored.map((message) => [message.sid, message]));
  assert.equal(bySid.size, stored.length, "each is there once");
  for (const [sid, { index, body }] of acknowledged) {
    assert.deepEqual([bySid.get(sid)?.index, bySid.get(sid)?.body], [index, body], "what was acknowledged is stored");
  }
  assert.equal(new Set(stored.map((message) => message.body)).size, stored.length, "nothing was written twice");

  await until("the client heard all", () => heard.length >= stored.length);
  assert.deepEqual(heard.map((message) => message.sid), stored.map((message) => message.sid));
  await client.shutdown();
});
