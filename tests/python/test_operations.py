"""Every published operation, called through the official Python library; each answer is held against the contract."""

import csv
import json
import os
import unittest
from datetime import datetime, timezone
from types import SimpleNamespace

from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

import contract
from device import register_device
from server import ACCOUNT_SID, AUTH_TOKEN, ServerTest

VERBS = ("Create", "List", "Fetch", "Update", "Delete")

PROXY = "+15550100000"
THEN = datetime(2024, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
HOOK = "https://example.com/hook"


class Recorder(TwilioHttpClient):
    """The library's own client; keeps what was asked and the raw answers."""

    def __init__(self, base):
        super().__init__()
        self.base = base
        self.answers = []

    def request(self, method, url, *args, **kwargs):
        answer = super().request(method, url, *args, **kwargs)
        self.answers.append((method, url.removeprefix(self.base), answer.status_code, answer.text))
        return answer


def conversation(api, w):
    w.talk = api.conversations.create(
        friendly_name="Hi & bye", unique_name=f"naïve {w.n}", attributes='{"a": 1}', date_created=THEN,
        date_updated=THEN, state="active", timers_inactive="PT1H", timers_closed="P1D", x_twilio_webhook_enabled="true",
        bindings_email_address="us@example.com", bindings_email_name="Us",
    ).sid
    w.plain = api.conversations.create().sid


def participants(api, w):
    talk = api.conversations(w.talk)
    w.alice = talk.participants.create(identity="alice", attributes='{"a":1}', date_created=THEN).sid
    for channel in ("", "whatsapp:"):
        w.phone = talk.participants.create(
            messaging_binding_address=f"{channel}+1555867530{w.n}", messaging_binding_proxy_address=channel + PROXY
        ).sid
    api.conversations(w.plain).participants.create(identity="alice")


def messages(api, w):
    talk = api.conversations(w.talk)
    w.message = talk.messages.create(author="alice", body="one", attributes='{"n":1}', subject="s").sid
    talk.messages.create()


def scoped_webhooks(api, w):
    hooks = api.conversations(w.talk).webhooks
    w.hook = hooks.create(
        target="webhook", configuration_url=HOOK, configuration_method="post",
        configuration_filters=["onMessageAdded", "onParticipantAdded"],
    ).sid
    hooks.create(target="trigger", configuration_url=HOOK, configuration_triggers=["help", "stop"])
    hooks.create(target="studio", configuration_flow_sid="FW" + "0" * 32, configuration_replay_after=0)


def user(api, w):
    w.user = api.users.create(identity="bob smith", friendly_name="Bob", attributes='{"x":1}').sid


def role(api, w):
    w.role = api.roles.create(friendly_name="speaker", type="conversation", permission=["sendMessage"]).sid


def with_participants(api, w):
    api.conversation_with_participants.create(friendly_name="empty")
    api.conversation_with_participants.create(
        friendly_name="two", timers_closed="P1D",
        participant=[
            '{"identity":"carol"}',
            '{"messaging_binding":{"address":"+1555867540%d","proxy_address":"%s"}}' % (w.n, PROXY),
        ],
    )


# Operations that exist in both forms of path, in the order in which they can be called; `api` is the default service or
# a named one, and `w` keeps what later rows need.
SHARED = [
    ("CreateConversation", conversation),
    ("ListConversation", lambda api, w: api.conversations.list(page_size=1, state="active")),
    ("FetchConversation", lambda api, w: api.conversations(f"naïve {w.n}").fetch()),
    ("UpdateConversation", lambda api, w: api.conversations(w.talk).update(friendly_name="New", timers_inactive="")),
    ("CreateConversationParticipant", participants),
    ("ListConversationParticipant", lambda api, w: api.conversations(w.talk).participants.list(page_size=2)),
    ("FetchConversationParticipant", lambda api, w: api.conversations(w.talk).participants("alice").fetch()),
    ("CreateConversationMessage", messages),
    ("ListConversationMessage", lambda api, w: api.conversations(w.talk).messages.list(order="desc", page_size=1)),
    ("FetchConversationMessage", lambda api, w: api.conversations(w.talk).messages(w.message).fetch()),
    ("UpdateConversationMessage",
     lambda api, w: api.conversations(w.talk).messages(w.message).update(body="edited", author="alice")),
    ("UpdateConversationParticipant",
     lambda api, w: api.conversations(w.talk).participants(w.alice).update(last_read_message_index=0)),
    ("ListConversationMessageReceipt", lambda api, w: keep_receipt(api, w)),
    ("FetchConversationMessageReceipt",
     lambda api, w: api.conversations(w.talk).messages(w.message).delivery_receipts(w.receipt).fetch()),
    ("CreateConversationScopedWebhook", scoped_webhooks),
    ("ListConversationScopedWebhook", lambda api, w: api.conversations(w.talk).webhooks.list()),
    ("FetchConversationScopedWebhook", lambda api, w: api.conversations(w.talk).webhooks(w.hook).fetch()),
    ("UpdateConversationScopedWebhook",
     lambda api, w: api.conversations(w.talk).webhooks(w.hook).update(configuration_method="get")),
    ("DeleteConversationScopedWebhook", lambda api, w: api.conversations(w.talk).webhooks(w.hook).delete()),
    ("CreateConversationWithParticipants", with_participants),
    ("ListParticipantConversation", lambda api, w: (
        api.participant_conversations.list(identity="alice", page_size=1),
        api.participant_conversations.list(address=f"+1555867530{w.n}"),
    )),
    ("CreateUser", user),
    ("ListUser", lambda api, w: api.users.list(page_size=1)),
    ("FetchUser", lambda api, w: api.users("bob smith").fetch()),
    ("UpdateUser", lambda api, w: api.users(w.user).update(friendly_name="Rob")),
    ("ListUserConversation", lambda api, w: api.users("alice").user_conversations.list(page_size=1)),
    ("FetchUserConversation", lambda api, w: api.users("alice").user_conversations(w.talk).fetch()),
    ("UpdateUserConversation",
     lambda api, w: api.users("alice").user_conversations(w.talk).update(notification_level="muted")),
    ("DeleteUserConversation", lambda api, w: api.users("alice").user_conversations(w.plain).delete()),
    ("CreateRole", role),
    ("ListRole", lambda api, w: api.roles.list(page_size=2)),
    ("FetchRole", lambda api, w: api.roles(w.role).fetch()),
    ("UpdateRole", lambda api, w: api.roles(w.role).update(permission=["sendMessage", "leaveConversation"])),
    ("DeleteRole", lambda api, w: api.roles(w.role).delete()),
    ("DeleteUser", lambda api, w: api.users(w.user).delete()),
    ("DeleteConversationMessage", lambda api, w: api.conversations(w.talk).messages(w.message).delete()),
    ("DeleteConversationParticipant", lambda api, w: api.conversations(w.talk).participants(w.phone).delete()),
    ("DeleteConversation", lambda api, w: api.conversations(w.talk).delete(x_twilio_webhook_enabled="true")),
]


def keep_receipt(api, w):
    receipts = api.conversations(w.talk).messages(w.message).delivery_receipts.list()
    w.receipt = receipts[0].sid


def address_configurations(api, w):
    addresses = api.address_configurations
    w.address = addresses.create(
        type="sms", address="+15550100001", friendly_name="Line", auto_creation_enabled=True,
        auto_creation_type="webhook", auto_creation_webhook_url=HOOK, auto_creation_webhook_method="post",
        auto_creation_webhook_filters=["onMessageAdded"],
    ).sid
    addresses.create(
        type="whatsapp", address="whatsapp:+15550100001", auto_creation_enabled=True, auto_creation_type="studio",
        auto_creation_studio_flow_sid="FW" + "0" * 32, auto_creation_studio_retry_count=2,
    )
    addresses.create(type="sms", address="+15550100002")


def credentials(api, w):
    w.credential = api.credentials.create(type="fcm", friendly_name="push", secret="s3cret").sid
    api.credentials.create(type="gcm", api_key="key")


SHORT_ONLY = [
    ("FetchConfiguration", lambda api, w: api.configuration().fetch()),
    ("UpdateConfiguration",
     lambda api, w: api.configuration().update(default_inactive_timer="PT10M", default_closed_timer="P2D")),
    ("FetchConfigurationWebhook", lambda api, w: api.configuration.webhooks().fetch()),
    ("UpdateConfigurationWebhook", lambda api, w: api.configuration.webhooks().update(
        method="POST", filters=["onMessageAdded", "onMessageAdd"], pre_webhook_url="http://127.0.0.1:9/pre",
        post_webhook_url="http://127.0.0.1:9/post", target="webhook")),
    ("CreateConfigurationAddress", address_configurations),
    ("ListConfigurationAddress", lambda api, w: api.address_configurations.list(page_size=1, type="sms")),
    ("FetchConfigurationAddress", lambda api, w: api.address_configurations("+15550100001").fetch()),
    ("UpdateConfigurationAddress",
     lambda api, w: api.address_configurations(w.address).update(friendly_name="L", auto_creation_type="default")),
    ("DeleteConfigurationAddress", lambda api, w: api.address_configurations(w.address).delete()),
    ("CreateCredential", credentials),
    ("ListCredential", lambda api, w: api.credentials.list(page_size=1)),
    ("FetchCredential", lambda api, w: api.credentials(w.credential).fetch()),
    ("UpdateCredential", lambda api, w: api.credentials(w.credential).update(friendly_name="p", secret="other")),
    ("DeleteCredential", lambda api, w: api.credentials(w.credential).delete()),
    ("CreateService", lambda api, w: setattr(w, "service", api.services.create(friendly_name="tenant").sid)),
    ("ListService", lambda api, w: api.services.list(page_size=1)),
    ("FetchService", lambda api, w: api.services(w.service).fetch()),
]


def bindings(api, w):
    register_device(w.url, w.token("dora"))
    listed = api.services(w.service).bindings.list(binding_type=["fcm", "apn"], identity=["dora"], page_size=1)
    w.binding = listed[0].sid


# Operations that exist in the service form only.
SERVICE_ONLY = [
    ("FetchServiceConfiguration", lambda api, w: api.services(w.service).configuration().fetch()),
    ("UpdateServiceConfiguration",
     lambda api, w: api.services(w.service).configuration().update(reachability_enabled=True)),
    ("FetchServiceNotification", lambda api, w: api.services(w.service).configuration.notifications().fetch()),
    ("UpdateServiceNotification", lambda api, w: api.services(w.service).configuration.notifications().update(
        log_enabled=True, new_message_enabled=True, new_message_template="${PARTICIPANT}: ${MESSAGE}",
        new_message_sound="ping", new_message_badge_count_enabled=True, new_message_with_media_enabled=True,
        added_to_conversation_template="hello", removed_from_conversation_sound="bye")),
    ("FetchServiceWebhookConfiguration", lambda api, w: api.services(w.service).configuration.webhooks().fetch()),
    ("UpdateServiceWebhookConfiguration", lambda api, w: api.services(w.service).configuration.webhooks().update(
        pre_webhook_url=HOOK, post_webhook_url=HOOK, filters=["onMessageAdded"], method="GET")),
    ("ListServiceBinding", bindings),
    ("FetchServiceBinding", lambda api, w: api.services(w.service).bindings(w.binding).fetch()),
    ("DeleteServiceBinding", lambda api, w: api.services(w.service).bindings(w.binding).delete()),
]
LAST = [("DeleteService", lambda api, w: api.services(w.service).delete())]


def in_service(name):
    """The name of an operation's service form."""
    verb = next(verb for verb in VERBS if name.startswith(verb))
    return f"{verb}Service{name.removeprefix(verb)}"


@unittest.skipUnless(contract.FOLDER, "CONVOKE_SPEC_DIR is not set: nothing is compared with the published contract")
class Operations(ServerTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.recorder = Recorder(cls.url)
        client = Client(ACCOUNT_SID, AUTH_TOKEN, http_client=cls.recorder)
        client.conversations.base_url = cls.url
        cls.api = client.conversations.v1
        cls.contract = contract.Contract()
        with open(os.path.join(contract.FOLDER, "operations.tsv"), encoding="utf-8") as file:
            cls.published = {row["operationId"] for row in csv.DictReader(file, delimiter="\t")}

    def test_all(self):
        self.assertEqual(len(self.published), 103)
        self.assertEqual(self.published - self.served(), set(), "operations that are not served")
        w = SimpleNamespace(url=self.url, n=0)
        w.token = lambda identity: self.token(identity, w.service)
        called = self.walk(SHORT_ONLY, self.api, w)
        called += self.walk(SHARED, self.api, w)
        w.n = 1
        named = [(in_service(name), call) for name, call in SHARED]
        called += self.walk(named, self.api.services(w.service), w)
        called += self.walk(SERVICE_ONLY + LAST, self.api, w)
        self.assertEqual(len(called), len(set(called)), "an operation stands in the table twice")
        self.assertEqual(set(called), self.published)

    def walk(self, rows, api, w):
        """Calls what is served, and holds each answer against the contract. Answers the names of what was called."""
        called = []
        for name, call in rows:
            self.recorder.answers.clear()
            with self.subTest(operation=name):
                call(api, w)
                for method, path, status, body in self.recorder.answers:
                    self.assertEqual(self.contract.operation_of(method, path), name, f"{method} {path}")
                    self.assertEqual(self.contract.faults(name, status, body), [], f"{method} {path}: {body}")
            if self.recorder.answers:
                called.append(name)
        return called


@unittest.skipUnless(contract.FOLDER, "CONVOKE_SPEC_DIR is not set")
class Strictness(unittest.TestCase):
    """The measure itself: what must be found, is found."""

    def test_each_fault_is_found(self):
        published = contract.Contract()
        sid, then = "0" * 32, "2024-01-02T03:04:05Z"
        role = {
            "sid": f"RL{sid}", "account_sid": f"AC{sid}", "chat_service_sid": f"IS{sid}", "friendly_name": "x",
            "type": "service", "permissions": ["sendMessage"], "date_created": then, "date_updated": then,
            "url": f"http://host/v1/Roles/RL{sid}",
        }
        faults = lambda status, body: published.faults("FetchRole", status, json.dumps(body))
        self.assertEqual(faults(200, role), [])
        for wrong in (
            {"more": 1}, {"sid": f"CH{sid}"}, {"type": "other"}, {"permissions": "sendMessage"},
            {"date_created": "2024-01-02T03:04:05.5Z"}, {"date_updated": None}, {"url": "/v1/Roles"},
        ):
            self.assertEqual(len(faults(200, role | wrong)), 1, wrong)
        del role["type"]
        self.assertEqual(len(faults(200, role)), 1)
        self.assertEqual(len(faults(202, role)), 1)
        self.assertEqual(len(published.faults("DeleteRole", 204, "{}")), 1)
