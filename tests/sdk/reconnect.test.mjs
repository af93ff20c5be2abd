// Whatever is cut, killed or stopped while people write: in the end each client holds exactly what REST says, and has
// heard of each thing once. Each of the people uses another version of the SDK.

import assert from "node:assert/strict";
import { after, test } from "node:test";

import { Cluster } from "./cluster.mjs";
import { sdks } from "./sdks.mjs";
import { Server, collect, until } from "./server.mjs";
import { wire } from "./wire.mjs";

const limit = { timeout: 180_000 };
const clean = [];
after(async () => {
  for (const stop of clean.reverse()) await stop();
});

async function started(what) {
  const running = await what;
  clean.push(() => running.stop());
  return running;
}

// People who write in one conversation and listen, while a backend changes it; each through a port of its own.
class Crowd {
  writing = true;
  // The sends that were answered, and those whose fate the writers do not know.
  acknowledged = [];
  unanswered = [];

  // `backend` is asked for each call: nodes come and go.
  static async gather(server, backend, ports) {
    const crowd = new Crowd();
    crowd.backend = backend;
    const { sid } = await (await backend()).conversations.create({ friendlyName: "name" });
    crowd.sid = sid;
    const names = ports.map((_, n) => `writer ${n} with ${sdks[n % sdks.length].version}`);
    for (const identity of names) await (await crowd.rest()).participants.create({ identity });
    crowd.members = await Promise.all(ports.map(async (port, n) => {
      const client = await server.client(names[n], port, {}, sdks[n % sdks.length].sdk);
      const talk = await client.getConversationBySid(sid);
      await talk.getMessages(1);
      await talk.getParticipants();
      const [heard, joined] = [collect(talk, "messageAdded"), collect(talk, "participantJoined")];
      return { name: names[n], client, talk, heard, joined };
    }));
    crowd.work = Promise.all([...crowd.members.map((member) => crowd.write(member)), crowd.change()]);
    // A failure is told where the work is awaited.
    crowd.work.catch(() => {});
    return crowd;
  }

  async rest() {
    return (await this.backend()).conversations(this.sid);
  }

  // Sends one message after the other. One whose answer was lost is sent again, though it may have been stored.
  async write({ name, talk }) {
    for (let n = 0; this.writing; n++) {
      for (let attempt = 0; ; attempt++) {
        const mark = { writer: name, n, attempt };
        const index = await talk.sendMessage(`${name} ${n}`, mark).catch((error) => {
          // A refusal has a status; a lost connection has not.
          if (error.status) throw error;
          return null;
        });
        if (index !== null) {
          this.acknowledged.push({ ...mark, index });
          break;
        }
        this.unanswered.push(mark);
      }
    }
  }

  // Brings guests in, renames the conversation and edits a message, as fast as the first of the people hears of it.
  async change() {
    for (let n = 0; this.writing; n++) {
      await this.insist((rest) => rest.participants.create({ identity: `guest ${n}` }));
      await this.insist((rest) => rest.update({ friendlyName: `name ${n}`, attributes: `{"n":${n}}` }));
      const last = await this.insist((rest) => rest.messages.list({ order: "desc", limit: 1 }));
      if (last?.[0]) await this.insist((rest) => rest.messages(last[0].sid).update({ body: `edited ${n}` }));
      await until("the guest was seen", () => this.members[0].joined.length > n);
    }
  }

  // Calls until there is an answer; a conflict says that it was done before.
  async insist(call) {
    return until("the backend is answered", async () => {
      try {
        return (await call(await this.rest())) ?? true;
      } catch (error) {
        if (error.status === 409) return true;
        if (error.status && error.status < 500) throw error;
        return null;
      }
    });
  }

  // Waits until everybody has heard so many more messages.
  async goesOn(count) {
    const wanted = this.members.map(({ heard }) => heard.length + count);
    await Promise.race([
      until("everybody heard more", () => this.members.every(({ heard }, n) => heard.length >= wanted[n])),
      // Fails if somebody's work does.
      this.work.then(() => assert.fail("the work ended")),
    ]);
  }

  // Ends the work, and compares what everybody has with what REST says.
  async settle() {
    this.writing = false;
    await this.work;
    const rest = await this.rest();
    await rest.messages.create({ author: "rest", body: "the end" });
    const stored = await rest.messages.list({ pageSize: 100 });
    const people = (await rest.participants.list({ pageSize: 100 })).map(({ identity }) => identity);
    const { friendlyName, attributes } = await rest.fetch();
    assert.deepEqual(stored.map(({ index }) => index), [...stored.keys()], "indexes without gap or repeat");

    // What was answered is stored where the answer said; what was not may be stored, but no send is stored twice.
    const marks = stored.slice(0, -1).map((message) => ({ ...JSON.parse(message.attributes), index: message.index }));
    const key = ({ writer, n, attempt }) => `${writer} ${n} ${attempt}`;
    const byKey = new Map(marks.map((mark) => [key(mark), mark]));
    assert.equal(byKey.size, marks.length, "nothing was stored twice");
    for (const sent of this.acknowledged) assert.equal(byKey.get(key(sent))?.index, sent.index, `${key(sent)} is stored`);
    const unknown = new Set(this.unanswered.map(key));
    const strangers = marks.length - this.acknowledged.length - marks.filter((mark) => unknown.has(key(mark))).length;
    assert.equal(strangers, 0, "only what was sent is stored");

    const guests = people.filter((identity) => identity.startsWith("guest "));
    for (const { name, client, talk, heard, joined } of this.members) {
      await until(`${name} has everything`, async () => {
        const state = {
          heard: heard.length,
          joined: joined.length,
          roster: (await talk.getParticipants()).length,
          name: talk.friendlyName,
          body: heard.every(({ index, body }) => body === stored[index]?.body),
        };
        const wanted = {
          heard: stored.length, joined: guests.length, roster: people.length, name: friendlyName, body: true,
        };
        if (JSON.stringify(state) === JSON.stringify(wanted)) return true;
        // More than there is will not become right by waiting.
        assert.ok(state.heard <= wanted.heard && state.joined <= wanted.joined, JSON.stringify({ name, state, wanted }));
        this.last = { name, state, wanted };
        return false;
      }).catch((error) => assert.fail(`${error.message} ${JSON.stringify(this.last)}`));
      assert.deepEqual(heard.map(({ sid }) => sid), stored.map(({ sid }) => sid), `${name} heard each message once`);
      assert.deepEqual(joined.map(({ identity }) => identity).sort(), guests.sort(), `${name} saw each guest once`);
      assert.deepEqual((await talk.getParticipants()).map(({ identity }) => identity).sort(), people.sort());
      assert.deepEqual(talk.attributes, JSON.parse(attributes));
      assert.equal(await talk.getMessagesCount(), stored.length);
      await client.shutdown();
    }
    return { stored: stored.length, acknowledged: this.acknowledged.length, unanswered: this.unanswered.length, marks };
  }
}

test("the wire is cut every 300 ms for 30 seconds", limit, async (t) => {
  const server = await started(Server.start());
  const lines = await Promise.all([0, 1, 2].map(() => wire(server.port)));
  const crowd = await Crowd.gather(server, async () => server.backend(), lines.map(({ port }) => port));
  let cuts = 0;
  await new Promise((resolve) => {
    const cutting = setInterval(() => {
      lines.forEach((line) => line.drop());
      if (++cuts === 100) resolve(clearInterval(cutting));
    }, 300);
  });
  const { stored, unanswered } = await crowd.settle();
  t.diagnostic(`${stored} messages, ${unanswered} sends without an answer`);
  lines.forEach((line) => line.close());
});

test("the node is killed and started again", limit, async (t) => {
  const server = await started(Server.start());
  const crowd = await Crowd.gather(server, async () => server.backend(), [server.port, server.port, server.port]);
  for (let round = 0; round < 2; round++) {
    await crowd.goesOn(30);
    await server.kill();
    await server.launch();
  }
  await crowd.goesOn(30);
  const { stored, unanswered } = await crowd.settle();
  t.diagnostic(`${stored} messages, ${unanswered} sends without an answer`);
});

let cluster;
const nodes = async () => (cluster ??= await started(Cluster.start(2)));

test("nodes are stopped and started again, one after the other", limit, async (t) => {
  const { nodes: [one, other] } = await nodes();
  const line = await wire(() => cluster.ready());
  const backend = async () => {
    const port = await cluster.ready();
    return (port === one.port ? one : other).backend();
  };
  const crowd = await Crowd.gather(one, backend, [line.port, line.port, line.port]);
  for (const node of [one, other]) {
    await crowd.goesOn(30);
    await node.terminate();
    assert.equal(node.process.exitCode, 0, node.log);
    assert.match(node.log, /all sockets are dropped/);
    await crowd.goesOn(30);
    await node.launch();
  }
  const { stored, unanswered, acknowledged } = await crowd.settle();
  // A node that stops answers what it has done.
  assert.equal(acknowledged, stored - 1, "nothing was stored without an answer");
  t.diagnostic(`${stored} messages, ${unanswered} sends without an answer`);
  line.close();
});

test("NATS is killed and started again under two nodes", limit, async (t) => {
  const { nodes: [one, other], nats } = await nodes();
  const crowd = await Crowd.gather(one, async () => other.backend(), [one.port, other.port, one.port]);
  for (let round = 0; round < 2; round++) {
    await crowd.goesOn(30);
    await nats.kill();
    await crowd.goesOn(30);
    await nats.start();
  }
  await crowd.goesOn(30);
  const { stored, unanswered } = await crowd.settle();
  assert.equal(unanswered, 0);
  t.diagnostic(`${stored} messages`);
});
