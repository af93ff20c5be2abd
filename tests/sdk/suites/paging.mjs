// Reading messages: pages in both directions, from any place, over gaps, and while the conversation goes on.

import assert from "node:assert/strict";
import { test } from "node:test";

import { collect, until } from "../server.mjs";
import { forEachVersion } from "../versions.mjs";

forEachVersion("paging", (context) => {
  const { fresh } = context;

  // A conversation of one person with this many messages; their SIDs.
  const filled = async (count, body = () => "x") => {
    const ann = fresh("ann");
    const sid = await context.conversation({}, ann);
    const rest = context.backend.conversations(sid);
    const sids = [];
    while (sids.length < count) {
      const some = [...Array(Math.min(25, count - sids.length))];
      const made = await Promise.all(some.map((_, n) => rest.messages.create({ body: body(sids.length + n) })));
      for (const message of made) sids[message.index] = message.sid;
    }
    return { ann, sid, rest, sids };
  };
  const open = async ({ ann, sid }) => (await context.client(ann)).getConversationBySid(sid);
  const indexes = (page) => page.items.map(({ index }) => index);
  const upTo = (count) => [...Array(count).keys()];

  // Walks from a page to one end; answers the indexes of all pages in the order they were met.
  const walk = async (page, has, turn) => {
    const met = [indexes(page)];
    while (page[has]) {
      page = await page[turn]();
      met.push(indexes(page));
    }
    await assert.rejects(page[turn]());
    return met;
  };
  const back = async (page) => (await walk(page, "hasPrevPage", "prevPage")).reverse().flat();
  const forth = async (page) => (await walk(page, "hasNextPage", "nextPage")).flat();

  test("walks a long conversation from end to end, and back", async () => {
    const there = await filled(260);
    // Each walk with a client that has nothing in memory.
    const last = context.watch(await (await open(there)).getMessages(), "Paginator");
    assert.deepEqual(indexes(last), upTo(260).slice(-30));
    assert.deepEqual([last.hasNextPage, last.hasPrevPage], [false, true]);
    assert.deepEqual(await back(last), upTo(260));
    const first = context.watch(await (await open(there)).getMessages(100, 0, "forward"), "Paginator");
    assert.deepEqual(indexes(first), upTo(100));
    assert.deepEqual([first.hasNextPage, first.hasPrevPage], [true, false]);
    assert.deepEqual(await forth(first), upTo(260));
    // From the middle; the page itself begins where it was asked for. 2.7 and later take one end of the list for the
    // other when a walk turns round and goes there; nothing that a server answers would help.
    const turns = context.version.startsWith("2.6");
    const from = (first, count) => [...Array(count).keys()].map((n) => first + n);
    const before = await (await open(there)).getMessages(20, 150, "backwards");
    const after = await (await open(there)).getMessages(20, 150, "forward");
    assert.deepEqual([indexes(before), indexes(after)], [from(131, 20), from(150, 20)]);
    for (const page of [before, after]) assert.deepEqual([page.hasNextPage, page.hasPrevPage], [true, true]);
    assert.deepEqual(await back(before), upTo(151));
    assert.deepEqual(await forth(after), from(150, 110));
    if (turns) assert.deepEqual([await forth(before), await back(after)], [from(131, 129), upTo(170)]);
    // There and back again, on one client.
    const talk = await open(there);
    let page = context.watch(await talk.getMessages(50), "Paginator");
    const seen = [indexes(page)];
    for (const turn of ["prevPage", "prevPage", "nextPage", "nextPage"]) seen.push(indexes((page = await page[turn]())));
    assert.deepEqual(seen[3], seen[1]);
    assert.deepEqual(seen[4], seen[0]);
  });

  test("reads over gaps, and from places that are none", async () => {
    const there = await filled(60);
    // The first, the last, one page's edge and a whole stretch are gone.
    const gone = [0, 9, 10, 11, ...upTo(20).map((n) => 25 + n), 59];
    for (const index of gone) await there.rest.messages(there.sids[index]).remove();
    const left = upTo(60).filter((index) => !gone.includes(index));
    const last = await (await open(there)).getMessages(10);
    assert.deepEqual(indexes(last), left.slice(-10));
    assert.deepEqual([last.hasNextPage, last.hasPrevPage], [false, true]);
    assert.deepEqual(await back(last), left);
    const first = await (await open(there)).getMessages(10, 0, "forward");
    assert.deepEqual(indexes(first), left.slice(0, 10));
    assert.deepEqual([first.hasNextPage, first.hasPrevPage], [true, false]);
    assert.deepEqual(await forth(first), left);
    // An anchor that was deleted counts as the place where it was.
    const talk = await open(there);
    for (const [anchor, direction, wanted] of [
      [30, "forward", left.filter((index) => index >= 30).slice(0, 10)],
      [30, "backwards", left.filter((index) => index <= 30).slice(-10)],
      [59, "backwards", left.slice(-10)],
      [1000, "forward", []],
      [1000, "backwards", left.slice(-10)],
    ]) {
      const page = await (await open(there)).getMessages(10, anchor, direction);
      assert.deepEqual(indexes(page), wanted, `${anchor} ${direction}`);
      // Behind the end there is everything before: 2.6 says so as we do, later ones end at any empty page.
      const leads = wanted.length > 0 || context.version.startsWith("2.6");
      assert.equal(page.hasPrevPage, leads, `${anchor} ${direction}`);
      if (leads && wanted.length === 0) assert.deepEqual(indexes(await page.prevPage()), left.slice(-10));
    }
    assert.equal(await talk.getMessagesCount(), left.length);
  });

  test("reads all of messages so long that pages end early", async () => {
    const body = (n) => `${n} ${"x".repeat(24_000)}`;
    const there = await filled(150, body);
    const whole = (page, has) => {
      assert.ok(page.items.every(({ body }) => body.length > 24_000), "no text was cut");
      // As many as were asked for would be 2.4 million letters.
      assert.ok(page.items.length < 60 && (page.items.length > 10 || !page[has]), `${page.items.length} of 100`);
    };
    for (const [from, has, turn] of [[undefined, "hasPrevPage", "prevPage"], [0, "hasNextPage", "nextPage"]]) {
      const talk = await open(there);
      let page = await talk.getMessages(100, from, from === 0 ? "forward" : "backwards");
      const met = [];
      for (;;) {
        whole(page, has);
        met.push(indexes(page));
        if (!page[has]) break;
        page = await page[turn]();
      }
      if (from === undefined) met.reverse();
      assert.deepEqual(met.flat(), upTo(150));
      // And again, of what is in memory.
      assert.deepEqual(indexes(await talk.getMessages(5, 70, "forward")), [70, 71, 72, 73, 74]);
      assert.deepEqual(indexes(await talk.getMessages(30)), upTo(150).slice(-30));
    }
  });

  test("reads nothing where there is nothing, and all where it fits", async () => {
    const none = await (await open(await filled(0))).getMessages(10);
    assert.deepEqual([none.items, none.hasNextPage, none.hasPrevPage], [[], false, false]);
    for (const count of [1, 10]) {
      const there = await filled(count);
      for (const direction of ["forward", "backwards"]) {
        const page = await (await open(there)).getMessages(10, direction === "forward" ? 0 : undefined, direction);
        assert.deepEqual([indexes(page), page.hasNextPage, page.hasPrevPage], [upTo(count), false, false], direction);
      }
    }
  });

  test("keeps its place while messages come and go", async () => {
    const there = await filled(40);
    const talk = await open(there);
    const [added, removed] = [collect(talk, "messageAdded"), collect(talk, "messageRemoved")];
    let page = await talk.getMessages(10);
    const seen = [indexes(page)];
    for (let n = 0; n < 3; n++) {
      await there.rest.messages.create({ body: "new" });
      await there.rest.messages(there.sids[39 - n]).remove();
      await there.rest.messages(there.sids[n]).remove();
      await until("it was heard", () => added.length === n + 1 && removed.some(({ index }) => index === 39 - n));
      page = await page.prevPage();
      seen.unshift(indexes(page));
    }
    assert.deepEqual(seen.flat().slice(-30), upTo(40).slice(10));
    assert.deepEqual(seen.flat(), upTo(40).slice(3));
    assert.equal(page.hasPrevPage, false);
    // What was read again is what is there now.
    const now = await talk.getMessages(100);
    assert.deepEqual(indexes(now), [...upTo(37).slice(3), 40, 41, 42]);
    assert.deepEqual(indexes(await talk.getMessages(2, 36, "forward")), [36, 40]);
  });
});
