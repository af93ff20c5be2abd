"""Schemathesis against the server's own document: whatever is sent, the answer is one that the document describes.

Random names would meet 404 and little else, so the document is narrowed first: slots and SIDs to things that were
made before. Wrong values are still sent: Schemathesis breaks every rule of a schema on purpose.
"""

import json
import os
import subprocess
import sys
import tempfile

import requests

from device import register_device
from server import ACCOUNT_SID, AUTH_TOKEN, ServerTest

# What every answer is checked for. Not checked: whether good data are accepted (a name may be taken, a pair bound) and
# bad ones refused (unknown parameters are ignored on purpose, as the published API does).
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "response_headers_conformance", "unsupported_method", "allow_header_conformance", "ignored_auth",
)
# So many requests to an operation in the phase that sends random data; the other phase sends a fixed number.
EXAMPLES = 15
PROXY = "+15550100000"
# Nobody listens there: a webhook fails at once, and nothing leaves the machine.
NOWHERE = "http://127.0.0.1:9/hook"
# Good values of fields whose rules no schema tells.
GOOD = {
    "Attributes": ['{"a": [1, "é"]}', "{}", ""],
    "Address": ["+15550100021", "whatsapp:+15550100022", "+15550100020"],
    "Configuration.Filters": ["onMessageAdded", "onParticipantAdded"],
    "Filters": ["onMessageAdded", "onMessageAdd"],
    "ContentVariables": ['{"1": "x"}', "{}"],
    "Participant": ['{"identity": "zoe"}', '{"messaging_binding": {"address": "+15558675390"}}'],
    "Timers.Inactive": ["PT1M", "P1D", ""],
    "Timers.Closed": ["PT10M", "P1Y", ""],
    "Permission": ["sendMessage", "leaveConversation"],
    "MessagingBinding.Address": ["+15558675399", "whatsapp:+15558675398", "+15558675397"],
    "To": ["+15558675396", "whatsapp:+15558675398", "+15005530003"],
    "From": [PROXY, "whatsapp:" + PROXY],
    "PhoneNumber": ["+15550100008", "+15550100009"],
    "Policy": ['{"allow": ["/twilio/messaging/messages/read"]}', '{"allow": []}'],
    "MessagingBinding.ProxyAddress": [PROXY, "whatsapp:" + PROXY, "null"],
}


class Schemathesis(ServerTest):
    def test_document(self):
        named = self.api.services.create(friendly_name="named").sid
        account = self.of_account(named)
        forms = [account | self.of_service(self.api, 0), account | self.of_service(self.api.services(named), 1)]
        old = account | self.of_2010()
        document = self.document()
        for path, methods in document["paths"].items():
            things = old if path.startswith("/api/") else forms["{service}/" in path]
            for method, operation in methods.items():
                narrow(path, method, operation, things)
        with tempfile.TemporaryDirectory() as folder:
            file = os.path.join(folder, "openapi.json")
            with open(file, "w", encoding="utf-8") as out:
                json.dump(document, out)
            run = subprocess.run(
                [
                    os.path.join(os.path.dirname(sys.executable), "schemathesis"), "run", file, "--url", self.url,
                    "--auth", f"{ACCOUNT_SID}:{AUTH_TOKEN}", "--checks", ",".join(CHECKS),
                    "--phases", "coverage,fuzzing", "--seed", "20261124", "--max-examples", str(EXAMPLES),
                    "--no-shrink", "--continue-on-failure", "--warnings", "off", "--generation-database", "none",
                    "--no-color", *os.environ.get("SCHEMATHESIS_MORE", "").split(),
                ],
                capture_output=True, text=True, timeout=900, cwd=folder, check=False,
            )
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        print(next(line.strip() for line in run.stdout.splitlines() if " generated, " in line))

    def post(self, path, **what):
        """The SID of something new."""
        answer = requests.post(self.url + path, auth=(ACCOUNT_SID, AUTH_TOKEN), timeout=30, **what)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()["sid"]

    def of_account(self, named):
        """What belongs to the account, or to the service that it names; slots of paths and prefixes of SIDs."""
        addresses, credentials = self.api.address_configurations, self.api.credentials
        sender = self.post("/messaging/v1/Services", data={"FriendlyName": "m"})
        alpha = lambda n: self.post(f"/messaging/v1/Services/{sender}/AlphaSenders", data={"AlphaSender": f"Name{n}"})
        text = {"friendly_name": "t", "language": "en", "types": {"twilio/text": {"body": "Hello"}}}
        content = lambda n=0: self.post("/content/v1/Content", json=text)
        medium = lambda n=0: self.post(f"/mcs/v1/Services/{named}/Media", data=b"abc", headers={"Content-Type": "text/plain"})
        key = lambda n=0: self.post("/iam/v1/Keys", data={"AccountSid": ACCOUNT_SID, "FriendlyName": "k"})
        device = lambda n: register_device(self.url, self.token(f"d{n}", named), f"device-{n}")
        template, file = content(), medium()
        return {
            "service": Things([named], lambda n: self.api.services.create(friendly_name="x").sid),
            "address": Things(
                [addresses.create(type="sms", address="+15550100020").address],
                lambda n: addresses.create(type="sms", address=f"+1555010003{n}").sid,
            ),
            "credential": Things(
                [credentials.create(type="fcm", secret="s").sid],
                lambda n: credentials.create(type="gcm", api_key="k").sid,
            ),
            "binding": Things([device(9)], device),
            "messaging_service": Things(
                [sender], lambda n: self.post("/messaging/v1/Services", data={"FriendlyName": "x"})
            ),
            "sender": Things([alpha(9)], alpha),
            "content": Things([template], content),
            "media": Things([file], medium),
            "key": Things([key()], key),
            "account": Things([ACCOUNT_SID]),
            "AC": Things([ACCOUNT_SID]),
            "HX": Things([template]),
            "ME": Things([file]),
        }

    def of_2010(self):
        """What the API of 2010 calls by names that others use too."""
        base = f"/api/2010-04-01/Accounts/{ACCOUNT_SID}"
        number = lambda n: self.post(f"{base}/IncomingPhoneNumbers.json", data={"PhoneNumber": f"+1555010004{n}"})
        text = {"To": "+15558675396", "From": PROXY, "Body": "x"}
        return {
            "number": Things([number(9)], number),
            "message": Things([self.post(f"{base}/Messages.json", data=text)]),
        }

    @staticmethod
    def of_service(api, number):
        """What belongs to a service."""
        stays = api.conversations.create(unique_name="stays")
        talk = api.conversations(stays.sid)
        talk.participants.create(identity="alice")
        talk.participants.create(
            messaging_binding_address=f"+1555867530{number}", messaging_binding_proxy_address=PROXY
        )
        message = talk.messages.create(author="alice", body="one two").sid
        receipt = talk.messages(message).delivery_receipts.list()[0].sid
        flow = "FW" + "0" * 32
        hook = lambda n=0: talk.webhooks.create(target="studio", configuration_flow_sid=flow).sid

        def another(number=0):
            sid = api.conversations.create().sid
            api.conversations(sid).participants.create(identity="alice")
            return sid

        permission = ["sendMessage"]
        role = api.roles.create(friendly_name="r", type="conversation", permission=permission).sid
        return {
            "conversation": Things(["stays"], another, changing=another()),
            "participant": Things(["alice"], lambda n: talk.participants.create(identity=f"p{n}").sid),
            "message": Things([message], lambda n: talk.messages.create(body="x").sid),
            "receipt": Things([receipt]),
            "user": Things(["alice"], lambda n: api.users.create(identity=f"u{n}").sid),
            "role": Things(
                [role], lambda n: api.roles.create(friendly_name="r", type="conversation", permission=permission).sid
            ),
            "webhook": Things([hook()], hook),
            "RL": Things([role]),
            "IS": Things([stays.chat_service_sid]),
            "MG": Things([stays.messaging_service_sid]),
        }


class Things:
    """Those that stay; some that may be deleted; those that an update may change for good."""

    def __init__(self, stay, doom=lambda number: None, changing=None):
        self.stay = stay
        self.doomed = [doom(number) for number in range(3)]
        self.changing = [changing] if changing else stay


def narrow(path, method, operation, things):
    """Has an operation name things that exist, and no webhook leave the machine."""
    # Keys are few and requests many, so nearly all would be refused; one operation shows that they are answered.
    operation["parameters"] = [
        parameter for parameter in operation["parameters"]
        if parameter["name"] != "Idempotency-Key" or operation["operationId"] == "CreateConversation"
    ]
    for parameter in operation["parameters"]:
        named = things.get(parameter["name"]) if parameter["in"] == "path" else None
        if named:
            last = path.removesuffix(".json").endswith("{%s}" % parameter["name"])
            choice = {"delete": named.doomed, "post": named.changing}.get(method) if last else named.stay
            parameter["schema"]["enum"] = choice or named.stay
    for content in operation.get("requestBody", {}).get("content", {}).values():
        for name, field in content.get("schema", {}).get("properties", {}).items():
            field = field.get("items", field)
            if name in GOOD:
                field["enum"] = GOOD[name]
            prefix = field.get("pattern", "")[1:3]
            if prefix in things:
                field["enum"] = things[prefix].stay
            if field.get("format") == "uri":
                field["enum"] = [NOWHERE]
