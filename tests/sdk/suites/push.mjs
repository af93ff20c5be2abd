// Push notifications: registering devices, and what the SDK makes of what a device was sent.

import assert from "node:assert/strict";
import { test } from "node:test";

import { collect, until } from "../server.mjs";
import { forEachVersion } from "../versions.mjs";

forEachVersion("push", (context) => {
  const { sdk, fresh } = context;

  // The devices of somebody, as a backend sees them.
  async function bindings(identity) {
    const { defaultChatServiceSid } = await context.backend.configuration().fetch();
    return context.backend.services(defaultChatServiceSid).bindings.list({ identity: [identity] });
  }

  test("devices are registered, changed and forgotten", async () => {
    const ann = fresh("ann");
    const client = await context.client(ann);
    assert.deepEqual(await bindings(ann), []);
    const first = fresh("fcm-device");
    await client.setPushRegistrationId("fcm", first);
    const [binding] = await until("the device is known", async () => {
      const found = await bindings(ann);
      return found.length === 1 && found;
    });
    assert.deepEqual([binding.identity, binding.bindingType], [ann, "fcm"]);
    assert.deepEqual(binding.messageTypes.toSorted(), ["added_to_conversation", "new_message", "removed_from_conversation"]);
    await client.setPushRegistrationId("apn", fresh("apn-device"));
    await until("both are known", async () => (await bindings(ann)).length === 2);
    await client.unsetPushRegistrationId("fcm");
    await until("one is left", async () => (await bindings(ann)).length === 1);
    assert.equal((await bindings(ann))[0].bindingType, "apn");
    // By the device's own name, whoever registered it.
    const third = fresh("fcm-device");
    const other = await context.client(ann);
    await other.setPushRegistrationId("fcm", third);
    await until("it is known", async () => (await bindings(ann)).length === 2);
    await client.removePushRegistrations("fcm", third);
    assert.deepEqual((await bindings(ann)).map(({ bindingType }) => bindingType), ["apn"]);
  });

  test("what a device was sent is read", async () => {
    const client = await context.client(fresh("bea"));
    const heard = collect(client, "pushNotification");
    const data = {
      twi_message_type: "twilio.conversations.new_message",
      twi_title: "Talk", twi_body: "Cid: hello", twi_sound: "ding", twi_action: "open",
      conversation_sid: "CH1", conversation_title: "Talk", message_sid: "IM1", message_index: "7", media_count: "1",
      media: JSON.stringify({ sid: "ME1" }),
    };
    await client.handlePushNotification({ data });
    const fcm = context.watch(heard[0]);
    assert.deepEqual([fcm.title, fcm.body, fcm.sound, fcm.badge, fcm.action, fcm.type], [
      "Talk", "Cid: hello", "ding", null, "open", sdk.NotificationTypes.NEW_MESSAGE,
    ]);
    assert.deepEqual(fcm.data, {
      conversationSid: "CH1", conversationTitle: "Talk", messageSid: "IM1", messageIndex: 7, mediaCount: 1,
      media: { sid: "ME1" },
    });
    const apn = sdk.Client.parsePushNotification({
      twi_message_type: "twilio.conversations.added_to_conversation", conversation_sid: "CH1",
      aps: { alert: { title: "Talk", body: "You were added" }, sound: "ding", badge: 3, category: "open" },
    });
    assert.ok(apn instanceof sdk.PushNotification);
    assert.deepEqual([apn.title, apn.body, apn.badge, apn.type, apn.data], [
      "Talk", "You were added", 3, sdk.NotificationTypes.ADDED_TO_CONVERSATION, { conversationSid: "CH1" },
    ]);
    await assert.rejects(client.handlePushNotification({ data: {} }));
    assert.deepEqual(
      [sdk.NotificationTypes.REMOVED_FROM_CONVERSATION, sdk.NotificationTypes.CONSUMPTION_UPDATE],
      ["twilio.conversations.removed_from_conversation", "twilio.channel.consumption_update"],
    );
  });
});
