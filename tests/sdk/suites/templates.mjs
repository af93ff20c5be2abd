// Content templates: the list, messages that are made from them, and what the SDK shows of such a message.

import assert from "node:assert/strict";
import { test } from "node:test";

import { accountSid, authToken, collect, refused, until } from "../server.mjs";
import { forEachVersion } from "../versions.mjs";

const PREFIX = "application/x-vnd.com.twilio.rich.";

forEachVersion("templates", (context) => {
  const { sdk, fresh } = context;

  const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString("base64")}`;
  // Backends make templates by the Content API.
  const template = async (types, variables = {}) => {
    const answer = await fetch(`${context.server.url}/v1/Content`, {
      method: "POST",
      headers: { authorization, "content-type": "application/json" },
      body: JSON.stringify({ friendly_name: fresh("template"), language: "en", variables, types }),
    });
    assert.equal(answer.status, 201);
    return answer.json();
  };
  const remove = async (sid) => {
    const gone = await fetch(`${context.server.url}/v1/Content/${sid}`, { method: "DELETE", headers: { authorization } });
    assert.equal(gone.status, 204);
  };

  const actions = [
    { type: "URL", title: "Look", url: "https://example.org/{{1}}" },
    { type: "PHONE_NUMBER", title: "Call {{1}}", phone: "+15551234567" },
  ];
  const replies = [{ type: "QUICK_REPLY", title: "Yes, {{1}}", id: "yes" }];
  const media = ["https://example.org/{{1}}.png"];
  const items = [{ id: "1", item: "First of {{1}}", description: "d" }];
  // Of each type: what the template holds, what the SDK makes of it with "Bob", and the message's text.
  const types = {
    "twilio/text": [{ body: "Hi {{1}}" }, { type: "text", body: "Hi Bob" }, "Hi Bob"],
    "twilio/media": [
      { body: "See {{1}}", media },
      { type: "media", body: "See Bob", media: ["https://example.org/Bob.png"] },
      "See Bob",
    ],
    "twilio/location": [
      { latitude: 58.38, longitude: 26.72, label: "{{1}}'s" },
      { type: "location", latitude: 58.38, longitude: 26.72, label: "Bob's" },
      "Bob's\n58.38, 26.72",
    ],
    "twilio/quick-reply": [
      { body: "Well, {{1}}?", actions: replies },
      { type: "quickReply", body: "Well, Bob?", replies: [{ type: "QUICK_REPLY", title: "Yes, Bob", id: "yes" }] },
      "Well, Bob?",
    ],
    "twilio/call-to-action": [
      { body: "Act, {{1}}", actions },
      {
        type: "callToAction",
        body: "Act, Bob",
        actions: [
          { type: "url", title: "Look", url: "https://example.org/Bob" },
          { type: "phone", title: "Call Bob", phone: "+15551234567" },
        ],
      },
      "Act, Bob",
    ],
    "twilio/list-picker": [
      { body: "Pick, {{1}}", button: "Open", items },
      { type: "listPicker", body: "Pick, Bob", button: "Open", items: [{ id: "1", item: "First of Bob", description: "d" }] },
      "Pick, Bob",
    ],
    "twilio/card": [
      { title: "{{1}}", subtitle: "sub", media, actions: replies },
      {
        type: "card",
        title: "Bob",
        subtitle: "sub",
        media: ["https://example.org/Bob.png"],
        actions: [{ type: "reply", title: "Yes, Bob", id: "yes", index: 0 }],
      },
      "Bob\nsub",
    ],
  };
  // What the SDK keeps of the JSON itself is compared apart.
  const plain = ({ rawData, actions, ...rest }) => ({
    ...rest,
    ...(actions && { actions: actions.map(({ rawData, ...action }) => action) }),
  });

  test("lists the account's templates", async () => {
    const all = Object.fromEntries(Object.entries(types).map(([name, [variant]]) => [name, variant]));
    const made = await template({ ...all, "whatsapp/card": { body: "for nobody here" } }, { 1: "friend", city: "Tartu" });
    // More than a page of the SDK has, beside what other tests make.
    await Promise.all([...Array(100)].map(() => template({ "twilio/text": { body: "one of many" } })));
    const client = await context.client(fresh("ann"));
    const templates = await client.getContentTemplates();
    assert.ok(templates.length > 100, `${templates.length}`);
    assert.equal(new Set(templates.map(({ sid }) => sid)).size, templates.length);
    const found = templates.filter(({ sid }) => sid === made.sid);
    assert.equal(found.length, 1);
    const seen = context.watch(found[0]);
    assert.deepEqual([seen.sid, seen.friendlyName], [made.sid, made.friendly_name]);
    assert.equal(seen.dateCreated.getTime(), Date.parse(made.date_created));
    assert.equal(seen.dateUpdated.getTime(), Date.parse(made.date_updated));
    assert.deepEqual([...seen.variants.keys()].sort(), Object.keys(types).sort());
    assert.equal(seen.variants.get("twilio/quick-reply").body, "Well, {{1}}?");
    const variables = seen.variables.map((variable) => context.watch(variable));
    assert.deepEqual(variables.map(({ name, value }) => [name, value]).sort(), [["1", "friend"], ["city", "Tartu"]]);
    const copy = seen.variables[0].copyWithValue("other");
    assert.deepEqual([copy.name, copy.value], [seen.variables[0].name, "other"]);
  });

  for (const [name, [variant, shown, text]] of Object.entries(types)) {
    test(`sends ${name}, which is shown whole`, async () => {
      const [ann, ben] = [fresh("ann"), fresh("ben")];
      const sid = await context.conversation({}, ann, ben);
      const { sid: contentSid } = await template({ [name]: variant }, { 1: "friend" });
      const [[, hers], [, his]] = await Promise.all([context.opened(ann, sid), context.opened(ben, sid)]);
      const heard = collect(his, "messageAdded");
      const bob = new sdk.ContentTemplateVariable("1", "Bob");
      const unsent = context.watch(hers.prepareMessage().setContentTemplate(contentSid, [bob]).build());
      assert.deepEqual([unsent.contentSid, unsent.contentVariables], [contentSid, [bob]]);
      assert.equal(await unsent.send(), 0);
      await until("it was heard", () => heard.length === 1);
      const [message] = heard;
      assert.deepEqual([message.contentSid, message.body, message.author], [contentSid, text, ann]);
      // It is a text with another form of it, and no attachment.
      assert.deepEqual([message.type, message.media, message.attachedMedia], ["text", null, []]);
      const [piece] = message.getMediaByCategories(["body"]);
      assert.deepEqual([piece.contentType, piece.category], [PREFIX + name.replace("/", "."), "body"]);
      const data = await message.getContentData();
      assert.deepEqual(plain(data), shown);
      const { data: whole } = await (await fetch(await piece.getContentTemporaryUrl())).json();
      assert.deepEqual(JSON.parse(data.rawData), whole);
      assert.deepEqual(whole, JSON.parse(JSON.stringify(variant).replaceAll("{{1}}", "Bob")));

      // The message has what it says, whatever becomes of the template and of the text.
      await remove(contentSid);
      await context.backend.conversations(sid).messages(message.sid).update({ body: "edited" });
      await until("the edit was heard", () => message.body === "edited");
      assert.deepEqual(plain(await message.getContentData()), shown);
      const stored = await context.backend.conversations(sid).messages(message.sid).fetch();
      assert.deepEqual([stored.contentSid, stored.media], [contentSid, null]);
    });
  }

  test("shows the fullest of several types, and its defaults, also of a program's message", async () => {
    const ann = fresh("ann");
    const sid = await context.conversation({}, ann);
    const both = { "twilio/quick-reply": types["twilio/quick-reply"][0], "twilio/text": { body: "Plainly, {{1}} {{2}}" } };
    const { sid: contentSid } = await template(both, { 1: "friend" });
    const [, talk] = await context.opened(ann, sid);
    const heard = collect(talk, "messageAdded");
    await context.backend.conversations(sid).messages.create({ contentSid });
    await talk.prepareMessage().setContentTemplate(contentSid).build().send();
    await until("both were heard", () => heard.length === 2);
    for (const message of heard) {
      assert.equal(message.body, "Plainly, friend {{2}}");
      assert.equal((await message.getContentData()).body, "Well, friend?");
    }
    assert.equal(heard[0].author, "system");
    // A message that is deleted takes it along.
    const [piece] = heard[0].getMediaByCategories(["body"]);
    await heard[1].remove();
    await context.backend.conversations(sid).messages(heard[0].sid).remove();
    const { chatServiceSid: service } = await context.backend.conversations(sid).fetch();
    const gone = await fetch(`${context.server.url}/v1/Services/${service}/Media/${piece.sid}`, { headers: { authorization } });
    assert.equal(gone.status, 404);
  });

  test("refuses what cannot be filled", async () => {
    const ann = fresh("ann");
    const sid = await context.conversation({}, ann);
    const [, talk] = await context.opened(ann, sid);
    const { sid: unsupported } = await template({ "whatsapp/card": { body: "x" } });
    const { sid: good } = await template({ "twilio/text": { body: "{{1}}" } });
    const { sid: vast } = await template({ "twilio/text": { body: "{{1}}".repeat(140) } });
    const variable = (name, value) => new sdk.ContentTemplateVariable(name, value);
    const send = (...template) => talk.prepareMessage().setContentTemplate(...template).build().send();
    for (const [call, code] of [
      [() => send("HX00000000000000000000000000000001"), 20404],
      [() => send("no SID"), 50526],
      [() => send(unsupported), 50542],
      [() => send(vast, [variable("1", "x".repeat(256))]), 50504],
      [() => send(good, [variable("1", "x".repeat(257))]), 50541],
      [() => send(good, [variable("seventeen letters", "x")]), 50540],
    ]) {
      assert.deepEqual(await refused(call()), [400, code]);
    }
    assert.equal(await talk.getMessagesCount(), 0);
  });
});
