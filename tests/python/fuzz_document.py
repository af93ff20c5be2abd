"""Schemathesis against the server's own document: whatever is sent, the answer is one that the document describes.

Random names would meet 404 and little else, so the document is narrowed first: slots and SIDs to things that were
made before. Wrong values are still sent: Schemathesis breaks every rule of a schema on purpose.
"""

import json
import os
import subprocess
import sys
import tempfile

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
        forms = [self.seed(self.api, 0), self.seed(self.api.services(named), 1)]
        for things in forms:
            things["service"] = Things([named], lambda n: self.api.services.create(friendly_name="x").sid)
        document = self.document()
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                narrow(path, method, operation, forms["{service}/" in path])
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

    @staticmethod
    def seed(api, number):
        """Things that requests can name, by the slots of paths and by the prefixes of SIDs."""
        stays = api.conversations.create(unique_name="stays")
        talk = api.conversations(stays.sid)
        talk.participants.create(identity="alice")
        talk.participants.create(
            messaging_binding_address=f"+1555867530{number}", messaging_binding_proxy_address=PROXY
        )
        message = talk.messages.create(author="alice", body="one two").sid
        receipt = talk.messages(message).delivery_receipts.list()[0].sid
        permission = ["sendMessage"]
        role = api.roles.create(friendly_name="r", type="conversation", permission=permission).sid
        return {
            "conversation": Things(
                ["stays"], lambda n: api.conversations.create().sid, changing=api.conversations.create().sid
            ),
            "participant": Things(["alice"], lambda n: talk.participants.create(identity=f"p{n}").sid),
            "message": Things([message], lambda n: talk.messages.create(body="x").sid),
            "receipt": Things([receipt]),
            "user": Things(["alice"], lambda n: api.users.create(identity=f"u{n}").sid),
            "role": Things(
                [role], lambda n: api.roles.create(friendly_name="r", type="conversation", permission=permission).sid
            ),
            "account": Things([ACCOUNT_SID]),
            "AC": Things([ACCOUNT_SID]),
            "RL": Things([role]),
            "IS": Things([stays.chat_service_sid]),
            "MG": Things([stays.messaging_service_sid]),
        }


class Things:
    """Those that stay; some that may be deleted; those that an update may change for good."""

    def __init__(self, stay, doom=lambda number: None, changing=None):
        self.stay = stay
        self.doomed = [doom(number) for number in range(4)]
        self.changing = [changing] if changing else stay


def narrow(path, method, operation, things):
    """Has an operation name things that exist, and no webhook leave the machine."""
    for parameter in operation["parameters"]:
        named = things.get(parameter["name"]) if parameter["in"] == "path" else None
        if named:
            last = path.endswith("{%s}" % parameter["name"])
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
