// What a person may not do with messages, and what nobody may: each refusal with its status, code and details.

import assert from "node:assert/strict";
import { test } from "node:test";

import { collect, refused, until } from "../server.mjs";
import { forEachVersion } from "../versions.mjs";

forEachVersion("refusals", (context) => {
  const { fresh } = context;

  // A role of conversations with these permissions.
  const role = async (...permission) => {
    const made = await context.backend.roles.create({ friendlyName: fresh("role"), type: "conversation", permission });
    return made.sid;
  };
  // Ann has a role, or the usual one; Ben is an ordinary member. Each has sent a message.
  const people = async (roleSid) => {
    const [ann, ben] = [fresh("ann"), fresh("ben")];
    const sid = await context.conversation({}, ann, ben);
    const rest = context.backend.conversations(sid);
    for (const author of [ann, ben]) await rest.messages.create({ author, body: author, attributes: "{}" });
    if (roleSid) await rest.participants(ann).update({ roleSid });
    const [, talk] = await context.opened(ann, sid);
    const [own, foreign] = (await talk.getMessages(2)).items;
    assert.deepEqual([own.author, foreign.author], [ann, ben]);
    return { ann, ben, sid, rest, talk, own, foreign };
  };
  const file = { contentType: "text/plain", filename: "a.txt", media: "x" };
  const denied = async (call, permission) => {
    const error = await call.then(() => assert.fail(`${permission}: was not refused`), (error) => error);
    assert.deepEqual([error.status, error.body.code, error.body.details], [403, 50107, { permission }]);
    assert.equal(typeof error.body.message, "string");
    assert.equal(error.body.status, 403);
  };

  test("denies each thing that a role does not allow, by its name", async () => {
    // A role must allow something; leaving is nothing that is done here.
    const { rest, talk, own, foreign } = await people(await role("leaveConversation"));
    const updates = collect(talk, "messageUpdated");
    for (const [call, permission] of [
      [() => talk.sendMessage("x"), "sendMessage"],
      [() => talk.sendMessage(file), "sendMediaMessage"],
      [() => talk.prepareMessage().setBody("x").addMedia(file).build().send(), "sendMessage"],
      [() => own.updateBody("x"), "editOwnMessage"],
      [() => own.updateAttributes({ x: 1 }), "editOwnMessageAttributes"],
      [() => own.remove(), "deleteOwnMessage"],
      [() => foreign.updateBody("x"), "editAnyMessage"],
      [() => foreign.updateAttributes({ x: 1 }), "editAnyMessageAttributes"],
      [() => foreign.remove(), "deleteAnyMessage"],
    ]) {
      await denied(call(), permission);
    }
    assert.equal((await rest.messages.list()).length, 2);
    assert.deepEqual(updates, []);
  });

  test("allows each thing for its permission alone", async () => {
    for (const [permission, call, then] of [
      ["sendMessage", ({ talk }) => talk.sendMessage("x"), ({ talk }) => talk.sendMessage(file)],
      ["sendMediaMessage", ({ talk }) => talk.sendMessage(file), ({ talk }) => talk.sendMessage("x")],
      ["editOwnMessage", ({ own }) => own.updateBody("x"), ({ own }) => own.updateAttributes({ x: 1 })],
      ["editOwnMessageAttributes", ({ own }) => own.updateAttributes({ x: 1 }), ({ own }) => own.updateBody("x")],
      ["deleteOwnMessage", ({ own }) => own.remove(), ({ foreign }) => foreign.remove()],
      ["editAnyMessage", ({ foreign }) => foreign.updateBody("x"), ({ foreign }) => foreign.updateAttributes({ x: 1 })],
      ["editAnyMessageAttributes", ({ foreign }) => foreign.updateAttributes({ x: 1 }), ({ foreign }) => foreign.updateBody("x")],
      ["deleteAnyMessage", ({ foreign }) => foreign.remove(), ({ foreign }) => foreign.updateBody("x")],
    ]) {
      const there = await people(await role(permission));
      await call(there);
      assert.deepEqual(await refused(then(there)), permission.startsWith("delete") && permission.endsWith("AnyMessage")
        ? [404, 20404]
        : [403, 50107], permission);
    }
  });

  test("gives an ordinary member the own messages, and takes away at once what a role loses", async () => {
    const { ann, rest, talk, own, foreign } = await people();
    await own.updateBody("edited");
    await own.updateAttributes({ x: 1 });
    await denied(foreign.updateBody("x"), "editAnyMessage");
    await denied(foreign.remove(), "deleteAnyMessage");
    const sid = await role("sendMessage");
    await rest.participants(ann).update({ roleSid: sid });
    assert.equal(await talk.sendMessage("still"), 2);
    await denied(own.updateBody("no more"), "editOwnMessage");
    await context.backend.roles(sid).update({ permission: ["editOwnMessage"] });
    await denied(talk.sendMessage("no more"), "sendMessage");
    await own.updateBody("again");
    await until("it was heard", () => own.body === "again");
  });

  test("refuses what is too long, with the codes of REST", async () => {
    const { talk, own } = await people();
    const body = "x".repeat(32 * 1024);
    const attributes = (length) => ({ x: "x".repeat(length - '{"x":""}'.length) });
    assert.equal(await talk.sendMessage(body, attributes(4096)), 2);
    for (const [call, code] of [
      [() => talk.sendMessage(`${body}x`), 50504],
      [() => talk.sendMessage("☂".repeat(11_000)), 50504],
      [() => talk.sendMessage("x", attributes(4097)), 50303],
      [() => talk.sendMessage("x", {}, { subject: "s".repeat(257) }), 20422],
      [() => own.updateBody(`${body}x`), 50504],
      [() => own.updateAttributes(attributes(4097)), 50303],
    ]) {
      assert.deepEqual(await refused(call()), [400, code]);
    }
    assert.equal(await talk.getMessagesCount(), 3);
  });

  test("lets nothing be done in a closed conversation, but lets it be read", async () => {
    const { ann, sid, rest, talk, own } = await people();
    await rest.update({ state: "closed" });
    await until("it was heard", () => talk.state.current === "closed");
    for (const call of [
      () => talk.sendMessage("x"),
      () => talk.sendMessage(file),
      () => talk.prepareMessage().setBody("x").build().send(),
      () => own.updateBody("x"),
      () => own.updateAttributes({ x: 1 }),
    ]) {
      assert.deepEqual(await refused(call()), [400, 50377]);
    }
    const [, again] = await context.opened(ann, sid);
    assert.equal((await again.getMessages(10)).items.length, 2);
    assert.equal(await again.getMessagesCount(), 2);
  });

  test("knows no messages for those who are out", async () => {
    const { ann, sid, rest, talk, own } = await people();
    const left = collect(talk, "removed");
    await rest.participants(ann).remove();
    await until("she is out", () => left.length === 1);
    for (const call of [() => talk.sendMessage("x"), () => own.updateBody("x"), () => own.remove()]) {
      const [status, code] = await refused(call());
      assert.ok(status === 403 && code === 50430 || status === 404 && code === 20404, `${status} ${code}`);
    }
    await rest.messages.create({ body: "not for her" });
    const client = await context.client(ann);
    await assert.rejects(client.getConversationBySid(sid).then((found) => found.getMessages(1)));
    assert.equal((await rest.messages.list()).length, 3);
  });
});
