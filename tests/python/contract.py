"""The published contract: which operation a request was, and what is wrong with its answer.

The document itself says little of what may be null and lets every object have more properties. It is read strictly
here: every published property must be there and no other, and only what MAY_BE_NULL names may be null.
"""

import json
import os
import re
from urllib.parse import unquote

from jsonschema import Draft202012Validator

FOLDER = os.environ.get("CONVOKE_SPEC_DIR")

# Properties that can be absent values, wherever they occur. The document calls nearly everything nullable; its text and
# examples show which really are.
MAY_BE_NULL = {
    "default_chat_service_sid", "default_messaging_service_sid", "default_inactive_timer", "default_closed_timer",
    "friendly_name", "unique_name", "address_country", "filters", "pre_webhook_url", "post_webhook_url",
    "messaging_service_sid", "body", "media", "participant_sid", "delivery", "content_sid", "channel_message_sid",
    "identity", "messaging_binding", "role_sid", "last_read_message_index", "last_read_timestamp", "is_online",
    "is_notifiable", "unread_messages_count", "created_by", "participant_user_sid", "participant_identity",
    "participant_messaging_binding", "conversation_unique_name", "conversation_friendly_name",
    "conversation_created_by", "credential_sid", "next_page_url", "previous_page_url",
}

# Where the document contradicts itself or the service that it describes: (schema, property) → what holds, and why.
EXCEPTIONS = {
    ("conversation_message_receipt", "status"): (
        {"enum": ["read", "failed", "delivered", "undelivered", "sent", None]},
        "null while the message has not left the server (documentation of receipts); the enumeration has no null",
    ),
    ("webhook_configuration", "method"): (
        {"enum": ["GET", "POST", None]},
        "null until it is set: a service without webhooks of its own uses the account's",
    ),
}

INSTANT = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$"}
ADDRESS = {"type": "string", "pattern": r"^https?://"}
TEXT = {"type": "string"}
WORDS = {"type": "array", "items": TEXT}


def exactly(properties, optional=()):
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": properties, "required": required, "additionalProperties": False}


def or_null(schema):
    return {"anyOf": [schema, {"type": "null"}]}


def links(*names):
    return exactly({name: ADDRESS for name in names})


LINKS = {
    "service": links("conversations", "users", "roles", "bindings", "configuration", "participant_conversations",
                     "conversation_with_participants"),
    "configuration": or_null(links("service", "webhooks")),
    "service_configuration": links("notifications", "webhooks"),
    "conversation": links("participants", "messages", "webhooks", "export"),
    "conversation_with_participants": links("participants", "messages", "webhooks"),
    "conversation_message": links("delivery_receipts", "channel_metadata"),
    "user": links("user_conversations"),
    "user_conversation": links("participant", "conversation"),
    "participant_conversation": links("participant", "conversation"),
}
SHARE = {"enum": ["all", "some", "none"]}
TIMERS = exactly({"date_inactive": INSTANT, "date_closed": INSTANT}, optional=("date_inactive", "date_closed"))
BINDING = exactly(
    {"type": TEXT, "address": TEXT, "proxy_address": TEXT, "projected_address": TEXT},
    optional=("address", "proxy_address", "projected_address"),
)
ADDED = exactly({"enabled": {"type": "boolean"}, "template": TEXT, "sound": TEXT})
# What the document leaves open: objects whose keys only its text and examples tell.
OPEN = {
    "timers": TIMERS,
    "conversation_timers": TIMERS,
    "bindings": exactly({"email": exactly({"projected_address": TEXT, "name": or_null(TEXT)})}, optional=("email",)),
    "delivery": exactly(
        {"total": {"type": "integer"}, "sent": SHARE, "delivered": SHARE, "read": SHARE, "failed": SHARE,
         "undelivered": SHARE}
    ),
    "media": {
        "type": "array",
        "minItems": 1,
        "items": exactly({"sid": {"pattern": "^ME[0-9a-f]{32}$"}, "size": {"type": "integer"}, "content_type": TEXT,
                          "filename": or_null(TEXT), "category": TEXT}, optional=("category",)),
    },
    "messaging_binding": BINDING,
    "participant_messaging_binding": exactly(
        {"address": or_null(TEXT), "proxy_address": or_null(TEXT), "type": TEXT, "level": or_null(TEXT),
         "name": or_null(TEXT), "projected_address": or_null(TEXT)}
    ),
    "auto_creation": {
        "oneOf": [
            exactly({"enabled": {"type": "boolean"}, "type": {"const": "default"}, "conversation_service_sid": TEXT},
                    optional=("conversation_service_sid",)),
            exactly({"enabled": {"type": "boolean"}, "type": {"const": "webhook"},
                     "conversation_service_sid": or_null(TEXT), "webhook_url": or_null(ADDRESS),
                     "webhook_method": {"enum": ["GET", "POST"]}, "webhook_filters": or_null(WORDS)}),
            exactly({"enabled": {"type": "boolean"}, "type": {"const": "studio"},
                     "conversation_service_sid": or_null(TEXT), "studio_flow_sid": or_null(TEXT),
                     "studio_retry_count": or_null({"type": "integer"})}),
        ]
    },
    # Of a scoped webhook: what its target needs.
    "configuration": {
        "oneOf": [
            exactly({"url": ADDRESS, "method": {"enum": ["get", "post"]}, "filters": WORDS}),
            exactly({"url": ADDRESS, "method": {"enum": ["get", "post"]}, "triggers": WORDS}),
            exactly({"flow_sid": {"pattern": "^FW"}, "replay_after": {"type": "integer"}}, optional=("replay_after",)),
        ]
    },
    "new_message": exactly(
        {"enabled": {"type": "boolean"}, "template": TEXT, "badge_count_enabled": {"type": "boolean"}, "sound": TEXT,
         "with_media": exactly({"enabled": {"type": "boolean"}, "template": TEXT})}
    ),
    "added_to_conversation": ADDED,
    "removed_from_conversation": ADDED,
}


class Contract:
    """A published document."""

    def __init__(self, name="twilio_conversations_v1.json"):
        with open(os.path.join(FOLDER, name), encoding="utf-8") as file:
            self.document = json.load(file)
        self.operations = {}
        self.routes = []
        for path, methods in self.document["paths"].items():
            shape = re.compile(re.sub(r"\\{[^/]*\\}", "[^/]+", re.escape(path)) + "$")
            for method, operation in methods.items():
                if isinstance(operation, dict) and "operationId" in operation:
                    self.operations[operation["operationId"]] = operation
                    self.routes.append((method.upper(), shape, path.count("{"), operation["operationId"]))
        # A path with fewer slots says more.
        self.routes.sort(key=lambda route: route[2])

    def operation_of(self, method, path):
        """The name of the operation that a request was, if it was any."""
        path = unquote(path.split("?")[0])
        for wanted, shape, _, name in self.routes:
            if wanted == method and shape.match(path):
                return name
        return None

    def faults(self, name, status, body):
        """What is wrong with an answer, in words; nothing if all is well."""
        answer = self.operations[name]["responses"].get(str(status))
        if answer is None:
            return [f"{status} is not published: {body[:300]}"]
        content = answer.get("content")
        if content is None:
            return [f"{status} has a body: {body[:300]}"] if body else []
        schema = self.strict(content["application/json"]["schema"], "")
        errors = Draft202012Validator(schema).iter_errors(json.loads(body))
        return [f"{error.json_path}: {error.message}" for error in errors]

    def strict(self, schema, of, field=""):
        """The strict form of a published schema; `of` is the resource it belongs to, `field` its name there."""
        if "$ref" in schema:
            name = schema["$ref"].rsplit("/", 1)[1]
            inner = self.document["components"]["schemas"][name]
            return self.strict(inner, of if "enum" in inner else name.rsplit(".", 1)[1], field)
        kind = of if of == "service_configuration" else of.removeprefix("service_")
        if (kind, field) in EXCEPTIONS:
            return EXCEPTIONS[kind, field][0]
        if field == "links":
            return LINKS[kind]
        # A page belongs to no resource; its list may have the name of an open property (bindings).
        if of and field in OPEN:
            strict = OPEN[field]
        elif schema.get("type") == "array":
            strict = {"type": "array", "items": self.strict(schema["items"], of)}
        elif "properties" in schema:
            strict = exactly(
                {name: self.strict(inner, of, name) for name, inner in schema["properties"].items()}
            )
        else:
            strict = {key: schema[key] for key in ("type", "enum", "pattern", "minLength", "maxLength") if key in schema}
            if schema.get("format") == "date-time":
                strict = INSTANT
            elif schema.get("format") == "uri":
                strict = ADDRESS
        return or_null(strict) if field in MAY_BE_NULL else strict
