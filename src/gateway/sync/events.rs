//! Changes of sync objects, as notifications carry them.

use bytes::Bytes;
use serde_json::{Value, json};

use super::Object;
use super::items::{Item, Place};
use crate::domain::Timestamp;
use crate::domain::time;

/// One change of one object.
#[derive(Debug, Clone)]
pub struct SyncEvent {
    /// The object.
    pub object: Object,
    /// The event id.
    pub id: i64,
    kind: &'static str,
    fields: Value,
}

impl SyncEvent {
    /// What a reader at `since` is told of an item, up to `until`: that it was added, where it was created, and that it
    /// was changed, where it was changed last. A client ignores changes of messages it does not know, so wherever a
    /// replay breaks off, an addition must come before the rest.
    pub fn item(object: Object, item: &Item, since: i64, until: i64) -> impl Iterator<Item = Self> {
        let changed = (item.position != item.created_position)
            .then(|| Self::item_at(object, item, item.position, false));
        let added = Self::item_at(object, item, item.created_position, true);
        [Some(added), changed]
            .into_iter()
            .flatten()
            .filter(move |event| event.id > since && event.id <= until)
    }

    fn item_at(object: Object, item: &Item, id: i64, is_new: bool) -> Self {
        let (sid, revision) = (object.sid(), id.to_string());
        let (kind, place, text) = match (&item.at, is_new) {
            (Place::Index(index), true) => ("list_item_added", json!(index), index.to_string()),
            (Place::Index(index), false) => ("list_item_updated", json!(index), index.to_string()),
            (Place::Key(key), true) => ("map_item_added", json!(key), key.clone()),
            (Place::Key(key), false) => ("map_item_updated", json!(key), key.clone()),
        };
        let collection = object.kind();
        let place_name = if collection == "list" {
            "item_index"
        } else {
            "item_key"
        };
        let fields = json!({
            "id": id,
            "date_created": time::print(item.date_updated),
            format!("{collection}_sid"): sid,
            format!("{collection}_revision"): revision,
            place_name: place,
            // A path: no SDK follows it, and the text is shared by readers of all hosts.
            "item_url": format!("{}/Items/{text}", object.path()),
            "item_revision": revision,
            "item_data": item.data,
            "date_expires": null,
        });
        Self {
            object,
            id,
            kind,
            fields,
        }
    }

    /// An item is gone.
    #[must_use]
    pub fn item_removed(object: Object, at: &Place, position: i64, now: Timestamp) -> Self {
        let collection = object.kind();
        let (kind, name, place) = match at {
            Place::Index(index) => ("list_item_removed", "item_index", json!(index)),
            Place::Key(key) => ("map_item_removed", "item_key", json!(key)),
        };
        let fields = json!({
            "id": position,
            "date_created": time::print(now),
            format!("{collection}_sid"): object.sid(),
            format!("{collection}_revision"): position.to_string(),
            name: place,
            "item_data": {},
        });
        Self {
            object,
            id: position,
            kind,
            fields,
        }
    }

    /// A document has another value.
    #[must_use]
    pub fn document(object: Object, data: Value, position: i64, now: Timestamp) -> Self {
        let fields = json!({
            "id": position,
            "date_created": time::print(now),
            "document_sid": object.sid(),
            "document_revision": position.to_string(),
            "document_data": data,
        });
        Self {
            object,
            id: position,
            kind: "document_updated",
            fields,
        }
    }

    /// An object is gone.
    #[must_use]
    pub fn removed(object: Object, position: i64, now: Timestamp) -> Self {
        let kind = match object.kind() {
            "document" => "document_removed",
            "list" => "list_removed",
            _ => "map_removed",
        };
        let fields = json!({
            "id": position,
            "date_created": time::print(now),
            format!("{}_sid", object.kind()): object.sid(),
        });
        Self {
            object,
            id: position,
            kind,
            fields,
        }
    }

    /// The payload of a notification; with the correlation of a subscription while it is replayed.
    #[must_use]
    pub fn payload(&self, correlation_id: Option<i64>) -> Bytes {
        let mut payload = json!({
            "event_type": self.kind,
            "event_protocol_version": 4,
            "events": [self.fields],
        });
        if let Some(id) = correlation_id {
            payload["correlation_id"] = json!(id);
        }
        Bytes::from(serde_json::to_vec(&payload).unwrap_or_default())
    }
}

/// How a request to subscribe or cancel ended for one object.
#[derive(Debug, Clone, Copy)]
pub enum Answer {
    /// Live from this event id on.
    Established(i64),
    /// There is no such object for this client.
    Failed,
    /// No longer subscribed.
    Canceled,
}

/// The payload that answers a request to subscribe or cancel one object.
#[must_use]
pub fn answer(sid: &str, kind: &str, correlation_id: i64, answer: Answer) -> Bytes {
    let (event_type, mut event) = match answer {
        Answer::Established(last_event_id) => (
            "subscription_established",
            json!({ "replay_status": "completed", "last_event_id": last_event_id }),
        ),
        Answer::Failed => (
            "subscription_failed",
            json!({ "error": { "status": 404, "code": 20404, "message": "The object was not found" } }),
        ),
        Answer::Canceled => ("subscription_canceled", json!({})),
    };
    event["object_sid"] = json!(sid);
    event["object_type"] = json!(kind);
    let payload = json!({
        "event_type": event_type,
        "event_protocol_version": 4,
        "correlation_id": correlation_id,
        "events": [event],
    });
    Bytes::from(serde_json::to_vec(&payload).unwrap_or_default())
}
