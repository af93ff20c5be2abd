"""The official Python library: a round trip over all core resources, in both forms of their paths."""

from datetime import datetime, timezone

from twilio.base.exceptions import TwilioRestException

from server import ServerTest


class RoundTrip(ServerTest):
    def forms(self):
        """The default service and a named one."""
        yield self.api
        yield self.api.services(self.api.services.create(friendly_name="tenant").sid)

    def assert_refused(self, status, code, call, *args, **kwargs):
        with self.assertRaises(TwilioRestException) as refusal:
            call(*args, **kwargs)
        self.assertEqual((refusal.exception.status, refusal.exception.code), (status, code))

    def test_services(self):
        service = self.api.services.create(friendly_name="one more")
        self.assertEqual(self.api.services(service.sid).fetch().friendly_name, "one more")
        self.assertIn(service.sid, [each.sid for each in self.api.services.list()])
        self.assertTrue(self.api.services(service.sid).delete())
        self.assert_refused(404, 20404, self.api.services(service.sid).fetch)

    def test_conversations(self):
        for number, api in enumerate(self.forms()):
            with self.subTest(form=number):
                created = datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
                made = api.conversations.create(
                    friendly_name="Hi & bye", unique_name="naïve + name", attributes='{"a": 1}', date_created=created
                )
                self.assertEqual(made.date_created, created)
                self.assertIsInstance(made.date_updated, datetime)
                self.assertEqual(api.conversations("naïve + name").fetch().sid, made.sid)
                changed = api.conversations(made.sid).update(friendly_name="New", timers_inactive="PT1H")
                self.assertEqual((changed.friendly_name, list(changed.timers)), ("New", ["date_inactive"]))
                self.assert_refused(409, 50353, api.conversations.create, unique_name="naïve + name")
                for _ in range(4):
                    api.conversations.create()
                listed = api.conversations.list(page_size=2)
                self.assertEqual(len({each.sid for each in listed}), 5)
                self.assertTrue(api.conversations(made.sid).delete())
                self.assert_refused(404, 20404, api.conversations(made.sid).fetch)

    def test_participants_and_messages(self):
        for number, api in enumerate(self.forms()):
            with self.subTest(form=number):
                talk = api.conversations(api.conversations.create().sid)
                alice = talk.participants.create(identity="alice", attributes='{"a":1}')
                phone = talk.participants.create(
                    messaging_binding_address=f"+1555867531{number}", messaging_binding_proxy_address="+15550100000"
                )
                self.assertEqual(phone.messaging_binding["type"], "sms")
                self.assertIsNone(phone.identity)
                self.assertEqual([each.sid for each in talk.participants.list(page_size=1)], [alice.sid, phone.sid])
                for n in range(5):
                    message = talk.messages.create(author="alice", body=f"m{n}")
                    self.assertEqual((message.index, message.participant_sid), (n, alice.sid))
                    self.assertIsInstance(message.date_created, datetime)
                newest = talk.messages.list(order="desc", page_size=2, limit=3)
                self.assertEqual([each.index for each in newest], [4, 3, 2])
                edited = talk.messages(newest[0].sid).update(body="edited")
                self.assertEqual(edited.body, "edited")
                receipts = talk.messages(newest[0].sid).delivery_receipts.list()
                self.assertEqual([each.participant_sid for each in receipts], [phone.sid])
                read = talk.participants("alice").update(last_read_message_index=3)
                self.assertEqual(read.last_read_message_index, 3)
                self.assertTrue(talk.messages(newest[0].sid).delete())
                self.assert_refused(409, 50433, talk.participants.create, identity="alice")
                self.assert_refused(400, 50407, talk.participants.create, messaging_binding_address="x",
                                    messaging_binding_proxy_address="+15550100000")
                self.assertTrue(talk.participants("alice").delete())
                self.assert_refused(404, 20404, talk.participants("alice").fetch)

    def test_users_and_roles(self):
        for number, api in enumerate(self.forms()):
            with self.subTest(form=number):
                user = api.users.create(identity="bob smith", friendly_name="Bob")
                self.assertEqual(api.users("bob smith").fetch().sid, user.sid)
                self.assertEqual(api.users(user.sid).update(attributes='{"x":1}').attributes, '{"x":1}')
                self.assert_refused(409, 50201, api.users.create, identity="bob smith")
                role = api.roles.create(friendly_name="speaker", type="conversation", permission=["sendMessage"])
                changed = api.roles(role.sid).update(permission=["sendMessage", "leaveConversation"])
                self.assertEqual(changed.permissions, ["sendMessage", "leaveConversation"])
                self.assertEqual(len(api.roles.list(page_size=2)), 5)
                self.assertTrue(api.roles(role.sid).delete())
                self.assertTrue(api.users(user.sid).delete())
