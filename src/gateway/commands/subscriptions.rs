//! `POST /v4/Subscriptions`: following objects.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{Request, Session};
use crate::domain::{ConversationSid, Error};
use crate::gateway::Gateway;
use crate::gateway::outgoing::Outgoing;
use crate::gateway::subscriptions::{self, Client, Establish, Followed};
use crate::gateway::sync::events::{Answer, Outcome};
use crate::gateway::sync::{Named, Object};
use crate::ops::events;

/// How many objects a client may name in one request.
const MOST_AT_ONCE: usize = 100;
/// How many requests of one connection may be carried out at a time. Taking one costs nothing, carrying it out does:
/// without a bound a client could have those who deliver do nothing else.
pub const MOST_CARRIED_OUT: usize = 16;
/// After how long without any answer a client asks again.
const PATIENCE_MS: u32 = 10_000;

/// What a client wants to follow, or not to follow any longer.
#[derive(Debug, Deserialize)]
pub struct Wishes {
    action: Action,
    #[serde(default)]
    correlation_id: i64,
    #[serde(default)]
    requests: Vec<Wish>,
    #[serde(skip)]
    turn: Option<OwnedSemaphorePermit>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Establish,
    Cancel,
}

#[derive(Debug, Deserialize)]
struct Wish {
    object_sid: String,
    #[serde(default)]
    object_type: String,
    last_event_id: Option<i64>,
    #[serde(skip)]
    object: Option<Object>,
}

/// The answer to the request itself; each object is answered by a notification.
pub(super) fn accepted() -> Value {
    json!({ "max_batch_size": MOST_AT_ONCE, "estimated_delivery_in_ms": PATIENCE_MS })
}

impl Wishes {
    /// Finds what the SIDs mean. Whether a map that is not the user's own is a roster or somebody's info, only the
    /// database can tell: one question for all of them.
    pub(super) async fn resolve(mut self, request: &Request<'_>) -> Result<Self, Error> {
        self.requests.truncate(MOST_AT_ONCE);
        if matches!(self.action, Action::Cancel) {
            // What is cancelled is among what is followed, whether it is still there or not.
            return Ok(self);
        }
        let reader = request.session.user;
        let named: Vec<Option<Named>> = self
            .requests
            .iter()
            .map(|wish| Named::read(&wish.object_sid))
            .collect();
        let maps: Vec<ConversationSid> = named
            .iter()
            .flatten()
            .filter(|named| matches!(named, Named::Map(_)))
            .filter_map(|named| named.conversation(reader))
            .collect();
        let rosters = if maps.is_empty() {
            HashMap::new()
        } else {
            events::positions(request.core, &maps, &[]).await?
        };
        for (wish, named) in self.requests.iter_mut().zip(named) {
            let is_there = |sid: ConversationSid| rosters.contains_key(&sid.uuid());
            wish.object = named.map(|named| named.object(reader, is_there));
        }
        Ok(self)
    }

    /// Waits until there are not too many of the same connection before these.
    pub async fn wait_for_turn(&mut self, turns: Arc<Semaphore>) {
        // An error means that there are no turns any more, and nobody closes them.
        self.turn = turns.acquire_owned().await.ok();
    }

    /// Hands the wishes to those who deliver. `followed` is what the connection follows.
    pub fn carry_out(
        self,
        gateway: &Gateway,
        session: &Arc<Session>,
        outgoing: &Arc<Outgoing>,
        followed: &Arc<Followed>,
    ) {
        let subscriptions = &gateway.0.subscriptions;
        let (mut wanted, mut done) = (Vec::new(), Vec::new());
        for wish in self.requests {
            match self.action {
                Action::Establish => {
                    let object = wish.object;
                    match object.and_then(|object| Some((object, followed.want(object)?))) {
                        Some((object, number)) => wanted.push(subscriptions::Wish {
                            object,
                            number,
                            sid: wish.object_sid,
                            since: wish.last_event_id.map(|id| id.max(0)),
                        }),
                        None => done.push((wish, Outcome::Failed)),
                    }
                }
                Action::Cancel => {
                    let named = Named::read(&wish.object_sid);
                    if let Some(object) = named.and_then(|named| followed.cancel(named)) {
                        subscriptions.cancel(outgoing.id, object);
                    }
                    done.push((wish, Outcome::Canceled));
                }
            }
        }
        let client = Client {
            outgoing: Arc::clone(outgoing),
            user: session.user,
            ctx: session.ctx.clone(),
            followed: Arc::clone(followed),
            correlation_id: self.correlation_id,
            turn: self.turn.map(Arc::new),
        };
        client.tell_outcomes(done.iter().map(|(wish, outcome)| Answer {
            sid: &wish.object_sid,
            kind: &wish.object_type,
            outcome: *outcome,
        }));
        subscriptions.establish(Establish {
            client,
            wishes: wanted,
        });
    }
}
