// People on phones in a conversation: what they are sent and how far it comes, what they answer, and what is not kept.

import assert from "node:assert/strict";
import { test } from "node:test";

import { accountSid, authToken, collect, until } from "../server.mjs";
import { forEachVersion } from "../versions.mjs";

const authorization = `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString("base64")}`;
let numbers = 0;

forEachVersion("delivery", (context) => {
  const { sdk, fresh } = context;

  const number = () => `+1555${String(1_000_000 + ++numbers)}`;
  // The simulator's own calls.
  const simulator = async (method, path, body) => {
    const answer = await fetch(`${context.server.url}/v1/simulator/${path}`, {
      method,
      headers: { authorization, "content-type": "application/json" },
      body: body && JSON.stringify(body),
    });
    assert.ok(answer.ok, `${path}: ${answer.status}`);
    return answer.json();
  };
  const handset = (address) => `handsets/${encodeURIComponent(address)}`;
  const received = async (address) => (await simulator("GET", `${handset(address)}/messages`)).messages;

  // Ann with phones, her conversation open.
  const withPhones = async (...addresses) => {
    const ann = fresh("ann");
    const sid = await context.conversation({}, ann);
    const proxy = number();
    for (const [n, address] of addresses.entries()) {
      await context.backend.conversations(sid).participants.create({
        "messagingBinding.address": address,
        "messagingBinding.proxyAddress": n === 0 ? proxy : number(),
      });
    }
    const [, talk] = await context.opened(ann, sid);
    return { ann, sid, proxy, talk, rest: context.backend.conversations(sid) };
  };
  const send = async (talk, body) => {
    const added = collect(talk, "messageAdded");
    const index = await talk.sendMessage(body);
    return until("it was heard", () => added.find((message) => message.index === index));
  };
  const shares = ({ aggregatedDeliveryReceipt: it }) => [it.total, it.sent, it.delivered, it.read, it.undelivered, it.failed];

  test("follows each copy from sent to read", async () => {
    const phones = [number(), number()];
    await simulator("PUT", handset(phones[1]), { state: "off" });
    const { talk, rest } = await withPhones(...phones);
    const updates = collect(talk, "messageUpdated");
    const message = await send(talk, "to phones");
    assert.equal(message.aggregatedDeliveryReceipt.total, 2);
    await until("one has it", () => message.aggregatedDeliveryReceipt.delivered === "some");
    await until("the other one was sent it", () => message.aggregatedDeliveryReceipt.sent === "all");
    assert.deepEqual(shares(message), [2, "all", "some", "none", "none", "none"]);
    await simulator("PUT", handset(phones[1]), { state: "on" });
    await until("both have it", () => message.aggregatedDeliveryReceipt.delivered === "all");
    for (const [phone, share] of [[phones[0], "some"], [phones[1], "all"]]) {
      const [copy] = await received(phone);
      assert.equal(copy.text, "to phones");
      await simulator("POST", `messages/${copy.id}/read`);
      await until("it was read", () => message.aggregatedDeliveryReceipt.read === share);
    }
    assert.deepEqual(shares(message), [2, "all", "all", "all", "none", "none"]);
    // It is no edit: nothing else of the message has changed.
    assert.ok(updates.length >= 4);
    for (const update of updates) {
      assert.equal(update.message, message);
      assert.deepEqual(update.updateReasons, ["deliveryReceipt"]);
    }
    assert.deepEqual([message.lastUpdatedBy, message.dateUpdated], [null, message.dateCreated]);

    const details = (await message.getDetailedDeliveryReceipts()).map((receipt) => context.watch(receipt));
    const stored = await rest.messages(message.sid).deliveryReceipts.list();
    assert.equal(details.length, 2);
    for (const receipt of details) {
      const same = stored.find(({ sid }) => sid === receipt.sid);
      assert.deepEqual([receipt.messageSid, receipt.conversationSid, receipt.status, receipt.errorCode], [
        message.sid, talk.sid, "read", 0,
      ]);
      assert.deepEqual([receipt.channelMessageSid, receipt.participantSid], [same.channelMessageSid, same.participantSid]);
      assert.deepEqual([Date.parse(receipt.dateCreated), Date.parse(receipt.dateUpdated)], [
        same.dateCreated.getTime(), same.dateUpdated.getTime(),
      ]);
    }
    const people = (await talk.getParticipants()).filter(({ type }) => type === "sms").map(({ sid }) => sid);
    assert.deepEqual(details.map(({ participantSid }) => participantSid).sort(), people.sort());
  });

  test("tells what does not arrive, and why", async () => {
    // Numbers that have their outcome built in.
    const { talk } = await withPhones(number(), "+15005530003", "+15005521610");
    const message = await send(talk, "to some");
    await until("all has ended", () => {
      const { delivered, undelivered, failed } = message.aggregatedDeliveryReceipt;
      return [delivered, undelivered, failed].every((share) => share === "some");
    });
    assert.deepEqual(shares(message), [3, "some", "some", "none", "some", "some"]);
    const details = await message.getDetailedDeliveryReceipts();
    const ends = details.map(({ status, errorCode }) => `${status} ${errorCode}`);
    assert.deepEqual(ends.sort(), ["delivered 0", "failed 21610", "undelivered 30003"]);

    // The pages that the SDK walks through for that.
    const first = await message._getDetailedDeliveryReceiptsPaginator({ pageSize: 1 });
    assert.ok(first instanceof sdk.RestPaginator);
    assert.deepEqual([first.items.length, first.hasNextPage, first.hasPrevPage], [1, true, false]);
    await assert.rejects(first.prevPage());
    const second = await first.nextPage();
    assert.deepEqual([second.items.length, second.hasNextPage, second.hasPrevPage], [2, false, true]);
    const again = await second.prevPage();
    assert.deepEqual(again.items.map(({ sid }) => sid), first.items.map(({ sid }) => sid));
    assert.deepEqual([...first.items, ...second.items].map(({ sid }) => sid), details.map(({ sid }) => sid));
  });

  test("hears answers from phones", async () => {
    const phone = number();
    const { talk, proxy, rest } = await withPhones(phone, number());
    const heard = collect(talk, "messageAdded");
    await simulator("POST", `${handset(phone)}/messages`, { to: proxy, text: "from a phone" });
    const message = await until("it was heard", () => heard[0]);
    const sender = await message.getParticipant();
    assert.deepEqual([message.author, message.body, message.type], [phone, "from a phone", "text"]);
    assert.deepEqual([sender.sid, sender.type, sender.identity], [message.participantSid, "sms", null]);
    assert.equal(sender.sid, (await rest.participants.list()).find((one) => one.messagingBinding?.address === phone).sid);
    // The other phone gets a copy, the one that wrote it does not.
    assert.equal(message.aggregatedDeliveryReceipt.total, 1);
    await until("it is delivered", () => message.aggregatedDeliveryReceipt.delivered === "all");
    assert.deepEqual((await received(phone)).map(({ direction }) => direction), ["sent"]);
    assert.equal(await talk.getUnreadMessagesCount(), null);
    assert.equal(talk.lastMessage.index, 0);
  });

  test("has no receipts, recipients or channel metadata where there are none", async () => {
    const { talk } = await withPhones();
    const message = await send(talk, "to nobody");
    assert.equal(message.aggregatedDeliveryReceipt, null);
    assert.deepEqual(await message.getDetailedDeliveryReceipts(), []);
    assert.equal(await message.getChannelMetadata(), null);
    assert.deepEqual(await message.getMessageRecipients(), []);
    const page = await talk.getMessageRecipients({ pageSize: 10 });
    assert.ok(page instanceof sdk.RestPaginator);
    assert.deepEqual([page.items, page.hasNextPage, page.hasPrevPage], [[], false, false]);
    await assert.rejects(page.nextPage());
  });
});
