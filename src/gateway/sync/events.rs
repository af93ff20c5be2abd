//! Changes of sync objects, as notifications carry them.

use bytes::Bytes;
use serde_json::{Value, json};

use super::Object;
use super::items::{Item, Place};
use crate::domain::Timestamp;
use crate::domain::time;

/// How long the events of one notification may be together: the SDK acknowledges each notification, not each event, but a
/// client's queue is to be filled in steps.
const MOST_TOGETHER_BYTES: usize = 64 * 1024;

const DOCUMENT_UPDATED: &str = "document_updated";

/// One change of one object.
#[derive(Debug, Clone)]
pub struct SyncEvent {
    /// The object.
    pub object: Object,
    /// The event id.
    pub id: i64,
    kind: &'static str,
    /// Its fields, as JSON.
    fields: String,
}

/// Events on their way to clients: neighbours of one object and of one type.
#[derive(Debug, Clone)]
pub struct Notification {
    /// The object.
    pub object: Object,
    /// The id of the last event.
    pub until: i64,
    kind: &'static str,
    correlation_id: Option<i64>,
    /// The fields of the events, as JSON between commas.
    events: String,
}

impl Notification {
    /// What is sent.
    #[must_use]
    pub fn payload(&self) -> Bytes {
        payload(self.kind, self.correlation_id, &self.events)
    }

    /// Whether what comes right behind fits in.
    #[must_use]
    pub fn has_room_for(&self, later: &Self) -> bool {
        self.fits(later.object, later.kind, &later.events)
    }

    /// Takes up what comes right behind and fits in. Of a document the newest value is enough.
    pub fn take_up(&mut self, later: &Self) {
        self.append(later.until, &later.events);
    }

    fn fits(&self, object: Object, kind: &str, events: &str) -> bool {
        (object, kind) == (self.object, self.kind)
            && (kind == DOCUMENT_UPDATED || self.events.len() + events.len() < MOST_TOGETHER_BYTES)
    }

    fn append(&mut self, until: i64, events: &str) {
        if self.kind == DOCUMENT_UPDATED {
            self.events.clear();
        } else {
            self.events.push(',');
        }
        self.events.push_str(events);
        self.until = until;
    }
}

/// Puts events into as few notifications as can be; with the correlation of a subscription while it is replayed.
pub fn notifications<'a>(
    events: impl IntoIterator<Item = &'a SyncEvent>,
    correlation_id: Option<i64>,
) -> impl Iterator<Item = Notification> {
    let mut rest = events.into_iter().peekable();
    std::iter::from_fn(move || {
        let first = rest.next()?;
        let mut together = Notification {
            object: first.object,
            until: first.id,
            kind: first.kind,
            correlation_id,
            events: first.fields.clone(),
        };
        while let Some(next) =
            rest.next_if(|next| together.fits(next.object, next.kind, &next.fields))
        {
            together.append(next.id, &next.fields);
        }
        Some(together)
    })
}

/// The payload of a notification; `events` are JSON, between commas.
fn payload(event_type: &str, correlation_id: Option<i64>, events: &str) -> Bytes {
    let correlation = correlation_id
        .map(|id| format!(r#""correlation_id":{id},"#))
        .unwrap_or_default();
    Bytes::from(format!(
        r#"{{"event_type":"{event_type}","event_protocol_version":4,{correlation}"events":[{events}]}}"#
    ))
}

impl SyncEvent {
    /// What a reader at `since` is told of an item, up to `until`: that it was added, where it was created, and that it
    /// was changed, where it was changed last. A client ignores changes of messages it does not know, so wherever a
    /// replay breaks off, an addition must come before the rest.
    pub fn item(object: Object, item: &Item, since: i64, until: i64) -> impl Iterator<Item = Self> {
        let changed = (item.position != item.created_position)
            .then(|| Self::item_at(object, item, item.position, false));
        [Some(Self::added(object, item)), changed]
            .into_iter()
            .flatten()
            .filter(move |event| event.id > since && event.id <= until)
    }

    /// An item was added.
    #[must_use]
    pub fn added(object: Object, item: &Item) -> Self {
        Self::item_at(object, item, item.created_position, true)
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
            fields: fields.to_string(),
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
            fields: fields.to_string(),
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
            kind: DOCUMENT_UPDATED,
            fields: fields.to_string(),
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
            fields: fields.to_string(),
        }
    }
}

/// How a request to subscribe or cancel ended for one object.
#[derive(Debug, Clone, Copy)]
pub struct Answer<'a> {
    /// The object's SID as the client gave it.
    pub sid: &'a str,
    /// The object's type as the client gave it.
    pub kind: &'a str,
    /// How it ended.
    pub outcome: Outcome,
}

/// How a request to subscribe or cancel ended.
#[derive(Debug, Clone, Copy)]
pub enum Outcome {
    /// Live from this event id on.
    Established(i64),
    /// There is no such object for this client.
    Failed,
    /// No longer subscribed.
    Canceled,
}

impl Outcome {
    const fn event_type(self) -> &'static str {
        match self {
            Self::Established(_) => "subscription_established",
            Self::Failed => "subscription_failed",
            Self::Canceled => "subscription_canceled",
        }
    }
}

impl Answer<'_> {
    fn event(&self) -> Value {
        let (sid, kind) = (self.sid, self.kind);
        match self.outcome {
            Outcome::Established(last_event_id) => json!({
                "object_sid": sid, "object_type": kind, "replay_status": "completed", "last_event_id": last_event_id,
            }),
            Outcome::Failed => json!({
                "object_sid": sid, "object_type": kind,
                "error": { "status": 404, "code": 20404, "message": "The object was not found" },
            }),
            Outcome::Canceled => json!({ "object_sid": sid, "object_type": kind }),
        }
    }
}

/// The payloads that answer a request to subscribe or cancel objects: neighbours that ended alike share one.
pub fn answers(correlation_id: i64, all: &[Answer<'_>]) -> impl Iterator<Item = Bytes> {
    all.chunk_by(|a, b| a.outcome.event_type() == b.outcome.event_type())
        .map(move |alike| {
            let events: Vec<String> = alike.iter().map(|one| one.event().to_string()).collect();
            let event_type = alike[0].outcome.event_type();
            payload(event_type, Some(correlation_id), &events.join(","))
        })
}
