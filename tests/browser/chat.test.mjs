// examples/web-chat in a real browser, beside a real server: two people and a phone in one conversation.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { accountSid, until } from "../sdk/server.mjs";
import { Stage, example, secrets } from "./stage.mjs";

// A picture of one pixel.
const dot = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);
const limit = { timeout: 90_000 };
let stage, page, alice, bob, carol;
before(async () => {
  stage = await Stage.start();
  page = await stage.open("/");
  [alice, bob, carol] = ["Alice", "Bob", "Carol’s phone"].map((title) => page.frameLocator(`iframe[title="${title}"]`));
  await connected(alice);
  await connected(bob);
});
after(() => stage?.stop());

const connected = (chat) => chat.locator('#connection[data-state="connected"]').waitFor();
const message = (chat, text) => chat.locator("#messages .message").filter({ has: chat.getByText(text, { exact: true }) });
const arrives = (chat, text) => message(chat, text).waitFor();

async function say(chat, text) {
  await chat.locator("#text").fill(text);
  await chat.locator("#text").press("Enter");
}

// All texts of a chat's messages, in their order.
const texts = (chat) => chat.locator("#messages .body").allTextContents();

// Waits until each of these chats shows what is stored, once and in order; if one does not, says what it shows instead.
async function hasAll(chats, stored) {
  for (const [name, chat] of Object.entries(chats)) {
    const alike = async () => String(await texts(chat)) === String(stored);
    await until(`${name} shows all`, alike).catch(async () => assert.deepEqual(await texts(chat), stored, name));
  }
}

test("what one says, the other sees at once, and that it was seen", limit, async () => {
  await say(alice, "hello, Bob");
  await arrives(bob, "hello, Bob");
  await say(bob, "hello, Alice");
  await arrives(alice, "hello, Alice");
  await message(alice, "hello, Bob").getByText("Seen by Bob").waitFor();
  await message(bob, "hello, Alice").getByText("Seen by Alice").waitFor();
});

test("one is seen typing until the message is there", limit, async () => {
  await until("Bob is seen typing", async () => {
    await bob.locator("#text").pressSequentially("so ");
    return alice.getByText("Bob is typing…").isVisible();
  });
  await bob.locator("#text").press("Enter");
  await alice.getByText("Bob is typing…").waitFor({ state: "hidden" });
});

test("own messages can be edited and deleted, others' cannot", limit, async () => {
  await say(alice, "a misteak");
  await arrives(bob, "a misteak");
  assert.equal(await message(bob, "a misteak").getByRole("button").count(), 0);
  await message(alice, "a misteak").getByRole("button", { name: "Edit" }).click();
  await alice.locator("#text").fill("a mistake");
  await alice.locator("#text").press("Enter");
  await message(bob, "a mistake").getByText("edited").waitFor();
  assert.equal(await message(bob, "a misteak").count(), 0);
  await message(alice, "a mistake").getByRole("button", { name: "Delete" }).click();
  await message(bob, "a mistake").waitFor({ state: "detached" });
  await message(alice, "a mistake").waitFor({ state: "detached" });
});

test("the phone takes part", limit, async () => {
  await say(alice, "can the phone hear us?");
  await arrives(carol, "can the phone hear us?");
  await message(alice, "can the phone hear us?").getByText("Phone: delivered").waitFor();
  await say(carol, "loud and clear");
  await arrives(alice, "loud and clear");
  await message(bob, "loud and clear").getByText("Carol").waitFor();
});

test("a phone that is off gets its messages later", limit, async () => {
  await carol.getByRole("button", { name: "Switch off" }).click();
  await carol.getByRole("button", { name: "Switch on" }).waitFor();
  await say(bob, "are you there?");
  await message(bob, "are you there?").getByText("Phone: sent").waitFor();
  // Whoever looks at the phone only now sees the same: it is off, has nothing new and cannot send.
  const fresh = await stage.open("/phone.html");
  for (const phone of [carol, fresh]) {
    await phone.getByRole("button", { name: "Switch on" }).waitFor();
    await arrives(phone, "can the phone hear us?");
    assert.equal(await phone.locator("#text").isEnabled(), false);
    assert.equal(await message(phone, "are you there?").count(), 0);
  }
  await carol.getByRole("button", { name: "Switch on" }).click();
  await message(bob, "are you there?").getByText("Phone: delivered").waitFor();
  for (const phone of [carol, fresh]) {
    await arrives(phone, "are you there?");
    await phone.getByRole("button", { name: "Switch off" }).waitFor();
    assert.equal(await phone.locator("#text").isEnabled(), true);
  }
  await fresh.context().close();
});

test("what a phone could not send stays in its field, and is said not to be sent", limit, async () => {
  const phone = await stage.open("/phone.html");
  await arrives(phone, "can the phone hear us?");
  const broken = [];
  phone.on("pageerror", (error) => broken.push(error));
  await phone.route("**/api/phone", (route) =>
    route.request().method() === "POST" ? route.abort("connectionrefused") : route.continue(),
  );
  await say(phone, "can you hear me?");
  await phone.getByText("your text was not sent: the backend does not answer").waitFor();
  // It is not forgotten when the phone is next asked what it has.
  for (let looks = 0; looks < 2; looks++) await phone.waitForResponse("**/api/phone");
  assert.equal(await phone.locator("#trouble").isVisible(), true);
  assert.equal(await phone.locator("#text").inputValue(), "can you hear me?");
  await phone.unroute("**/api/phone");
  await phone.locator("#text").press("Enter");
  await arrives(alice, "can you hear me?");
  await phone.locator("#trouble").waitFor({ state: "hidden" });
  assert.equal(await phone.locator("#text").inputValue(), "");
  assert.deepEqual(broken, []);
  await phone.context().close();
});

test("what was begun waits while a message is edited", limit, async () => {
  const field = alice.locator("#text");
  await say(alice, "first of all");
  await arrives(alice, "first of all");
  await alice.locator("#picture").setInputFiles({ name: "kept.png", mimeType: "image/png", buffer: dot });
  await alice.getByText("With kept.png").waitFor();
  await field.fill("a draft");
  const edit = message(alice, "first of all").getByRole("button", { name: "Edit" });

  await edit.click();
  assert.equal(await field.inputValue(), "first of all");
  assert.equal(await alice.locator("#picture").isDisabled(), true, "a picture has no place in an edit");
  await field.fill("");
  await field.press("Enter");
  await alice.getByText("A message needs a text.").waitFor();
  await alice.getByRole("button", { name: "Cancel" }).click();
  assert.equal(await field.inputValue(), "a draft");
  await alice.getByText("With kept.png").waitFor();

  await edit.click();
  await say(alice, "first of everything");
  await arrives(bob, "first of everything");
  assert.equal(await field.inputValue(), "a draft");
  await field.press("Enter");
  await message(bob, "a draft").getByAltText("kept.png").waitFor();
  assert.equal(await field.inputValue(), "");
});

test("a new text for a message that is deleted meanwhile is kept", limit, async () => {
  await say(alice, "soon gone");
  await arrives(alice, "soon gone");
  await message(alice, "soon gone").getByRole("button", { name: "Edit" }).click();
  await alice.locator("#text").fill("not gone");
  const [last] = await stage.conversation().messages.list({ order: "desc", limit: 1 });
  await stage.conversation().messages(last.sid).remove();
  await alice.getByText("What you wrote for it is kept here.").waitFor();
  await alice.locator("#text").press("Enter");
  await arrives(bob, "not gone");
});

test("a file that is no picture is not taken", limit, async () => {
  for (const name of ["notes.txt", "notes.png"]) {
    await alice.locator("#picture").setInputFiles({ name, mimeType: "image/png", buffer: Buffer.from("notes") });
    await alice.getByText(`${name} is not a picture that can be shown.`).waitFor();
  }
  await alice.getByRole("button", { name: "Cancel" }).click();
  // Where one was sent all the same, the network is not said to be away.
  const session = await fetch(`${stage.url}/api/session?as=bob`).then((answer) => answer.json());
  const chat = stage.server.newClient(session.token);
  const talk = await chat.getConversationBySid(session.conversation);
  const notes = { media: Buffer.from("notes"), contentType: "image/png", filename: "sent notes.png" };
  const heard = await alice.locator("body").evaluateHandle((body) => {
    const seen = [];
    new MutationObserver(() => seen.push(body.innerText)).observe(body, { subtree: true, childList: true, attributes: true });
    return seen;
  });
  await talk.prepareMessage().addMedia(notes).build().send();
  await alice.getByText("The picture cannot be shown.").waitFor();
  assert.ok(!(await heard.jsonValue()).some((text) => text.includes("when the network is back")));
  await chat.shutdown();
});

test("a picture is shown to the other, with a text and without", limit, async () => {
  const shown = (picture) => until("the picture is there", () => picture.evaluate((image) => image.naturalWidth === 1));
  await alice.locator("#picture").setInputFiles({ name: "dot.png", mimeType: "image/png", buffer: dot });
  await alice.getByText("With dot.png").waitFor();
  await say(alice, "a dot");
  await shown(message(bob, "a dot").locator("img"));
  await shown(message(alice, "a dot").locator("img"));
  await bob.locator("#picture").setInputFiles({ name: "my dot ☂.png", mimeType: "image/png", buffer: dot });
  await bob.getByRole("button", { name: "Send" }).click();
  await shown(alice.getByAltText("my dot ☂.png"));
  await alice.getByAltText("my dot ☂.png").waitFor();
  const [last] = await stage.conversation().messages.list({ order: "desc", limit: 1 });
  assert.deepEqual(last.media.map(({ filename, size }) => [filename, size]), [["my dot ☂.png", dot.length]]);
});

test("a picture that the network takes away comes back with it", limit, async () => {
  let asked = 0;
  const tried = new Set();
  const cut = (route) => route.abort("internetdisconnected", (asked += 1));
  // Whoever asks again why it failed finds the network there.
  const cutOnce = (route) => {
    const { pathname } = new URL(route.request().url());
    if (tried.has(pathname)) return route.fallback();
    tried.add(pathname);
    return route.abort("internetdisconnected");
  };
  const record = /\/v1\/Services\/IS\w+\/Media\/ME\w+$/;
  const bytes = /\/v1\/Services\/IS\w+\/Media\/ME\w+\/Temporary\?/;
  const away = await stage.open("/chat.html?as=alice", undefined, async (page) => {
    await page.route(record, cut);
    await page.route(bytes, cutOnce);
  });
  const row = message(away, "a dot");
  await row.getByText("The picture comes when the network is back.").waitFor();
  assert.ok(!(await texts(away)).some((text) => text.startsWith("The picture")), "a note is no message");
  await away.unroute(record);
  await until("the picture is there", () => row.locator("img").evaluate((image) => image.naturalWidth === 1));
  await row.locator("img").waitFor();
  assert.ok(asked > 0 && tried.size > 0);
  await away.context().close();
});

test("a lost network costs nothing", limit, async () => {
  const away = await stage.open("/chat.html?as=alice");
  await connected(away);
  await arrives(away, "loud and clear");
  await away.context().setOffline(true);
  await away.locator('#connection[data-state="connected"]').waitFor({ state: "detached" });
  const missed = Array.from({ length: 12 }, (_, n) => `while you were away ${n}`);
  for (const text of missed) await say(bob, text);
  await arrives(bob, missed.at(-1));
  await say(away, "written in a tunnel");
  await away.locator("#outbox").getByText("written in a tunnel").waitFor();
  assert.equal(await message(away, missed[0]).count(), 0);

  await away.context().setOffline(false);
  await arrives(bob, "written in a tunnel");
  await arrives(away, "written in a tunnel");
  await arrives(away, missed.at(-1));
  const stored = (await stage.conversation().messages.list()).map(({ body }) => body).filter(Boolean);
  assert.deepEqual(stored.slice(-13), [...missed, "written in a tunnel"]);
  await hasAll({ away, alice, bob }, stored);
  assert.equal(await away.locator("#outbox li").count(), 0);
  await away.context().close();
});

test("one of two can go offline and come back", limit, async () => {
  await bob.getByRole("button", { name: "Go offline" }).click();
  await bob.locator("#connection").getByText("offline").waitFor();
  await say(alice, "Bob is in a tunnel");
  await message(alice, "Bob is in a tunnel").getByText("Phone: delivered").waitFor();
  assert.equal(await message(bob, "Bob is in a tunnel").count(), 0);
  await bob.getByRole("button", { name: "Come back" }).click();
  await arrives(bob, "Bob is in a tunnel");
  await message(alice, "Bob is in a tunnel").getByText("Seen by Bob").waitFor();
});

// A page whose clock can be put forward, for what takes the SDK long.
const withClock = (page) => page.clock.install();
const offline = async (page) => {
  await page.context().setOffline(true);
  await page.locator('#connection[data-state="offline"]').waitFor();
};

test("what is written in a long absence is sent on return, in order", limit, async () => {
  const away = await stage.open("/chat.html?as=alice", undefined, withClock);
  await connected(away);
  await away.locator("#messages .message").first().waitFor();
  await offline(away);
  await say(away, "long away");
  await away.clock.fastForward(15_000);
  await say(away, "longer away");
  await away.locator("#picture").setInputFiles({ name: "waits.png", mimeType: "image/png", buffer: dot });
  await away.getByText("With waits.png").waitFor();
  await away.locator("#text").press("Enter");
  const waiting = away.locator("#outbox li");
  await until("the picture is shown", () =>
    waiting.last().locator("img").evaluate((image) => image.complete && image.naturalWidth === 1),
  );
  // The SDK gives up what it was given after twenty seconds.
  await away.clock.fastForward(25_000);
  assert.deepEqual(await waiting.locator(".state").allTextContents(), Array(3).fill("Waiting for the connection"));
  await away.context().setOffline(false);
  await bob.getByAltText("waits.png").waitFor();
  assert.deepEqual((await texts(bob)).slice(-2), ["long away", "longer away"]);
  await waiting.first().waitFor({ state: "detached" });
  await away.context().close();
});

test("edits and deletions in a long absence are shown as waiting, and done on return", limit, async () => {
  for (const text of ["first wording", "not needed"]) await say(alice, text);
  const away = await stage.open("/chat.html?as=alice", undefined, withClock);
  await connected(away);
  await arrives(away, "not needed");
  await offline(away);
  await message(away, "first wording").getByRole("button", { name: "Edit" }).click();
  await say(away, "second wording");
  await message(away, "second wording").getByRole("button", { name: "Edit" }).click();
  await say(away, "third wording");
  await message(away, "not needed").getByRole("button", { name: "Delete" }).click();
  await away.clock.fastForward(25_000);
  for (const text of ["third wording", "not needed"]) {
    await message(away, text).getByText("Waiting for the connection").waitFor();
  }
  assert.equal(await away.locator("#trouble").isVisible(), false);
  await away.context().setOffline(false);
  await arrives(bob, "third wording");
  await message(bob, "not needed").waitFor({ state: "detached" });
  await away.locator(".waiting").first().waitFor({ state: "detached" });
  await message(away, "third wording").getByText("edited").waitFor();
  await away.context().close();
});

test("what arrived although its answer was lost is not sent again", limit, async () => {
  let lose = false;
  const cut = [];
  const away = await stage.open("/chat.html?as=alice", undefined, (page) =>
    page.routeWebSocket(/wsconnect/, (socket) => {
      const server = socket.connectToServer();
      let lost = false;
      socket.onMessage((data) => {
        lost ||= lose && String(data).includes("said once");
        server.send(data);
      });
      server.onMessage((data) => lost || socket.send(data));
      cut.push(() => server.close().then(() => socket.close()));
    }),
  );
  await connected(away);
  await away.locator("#messages .message").first().waitFor();
  lose = true;
  await say(away, "said once");
  await arrives(bob, "said once");
  await away.locator("#outbox").getByText("said once").waitFor();
  lose = false;
  for (const close of cut) await close();
  await arrives(away, "said once");
  await away.locator("#outbox li").waitFor({ state: "detached" });
  await say(away, "and this after it");
  await arrives(bob, "and this after it");
  assert.deepEqual((await texts(bob)).slice(-2), ["said once", "and this after it"]);
  await away.context().close();
});

test("a message of another day says which", limit, async () => {
  await stage.conversation().messages.create({ body: "long ago", dateCreated: new Date("2024-02-29T12:00:00Z") });
  await message(bob, "long ago").getByText("Feb 29, 2024").waitFor();
});

test("earlier messages come when they are asked for", limit, async () => {
  for (let n = 0; n < 40; n++) await stage.conversation().messages.create({ body: `one of many ${n}` });
  const all = await stage.conversation().messages.list();
  const stored = all.map(({ body }) => body).filter(Boolean);
  const fresh = await stage.open("/chat.html?as=bob");
  await arrives(fresh, "one of many 39");
  assert.deepEqual(await texts(fresh), stored.slice(-30));
  const earlier = fresh.getByRole("button", { name: "Earlier messages" });
  const messages = fresh.locator("#messages .message");
  for (let shown = await messages.count(); shown < all.length; ) {
    await earlier.click();
    shown = await until("more is there", async () => {
      const now = await messages.count();
      return now > shown && now;
    });
  }
  assert.deepEqual(await texts(fresh), stored);
  await earlier.waitFor({ state: "hidden" });
  await fresh.context().close();
});

test("fits a phone's width, by keyboard alone", limit, async () => {
  // Alice's other window would read for her.
  await page.context().close();
  const narrow = await stage.open("/", { width: 390, height: 780 });
  const pane = (title) => narrow.frameLocator(`iframe[title="${title}"]`);
  await connected(pane("Alice"));
  await say(pane("Alice"), "a".repeat(300));
  await arrives(pane("Alice"), "a".repeat(300));
  await narrow.getByRole("tab", { name: "Alice" }).focus();
  for (const title of ["Alice", "Bob", "Carol’s phone"]) {
    await pane(title).locator("#text").waitFor();
    for (const frame of narrow.frames()) {
      const [content, window] = await frame.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement;
        return [scrollWidth, clientWidth];
      });
      assert.ok(content <= window, `${frame.url()} is ${content} wide in ${window}, with ${title} in front`);
    }
    if (title !== "Carol’s phone") await narrow.keyboard.press("ArrowRight");
  }
  assert.equal(await pane("Alice").locator("#text").isVisible(), false);

  // What came in behind a tab is not seen, and the tab says so, until one looks.
  const bobsTab = narrow.getByRole("tab", { name: "Bob" });
  await narrow.keyboard.press("ArrowLeft");
  await narrow.keyboard.press("Tab");
  await until("the text field has the focus", async () => {
    if (await pane("Bob").locator("#text").evaluate((text) => text === document.activeElement)) return true;
    await narrow.keyboard.press("Tab");
  });
  await narrow.keyboard.type("typed, not clicked");
  await narrow.keyboard.press("Enter");
  await arrives(pane("Bob"), "typed, not clicked");
  await bobsTab.and(narrow.locator('[aria-selected="true"]')).waitFor();
  const unread = narrow.getByRole("tab", { name: "Alice" }).and(narrow.locator(".unread"));
  await unread.waitFor();
  assert.equal(await message(pane("Bob"), "typed, not clicked").getByText("Seen by Alice").count(), 0);
  await narrow.getByRole("tab", { name: "Alice" }).click();
  await unread.waitFor({ state: "detached" });
  await narrow.context().close();
});

test("a long word in a text field pushes nothing out of sight", limit, async () => {
  for (const viewport of [{ width: 1280, height: 800 }, { width: 380, height: 780 }]) {
    const all = await stage.open("/", viewport);
    for (const title of ["Alice", "Bob", "Carol’s phone"]) {
      const tab = all.getByRole("tab", { name: title });
      if (await tab.isVisible()) await tab.click();
      const pane = all.frameLocator(`iframe[title="${title}"]`);
      await pane.locator("#text").fill(`https://example.com/${"x".repeat(200)}`);
      const right = (button) => button.evaluate((element) => element.getBoundingClientRect().right - window.innerWidth);
      for (const button of await pane.getByRole("button", { name: /^(Send|Go offline|Switch off)$/ }).all()) {
        assert.ok((await right(button)) <= 0, `${title} at ${viewport.width}: ${await button.textContent()}`);
      }
    }
    await all.context().close();
  }
});

test("a page that finds no server begins when there is one", limit, async () => {
  await stage.server.terminate();
  const chat = await stage.open("/chat.html?as=bob");
  const phone = await stage.open("/phone.html");
  for (const early of [chat, phone]) await early.getByText(`there is no server at ${stage.server.url}`).waitFor();
  assert.equal(await chat.locator("#avatar").textContent(), "b");
  assert.equal(await chat.locator("#text").isEnabled(), false);
  await stage.server.launch();
  for (const early of [chat, phone]) {
    await arrives(early, "one of many 39");
    await early.locator("#trouble").waitFor({ state: "hidden" });
  }
  await connected(chat);
  await say(chat, "there it is");
  await arrives(phone, "there it is");
  for (const early of [chat, phone]) await early.context().close();
});

test("a page whose socket finds nothing begins when it does", limit, async () => {
  const chat = await stage.open("/chat.html?as=bob", undefined, (page) =>
    page.addInitScript(() => {
      const Socket = window.WebSocket;
      window.WebSocket = class extends Socket {
        constructor(url, protocols) {
          super(window.found ? url : "ws://nowhere.invalid", protocols);
        }
      };
    }),
  );
  await chat.getByText("Something went wrong").waitFor();
  assert.equal(await chat.locator("#trouble").textContent(), "Something went wrong: the server does not answer yet");
  await chat.evaluate(() => (window.found = true));
  await arrives(chat, "there it is");
  await chat.locator("#trouble").waitFor({ state: "hidden" });
  assert.equal(await chat.locator("#text").isEnabled(), true);
  await chat.context().close();
});

// What the backend says where it cannot begin.
async function complaint(env) {
  const convoke = new URL("server/convoke.js", example).href;
  const program = `
    const { connect, explain } = await import(${JSON.stringify(convoke)});
    await connect().catch((error) => console.log(explain(error)));`;
  const { PATH, HOME } = process.env;
  const options = { env: { PATH, HOME, CONVOKE_URL: stage.server.url, ...env } };
  return (await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], options)).stdout.trim();
}

test("the backend says that its key is of another server", limit, async () => {
  const sid = `SK${"9".repeat(32)}`;
  const key = { CONVOKE_ACCOUNT_SID: accountSid, CONVOKE_API_KEY_SID: sid, CONVOKE_API_KEY_SECRET: "nobody's" };
  assert.match(await complaint(key), new RegExp(`does not know the API key ${sid}: it is of another server`));
});

test("the backend says in a sentence why it could not make a key", limit, async () => {
  const folder = await mkdtemp(join(tmpdir(), "convoke-web-chat-"));
  const says = async (...lines) => {
    const fake = join(folder, "convoke");
    await writeFile(fake, `#!/bin/sh\ncat >&2 <<'END'\n${lines.join("\n")}\nEND\nexit 1\n`, { mode: 0o755 });
    return complaint({ CONVOKE_BIN: fake });
  };
  const log = ["starting", "the database is away"].map((message) => JSON.stringify({ level: "ERROR", message }));
  assert.equal(await says(...log), "no API key could be made: the database is away");
  assert.equal(await says(log[0], "convoke: there is no such account"), "no API key could be made: there is no such account");
  await rm(folder, { recursive: true });
});

test("the backend makes an API key of its own beside a server that was just started", limit, async () => {
  const convoke = new URL("server/convoke.js", example).href;
  const program = `const { connect } = await import(${JSON.stringify(convoke)}); console.log((await connect()).room.sid);`;
  const { PATH, HOME, CONVOKE_BIN } = process.env;
  const env = { PATH, HOME, CONVOKE_BIN, CONVOKE_URL: stage.server.url, CONVOKE_DATA_DIR: stage.server.data };
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program], { env });
  assert.equal(stdout.trim(), (await stage.conversation().fetch()).sid);
});

test("no credentials are in what the browser gets", limit, async () => {
  const session = await fetch(`${stage.url}/api/session?as=alice`).then((answer) => answer.text());
  const stranger = await fetch(`${stage.url}/api/session?as=mallory`);
  assert.equal(stranger.status, 502);
  const folder = new URL("dist/", example);
  const names = (await readdir(folder, { recursive: true })).filter((name) => /\.(html|js|css)$/.test(name));
  assert.ok(names.length >= 5, `few files: ${names}`);
  const files = await Promise.all(names.map((name) => readFile(new URL(name, folder), "utf8")));
  for (const text of [session, ...files]) {
    for (const secret of secrets) assert.ok(!text.includes(secret), text.slice(0, 200));
  }
});
