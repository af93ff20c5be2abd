// Files of messages: their URLs, who sees them, and uploads that are broken off.

import assert from "node:assert/strict";
import { test } from "node:test";

import { collect, until } from "../server.mjs";
import { forEachVersion } from "../versions.mjs";

forEachVersion("media", (context) => {
  const { sdk, fresh } = context;

  // Two people and a message of two files, as both have it.
  const shared = async () => {
    const [ann, ben] = [fresh("ann"), fresh("ben")];
    const sid = await context.conversation({}, ann, ben);
    const [[client, hers], [other, his]] = await Promise.all([context.opened(ann, sid), context.opened(ben, sid)]);
    const heard = collect(his, "messageAdded");
    await hers.prepareMessage()
      .addMedia({ contentType: "text/plain", filename: "1.txt", media: "one" })
      .addMedia({ contentType: "text/plain", filename: "2.txt", media: "two" })
      .build().send();
    await until("it was heard", () => heard.length === 1);
    return { ann, ben, sid, client, other, hers, his, message: heard[0] };
  };
  const text = async (url) => {
    const answer = await fetch(url);
    assert.equal(answer.status, 200);
    return answer.text();
  };

  test("gives temporary URLs in every way it is asked", async () => {
    const { message, other } = await shared();
    const pieces = message.attachedMedia;
    const sids = pieces.map(({ sid }) => sid);
    for (const urls of [
      await message.getTemporaryContentUrlsForAttachedMedia(),
      await message.getTemporaryContentUrlsForMedia(pieces),
      await message.getTemporaryContentUrlsForMediaSids(sids),
      await other.getTemporaryContentUrlsForMedia(pieces),
      await other.getTemporaryContentUrlsForMediaSids(sids),
    ]) {
      assert.deepEqual([...urls.keys()].sort(), sids.toSorted());
      assert.deepEqual(await Promise.all(sids.map((sid) => text(urls.get(sid)))), ["one", "two"]);
    }
    const again = await message.attachTemporaryUrlsFor(pieces);
    for (const [n, piece] of again.entries()) {
      const [same, content] = [pieces[n], ["one", "two"][n]];
      assert.deepEqual([piece.sid, piece.filename, piece.contentType, piece.size, piece.category], [
        same.sid, same.filename, same.contentType, same.size, "media",
      ]);
      assert.equal(await text(await piece.getContentTemporaryUrl()), content);
      assert.equal(await text(await same.getContentTemporaryUrl()), content);
    }
    // Nobody changes whose file a URL is of, or for how long.
    const url = new URL(await pieces[0].getContentTemporaryUrl());
    const changed = [
      url.href.replace(sids[0], sids[1]),
      [...url.searchParams].reduce((href, [, value]) => href.replace(value, `1${value}`), url.href),
      url.origin + url.pathname,
    ];
    for (const href of changed) assert.ok([401, 403, 404].includes((await fetch(href)).status), href);
  });

  test("shows files to those in the conversation only, as long as they are there", async () => {
    const { ben, sid, message, hers } = await shared();
    const sids = message.attachedMedia.map((piece) => piece.sid);
    const stranger = await context.client(fresh("cid"));
    await assert.rejects(stranger.getTemporaryContentUrlsForMediaSids(sids));
    // One that may not be seen spoils the set.
    await assert.rejects(message.getTemporaryContentUrlsForMediaSids([sids[0], "ME00000000000000000000000000000001"]));
    const left = collect(hers, "participantLeft");
    await context.backend.conversations(sid).participants(ben).remove();
    await until("he is out", () => left.length === 1);
    await assert.rejects(message.attachedMedia[0].getContentTemporaryUrl());
    // With the message go its files.
    const [own] = (await hers.getMessages(1)).items;
    const url = await own.attachedMedia[0].getContentTemporaryUrl();
    assert.equal(await text(url), "one");
    await own.remove();
    await assert.rejects(hers.getMessages(1).then(() => own.getTemporaryContentUrlsForAttachedMedia()));
    assert.equal((await fetch(url)).status, 404);
  });

  test("takes in what browsers send as a form", async () => {
    const ann = fresh("ann");
    const client = await context.client(ann);
    const { chatServiceSid: service } = await context.backend.conversations.create({});
    // The runtime's own; 2.x puts another one in its place, which nothing but 2.x can send.
    const urlencoded = { "content-type": "application/x-www-form-urlencoded" };
    const form = await new Response("", { headers: urlencoded }).formData();
    form.append("bild ☂.png", new Blob(["a picture"], { type: "image/png" }), "bild ☂.png");
    const answer = await fetch(`${context.server.url}/v1/Services/${service}/Media?Category=media`, {
      method: "POST",
      headers: { "X-Twilio-Token": context.server.token(ann) },
      body: form,
    });
    assert.equal(answer.status, 201);
    const record = await answer.json();
    assert.deepEqual([record.filename, record.content_type, record.size, record.author, record.is_multipart_upstream], [
      "bild ☂.png", "image/png", 9, ann, true,
    ]);
    const urls = await client.getTemporaryContentUrlsForMediaSids([record.sid]);
    assert.equal(await text(urls.get(record.sid)), "a picture");
  });

  test("goes on with a new token", async () => {
    const { ben, other, message } = await shared();
    await other.updateToken(context.server.token(ben, { ttl: 1800 }));
    const urls = await message.getTemporaryContentUrlsForAttachedMedia();
    assert.equal(urls.size, 2);
  });

  test("breaks off what is cancelled", async () => {
    const { hers, his, message } = await shared();
    const heard = collect(his, "messageAdded");
    const sending = hers.prepareMessage()
      .addMedia({ contentType: "application/octet-stream", media: Buffer.alloc(4 * 1024 * 1024) })
      .build().send();
    assert.ok(sending instanceof sdk.CancellablePromise);
    sending.cancel();
    await assert.rejects(sending);
    const asking = message.attachedMedia[0].getContentTemporaryUrl();
    asking.cancel();
    await assert.rejects(asking);
    assert.equal(await hers.sendMessage("after"), 1);
    await until("it was heard", () => heard.length > 0);
    assert.deepEqual(heard.map(({ body }) => body), ["after"]);
  });

  test("sends and reads a large file", async () => {
    const { hers, his } = await shared();
    const heard = collect(his, "messageAdded");
    const bytes = Buffer.alloc(3 * 1024 * 1024, "0123456789abcdef\n");
    await hers.sendMessage({ contentType: "application/pdf", filename: "large.pdf", media: bytes });
    await until("it was heard", () => heard.length === 1);
    const [piece] = heard[0].attachedMedia;
    assert.equal(piece.size, bytes.length);
    const answer = await fetch(await piece.getContentTemporaryUrl());
    assert.deepEqual(Buffer.from(await answer.arrayBuffer()), bytes);
  });
});
