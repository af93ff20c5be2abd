// Who is typing: told to the others at once, and over after a while or with the message.

import assert from "node:assert/strict";
import { test } from "node:test";

import { collect, until } from "../server.mjs";
import { forEachVersion } from "../versions.mjs";

forEachVersion("typing", (context) => {
  const { fresh, conversation } = context;

  // Two people in a conversation who hear of it as it happens: typing is not told again to those who come later.
  async function pair(her, him) {
    const sid = await conversation({}, her, him);
    const opened = await Promise.all([context.opened(her, sid), context.opened(him, sid)]);
    const heard = opened.map(([, talk]) => collect(talk, "participantUpdated"));
    await context.backend.conversations(sid).participants(her).update({ attributes: '{"live":true}' });
    await until("both hear of changes", () => heard.every(({ length }) => length === 1));
    return opened;
  }

  test("is told to the others, and ends by itself", async () => {
    const [ann, bob] = [fresh("ann"), fresh("bob")];
    const [[client, hers], [other, his]] = await pair(ann, bob);
    const typist = await his.getParticipantByIdentity(ann);
    const emitters = [other, his, typist];
    const started = emitters.map((emitter) => collect(emitter, "typingStarted"));
    const ended = emitters.map((emitter) => collect(emitter, "typingEnded"));
    const own = [client, hers].flatMap((emitter) => [collect(emitter, "typingStarted"), collect(emitter, "typingEnded")]);
    await hers.typing();
    await until("he sees it", () => started.every(({ length }) => length === 1));
    assert.deepEqual(started.map(([participant]) => participant), [typist, typist, typist]);
    assert.equal(typist.isTyping, true);
    // Calls that follow soon are not even sent.
    await hers.typing();
    await until("it ended", () => ended.every(({ length }) => length === 1));
    assert.deepEqual([typist.isTyping, started.map(({ length }) => length)], [false, [1, 1, 1]]);
    assert.deepEqual(own, [[], [], [], []]);
  });

  test("ends with the message", async () => {
    const cid = fresh("cid");
    const [[, hers], [, his]] = await pair(cid, fresh("dan"));
    const [started, ended, heard] = ["typingStarted", "typingEnded", "messageAdded"].map((event) => collect(his, event));
    await hers.typing();
    await until("he sees it", () => started.length === 1);
    await hers.sendMessage("what I typed");
    await until("it ended", () => heard.length === 1 && ended.length === 1);
    assert.deepEqual([started[0].identity, ended[0].identity, started[0].isTyping], [cid, cid, false]);
  });
});
