// A page whose source cannot be touched: the official SDK with the addresses that it comes with, in a real browser where
// names lead to a server with a certificate for them.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { X509Certificate, createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { request } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { Server, until } from "../sdk/server.mjs";
import { Stage } from "./stage.mjs";

const dot =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const limit = { timeout: 90_000 };
const socket = "wss://tsock.us1.twilio.com/v3/wsconnect";
const media = "https://mcs.us1.twilio.com/v1/Services/";

// A server that answers under the names of others.
class Mapped extends Server {
  async isReady() {
    const { CONVOKE_TLS_CERT } = this.settings;
    const trust = { servername: "tsock.us1.twilio.com", ca: await readFile(CONVOKE_TLS_CERT) };
    return new Promise((resolve, reject) => {
      const answered = (answer) => resolve(answer.resume().statusCode === 200);
      request({ host: "127.0.0.1", port: this.port, path: "/readyz", ...trust }, answered).on("error", reject).end();
    });
  }
}

// A key and a certificate that nobody else has, for all that such a page calls.
async function certificate(folder) {
  const [cert, key] = ["cert.pem", "key.pem"].map((name) => join(folder, name));
  await promisify(execFile)("openssl", [
    "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
    "-subj", "/CN=Convoke test", "-addext", "subjectAltName=DNS:*.us1.twilio.com", "-keyout", key, "-out", cert,
  ]);
  const spki = new X509Certificate(await readFile(cert)).publicKey.export({ type: "spki", format: "der" });
  return { cert, key, pin: createHash("sha256").update(spki).digest("base64") };
}

let stage, folder, alice, bob;
const called = new Set();
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "convoke-untouched-"));
  const { cert, key, pin } = await certificate(folder);
  stage = await Stage.set(async (stage) => {
    stage.server = await Mapped.start({ CONVOKE_TLS_CERT: cert, CONVOKE_TLS_KEY: key, CONVOKE_HOSTS: "twilio.com" });
    await stage.serve(new URL("untouched/", import.meta.url));
    await stage.launch([
      `--host-resolver-rules=MAP *.twilio.com 127.0.0.1:${stage.server.port}`,
      `--ignore-certificate-errors-spki-list=${pin}`,
    ]);
  });
  [alice, bob] = await Promise.all(["alice", "bob"].map(signIn));
});
after(async () => {
  await stage?.stop();
  await rm(folder, { recursive: true, force: true });
});

function signIn(identity) {
  return stage.open(`/#${encodeURIComponent(stage.server.token(identity))}`, undefined, (page) => {
    page.on("websocket", (socket) => called.add(socket.url()));
    page.on("request", (request) => called.add(request.url()));
    page.on("console", (line) => line.type() === "error" && console.error(`in the page: ${line.text()}`));
  });
}

// Runs in the page with its conversation, as the application's own code would.
async function inside(page, act, argument) {
  const talk = await page.evaluateHandle(() => window.client.getConversationByUniqueName("untouched"));
  return talk.evaluate(act, argument);
}
const told = (page, what, text) =>
  until(`${what} ${text}`, () => page.evaluate((line) => window.told.some((one) => String(one) === line), `${what},${text}`));

test("signs in", limit, async () => {
  assert.deepEqual(await Promise.all([alice, bob].map((page) => page.evaluate(() => window.signedIn))), ["alice", "bob"]);
});

test("creates a conversation, joins, adds somebody", limit, async () => {
  await alice.evaluate(async () => {
    const talk = await window.client.createConversation({ uniqueName: "untouched" });
    await talk.join();
    await talk.add("bob");
  });
  await told(bob, "joined", "untouched");
});

test("sends, receives and edits", limit, async () => {
  await inside(alice, (talk) => talk.sendMessage("hello, Bob"));
  await told(bob, "added", "hello, Bob");
  await inside(bob, (talk) => talk.sendMessage("hello, Alise"));
  await told(alice, "added", "hello, Alise");
  await inside(bob, async (talk) => (await talk.getMessages(1)).items[0].updateBody("hello, Alice"));
  await told(alice, "updated", "hello, Alice");
});

for (const how of ["bytes", "a form"]) {
  test(`sends a picture as ${how}, and the other sees it`, limit, async () => {
    await inside(
      alice,
      async (talk, [base64, how]) => {
        const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
        const file = new File([bytes], `${how} ☂.png`, { type: "image/png" });
        if (how === "bytes") {
          const picture = { media: file, filename: file.name, contentType: file.type };
          return talk.prepareMessage().setBody(`as ${how}`).addMedia(picture).build().send();
        }
        const form = new FormData();
        form.append("file", file);
        return talk.prepareMessage().setBody(`as ${how}`).addMedia(form).build().send();
      },
      [dot, how],
    );
    await told(bob, "added", `as ${how}`);
    const [name, size, url, width] = await inside(bob, async (talk) => {
      const [picture] = (await talk.getMessages(1)).items[0].attachedMedia;
      const url = await picture.getContentTemporaryUrl();
      const image = new Image();
      image.src = url;
      await image.decode();
      return [picture.filename, picture.size, url, image.naturalWidth];
    });
    assert.deepEqual([name, size, width], [`${how} ☂.png`, Buffer.from(dot, "base64").length, 1]);
    assert.ok(url.startsWith(media), url);
  });
}

test("goes offline, and has missed nothing when it is back", limit, async () => {
  await bob.context().setOffline(true);
  await until("the connection is gone", async () => (await bob.title()) !== "connected");
  const missed = Array.from({ length: 5 }, (_, n) => `while you were away ${n}`);
  for (const text of missed) await inside(alice, (talk, text) => talk.sendMessage(text), text);
  await bob.context().setOffline(false);
  await told(bob, "added", missed.at(-1));
  const heard = await bob.evaluate(() => window.told.filter(([what]) => what === "added").map(([, text]) => text));
  assert.deepEqual(heard.slice(-missed.length), missed);
  await inside(bob, (talk) => talk.sendMessage("back"));
  await told(alice, "added", "back");
});

test("calls nothing but what it was written to call", () => {
  const ways = [...called].filter((url) => !url.startsWith(stage.url)).map((url) => url.replace(/^(https:.*\/Services\/).*/, "$1"));
  assert.deepEqual([...new Set(ways)].sort(), [media, socket].sort());
});
