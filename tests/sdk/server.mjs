// A real server of its own for each test file: the binary, with an embedded database in a temporary folder.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import conversations from "@twilio/conversations";
import twilio from "twilio";

export const accountSid = "AC00000000000000000000000000000001";
export const authToken = "test0auth0token0test0auth0token0";
export const apiKeySid = "SK00000000000000000000000000000002";
export const apiKeySecret = "test0key0secret0test0key0secret0";

// Said once: each test without a server would only fail in a way of its own.
const binary = process.env.CONVOKE_BIN;
if (!binary || !existsSync(binary)) {
  const why = binary ? `there is no ${binary}` : "CONVOKE_BIN is not set";
  console.error(`The tests need the server's binary (${why}): cargo build && export CONVOKE_BIN=$PWD/target/debug/convoke`);
  process.exit(1);
}

export class Server {
  // `settings` are further ones, by their names in the environment.
  static async start(settings = {}) {
    const server = new this();
    server.settings = settings;
    // The database may run as another user, who must be able to reach it.
    server.data = await mkdtemp(join(tmpdir(), "convoke-sdk-"));
    const { chmod } = await import("node:fs/promises");
    await chmod(server.data, 0o755);
    server.port = await freePort();
    await server.launch();
    return server;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  async launch() {
    this.log = "";
    this.process = spawn(binary, ["serve"], {
      env: {
        PATH: process.env.PATH,
        HOME: process.env.HOME,
        CONVOKE_LISTEN: `127.0.0.1:${this.port}`,
        CONVOKE_DATA_DIR: this.data,
        CONVOKE_ACCOUNT_SID: accountSid,
        CONVOKE_AUTH_TOKEN: authToken,
        CONVOKE_API_KEY_SID: apiKeySid,
        CONVOKE_API_KEY_SECRET: apiKeySecret,
        CONVOKE_SHUTDOWN_SPREAD_SECONDS: "0",
        ...this.settings,
      },
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream.on("data", (text) => (this.log += text));
    }
    await until("the server is ready", async () => {
      if (this.process.exitCode !== null) throw new Error(`the server ended:\n${this.log}`);
      return this.isReady().catch(() => false);
    });
  }

  async isReady() {
    return (await fetch(`${this.url}/readyz`)).ok;
  }

  async kill() {
    this.process.kill("SIGKILL");
    await once(this.process, "exit");
  }

  async terminate() {
    if (this.process.exitCode !== null || this.process.signalCode !== null) return;
    this.process.kill("SIGTERM");
    await once(this.process, "exit");
  }

  async stop() {
    await this.terminate();
    await rm(this.data, { recursive: true, force: true });
  }

  // The official library as a backend uses it.
  backend(user = accountSid, password = authToken) {
    const client = twilio(user, password, { accountSid });
    client.conversations.baseUrl = this.url;
    return client.conversations.v1;
  }

  token(identity, options = {}, secret = apiKeySecret, grant = {}) {
    const { AccessToken } = twilio.jwt;
    const token = new AccessToken(accountSid, apiKeySid, secret, { identity, ...options });
    token.addGrant(new AccessToken.ChatGrant(grant));
    return token.toJwt();
  }

  // The official SDK, signed in; through another port if a test stands in between.
  async client(identity, port = this.port, grant = {}, sdk = conversations) {
    return ready(this.newClient(this.token(identity, {}, apiKeySecret, grant), port, sdk));
  }

  newClient(token, port = this.port, sdk = conversations, options = {}) {
    return new sdk.Client(token, {
      twilsock: { uri: `ws://127.0.0.1:${port}/v3/wsconnect` },
      retryPolicy: { min: 50, max: 500, randomness: 0 },
      logLevel: "silent",
      ...options,
    });
  }
}

// Waits until a client of the SDK has begun.
export async function ready(client) {
  await new Promise((resolve, reject) => {
    client.once("initialized", resolve);
    client.once("initFailed", ({ error }) => reject(new Error(error?.message)));
  });
  // What it reads at its start is there, or a connection that ends now would leave it with a rejection of its own.
  await client.getSubscribedConversations();
  return client;
}

export async function freePort() {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  await once(probe, "close");
  return port;
}

// The status and code of a call that must be refused, by the library for backends or by the web SDK.
export async function refused(call) {
  const error = await call.then(() => assert.fail("was not refused"), (error) => error);
  return [error.status, error.body?.code ?? error.code];
}

// Looks often, and gives up late.
export async function until(what, look) {
  let last;
  for (const end = Date.now() + 30_000; Date.now() < end; ) {
    last = await look();
    if (last) return last;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited in vain until ${what}; last seen: ${JSON.stringify(last)}`);
}

// Everything that an emitter tells from now on.
export function collect(emitter, event) {
  const seen = [];
  emitter.on(event, (what) => seen.push(what));
  return seen;
}
