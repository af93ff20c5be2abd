// examples/web-chat in a real browser, beside a real server: two people and a phone in one conversation.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFile, readdir } from "node:fs/promises";
import { after, before, test } from "node:test";
import { promisify } from "node:util";

import { until } from "../sdk/server.mjs";
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
  await carol.getByRole("button", { name: "Switch on" }).click();
  await message(bob, "are you there?").getByText("Phone: delivered").waitFor();
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
  const asked = { record: 0, bytes: 0 };
  const cut = (which) => (route) => route.abort("internetdisconnected", (asked[which] += 1));
  const record = /\/v1\/Services\/IS\w+\/Media\/ME\w+$/;
  const bytes = /\/v1\/Services\/IS\w+\/Media\/ME\w+\/Temporary\?/;
  const away = await stage.open("/chat.html?as=alice", undefined, async (page) => {
    await page.route(record, cut("record"));
    await page.route(bytes, cut("bytes"));
  });
  const row = message(away, "a dot");
  await row.getByText("The picture comes when the network is back.").waitFor();
  assert.ok(!(await texts(away)).some((text) => text.startsWith("The picture")), "a note is no message");
  await away.unroute(record);
  await until("the bytes are asked for", () => asked.bytes > 0);
  await away.unroute(bytes);
  await until("the picture is there", () => row.locator("img").evaluate((image) => image.naturalWidth === 1));
  await row.locator("img").waitFor();
  assert.ok(asked.record > 0);
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
  await bob.locator("#connection").getByText("connecting").waitFor();
  await say(alice, "Bob is in a tunnel");
  await message(alice, "Bob is in a tunnel").getByText("Phone: delivered").waitFor();
  assert.equal(await message(bob, "Bob is in a tunnel").count(), 0);
  await bob.getByRole("button", { name: "Come back" }).click();
  await arrives(bob, "Bob is in a tunnel");
  await message(alice, "Bob is in a tunnel").getByText("Seen by Bob").waitFor();
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
