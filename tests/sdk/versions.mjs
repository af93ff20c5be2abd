// A suite is written once and runs for each version of the web SDK, all against one server; whatever is named is named
// anew for each version, so that they never meet.

import assert from "node:assert/strict";
import { after, before, describe } from "node:test";

import { Recorder } from "./recorder.mjs";
import { sdks } from "./sdks.mjs";
import { Server, ready } from "./server.mjs";

export const versions = sdks.map((one) => ({ ...one, recorder: new Recorder(one.sdk) }));

let server;
before(async () => (server = await Server.start()));
after(() => server.stop());

let count = 0;

// What a suite gets for its version.
class Context {
  #open = [];

  constructor({ version, sdk, recorder }) {
    Object.assign(this, { version, sdk });
    // Fields that an object has of its own (see `Recorder.watch`) count as used when they are read from this.
    this.watch = (object, name) => recorder.watch(object, name);
  }

  get server() {
    return server;
  }

  // The official library as a backend uses it.
  get backend() {
    return server.backend();
  }

  // A name that nobody else has.
  fresh = (name) => `${name}-${this.version}-${++count}`;

  // A conversation with these people in it; its SID.
  conversation = async (options = {}, ...identities) => {
    const { sid } = await this.backend.conversations.create(options);
    for (const identity of identities) await this.backend.conversations(sid).participants.create({ identity });
    return sid;
  };

  // A client that is being connected, with options of the SDK beside those that every test needs.
  connect = (token, options = {}) => {
    const client = server.newClient(token, server.port, this.sdk, options);
    this.#open.push(client);
    return client;
  };

  // A client of this version that is ready.
  client = async (identity, options = {}) => {
    return ready(this.connect(server.token(identity), options));
  };

  // The same, and one of its conversations, opened: what is there already announces nothing any more.
  opened = async (identity, sid, options = {}) => {
    const client = await this.client(identity, options);
    return [client, await this.open(await client.getConversationBySid(sid))];
  };

  // Waits until a conversation is open. The SDK opens what it joins by itself, and has a rejection that nobody handles if
  // it may not, because it left again meanwhile.
  open = async (talk) => {
    await Promise.all([talk.getParticipants(), talk.getMessages(1)]);
    return talk;
  };

  async close() {
    await Promise.all(this.#open.map((client) => client.shutdown().catch(() => {})));
  }
}

// Runs a suite for each version, side by side. The body adds tests; what it is given works inside of them.
export function forEachVersion(name, body) {
  describe(name, { concurrency: true }, () => {
    for (const version of versions) {
      describe(version.version, { timeout: 120_000 }, () => {
        const context = new Context(version);
        after(() => context.close());
        body(context);
      });
    }
  });
}

// Status and code of what the server refused, and the permission that was missing if that is why.
export async function refusal(call) {
  const error = await call.then(() => assert.fail("was not refused"), (error) => error);
  // Requests are refused with a body; what is to be read first, and may not be, with an error of the SDK's own.
  const { status, code, details } = error.body ?? error;
  assert.ok(Number.isInteger(status) && status === error.status, error);
  return [status, code, ...(details ? [details.permission] : [])];
}
