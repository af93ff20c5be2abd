//! News: notifications for many clients at once.
//!
//! A text and its envelope are made once for all who hear them. Where a client has not been written to for a moment, what
//! waits for it shares frames: the fewer they are, the less there is to write, to read and to acknowledge, and the sooner
//! a busy client has caught up.

use std::sync::Arc;

use super::outgoing::Item;
use super::protocol::{self, SYNC_EVENT};
use super::sync::Object;
use super::sync::events::Notification;
use super::websocket::Packet;

/// How many objects back it is looked whether news fit to what waits. Further back is not wrong, only not shared.
const LOOK_BACK: usize = 8;

/// A notification, with the frame that it is when it is alone.
#[derive(Debug)]
pub struct News {
    notification: Notification,
    frame: Packet,
}

impl News {
    /// Puts a notification into its envelope.
    #[must_use]
    pub fn of(notification: Notification) -> Arc<Self> {
        Arc::new(Self {
            frame: frame(&notification),
            notification,
        })
    }

    /// What it is about.
    #[must_use]
    pub const fn object(&self) -> Object {
        self.notification.object
    }

    /// The frame.
    #[must_use]
    pub const fn frame(&self) -> &Packet {
        &self.frame
    }
}

fn frame(of: &Notification) -> Packet {
    protocol::notify(SYNC_EVENT, &of.payload())
}

/// News that wait together, as few frames as can be. Those of one object stay in their order; different ones need none.
#[derive(Debug, Default)]
pub struct Together(Vec<Shared>);

#[derive(Debug)]
struct Shared {
    first: Arc<News>,
    /// All of them; nothing while the first is alone.
    all: Option<Notification>,
    counts: usize,
}

impl Shared {
    fn so_far(&self) -> &Notification {
        self.all.as_ref().unwrap_or(&self.first.notification)
    }
}

impl Together {
    /// Adds what comes behind the others.
    pub fn add(&mut self, news: Arc<News>) {
        let object = news.object();
        let mut back = self.0.iter_mut().rev().take(LOOK_BACK);
        let last = back.find(|shared| shared.first.object() == object);
        if let Some(shared) = last
            && shared.so_far().has_room_for(&news.notification)
        {
            shared.counts += news.frame.len();
            let first = &shared.first;
            let all = shared.all.get_or_insert_with(|| first.notification.clone());
            all.take_up(&news.notification);
            return;
        }
        self.0.push(Shared {
            counts: news.frame.len(),
            first: news,
            all: None,
        });
    }

    /// Hands the frames out.
    pub fn frames(&mut self) -> impl Iterator<Item = Item> {
        self.0.drain(..).map(|shared| Item::Frame {
            frame: match &shared.all {
                Some(all) => frame(all),
                None => shared.first.frame.clone(),
            },
            counts: shared.counts,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::ConversationSid;
    use crate::domain::time::{Clock as _, SystemClock};
    use crate::gateway::protocol::Frame;
    use crate::gateway::sync::events::{SyncEvent, notifications};
    use crate::gateway::sync::items::{Item as SyncItem, Place};

    /// What happens: a message comes, one goes, the conversation changes.
    fn event(what: u8, talk: ConversationSid, id: i64) -> SyncEvent {
        let now = SystemClock.now();
        let messages = Object::Messages(talk);
        match what {
            0 => SyncEvent::added(
                messages,
                &SyncItem {
                    at: Place::Index(id),
                    position: id,
                    created_position: id,
                    date_updated: now,
                    data: json!({ "text": "x".repeat(5000) }),
                },
            ),
            1 => SyncEvent::item_removed(messages, &Place::Index(id), id, now),
            _ => SyncEvent::document(Object::Document(talk), json!({}), id, now),
        }
    }

    /// The events of a frame: their object, and their ids.
    fn told(frame: &Packet) -> (String, Vec<i64>) {
        let payload = Frame::read(frame.message()).expect("a frame").payload;
        let payload: Value = serde_json::from_slice(&payload).expect("JSON");
        let events = payload["events"].as_array().expect("events");
        let sid = |event: &Value| {
            event["list_sid"]
                .as_str()
                .or(event["document_sid"].as_str())
                .map(str::to_owned)
        };
        let ids = events
            .iter()
            .map(|event| event["id"].as_i64().expect("an id"));
        (sid(&events[0]).expect("a SID"), ids.collect())
    }

    proptest! {
        #[test]
        fn what_waits_together_stays_whole_and_in_order(all in prop::collection::vec((0_u8..3, 0_usize..3), 0..60)) {
            let talks = [(); 3].map(|()| ConversationSid::new(SystemClock.now()));
            let (mut together, mut waiting) = (Together::default(), 0);
            let mut expected: BTreeMap<String, Vec<i64>> = BTreeMap::new();
            for (id, (what, talk)) in (1..).zip(all) {
                let event = event(what, talks[talk], id);
                expected.entry(event.object.sid()).or_default().push(id);
                for notification in notifications([&event], None) {
                    let news = News::of(notification);
                    waiting += news.frame().len();
                    together.add(news);
                }
            }
            let mut heard: BTreeMap<String, Vec<i64>> = BTreeMap::new();
            for item in together.frames() {
                let Item::Frame { frame, counts } = item else { unreachable!("news are frames") };
                prop_assert!(frame.len() < 72 * 1024);
                waiting -= counts;
                let (object, ids) = told(&frame);
                heard.entry(object).or_default().extend(ids);
            }
            prop_assert_eq!(waiting, 0);
            prop_assert_eq!(heard.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
            let documents = talks.map(|talk| Object::Document(talk).sid());
            for (object, ids) in heard {
                let all = &expected[&object];
                if documents.contains(&object) {
                    prop_assert!(ids.is_sorted() && ids.last() == all.last());
                } else {
                    prop_assert_eq!(&ids, all);
                }
            }
        }
    }
}
