//! Pages of items, both ways: from a place on, and behind a token.
//!
//! A page of messages ends early, with a token that leads on, when it is full of text: a hundred of the longest messages
//! would be four times as much. A hundred other items hold half of that at most, participants with their attributes.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::Request;
use super::Desk;
use crate::domain::attributes::MAX_SMALL_BYTES;
use crate::domain::messages::MAX_BODY_BYTES;
use crate::domain::{Cursor, Error, Invalid, ListKind, Order, PageSize, Toward};
use crate::gateway::sync::Object;
use crate::gateway::sync::items::{self, Item, Place};
use crate::ops::events;

const PAGE: ListKind = ListKind {
    key: "items",
    default_size: 50,
    max_size: 100,
};

/// How many bytes of text the messages of a page may have before its last one. Our choice: of what SDKs ask for unless
/// told otherwise, 30 messages, all come even if they are the longest.
///
/// More than one message fits, which SDKs depend on: they ask from the last message they have on, inclusive.
const MOST_BYTES: usize = 30 * (MAX_BODY_BYTES + MAX_SMALL_BYTES + SUBJECT_BYTES);
/// A subject has 256 characters at most.
const SUBJECT_BYTES: usize = 1024;

/// What a page token holds: everything that the page behind it needs.
#[derive(Serialize, Deserialize)]
struct Edge {
    at: String,
    size: u16,
    descending: bool,
    /// The item at the edge belongs to the page behind it, for no other page shows it.
    #[serde(default)]
    inclusive: bool,
}

/// Which items are wanted.
pub(super) struct Wanted {
    key: Option<String>,
    from: Option<String>,
    size: u16,
    order: Order,
    /// The item at the edge is not wanted itself.
    beyond: bool,
    /// The page was asked for against the order.
    back: bool,
}

impl Wanted {
    /// Reads what a request wants of the collection with this SID.
    pub(super) fn read(request: &Request<'_>, sid: &str) -> Result<Self, Error> {
        if let Some(token) = request.param("PageToken")? {
            let cursor = Cursor::<Edge>::parse(&token, sid)?;
            let Edge {
                at,
                size,
                descending,
                inclusive,
            } = cursor.edge;
            let back = cursor.toward == Toward::Previous;
            return Ok(Self {
                key: None,
                from: Some(at),
                size: size.clamp(1, PAGE.max_size), // whoever looks into a token can make one
                order: if descending == back {
                    Order::Ascending
                } else {
                    Order::Descending
                },
                beyond: !inclusive,
                back,
            });
        }
        let order = match request.param("Order")?.as_deref() {
            None | Some("asc") => Order::Ascending,
            Some("desc") => Order::Descending,
            Some(_) => {
                return Err(Invalid::Parameter {
                    name: "Order",
                    wants: "asc or desc",
                }
                .into());
            }
        };
        let size = PageSize::parse(request.param("PageSize")?.as_deref(), PAGE)?.get();
        Ok(Self {
            key: request.param("Key")?,
            from: request.param("From")?,
            size,
            order,
            beyond: false,
            back: false,
        })
    }

    /// Whether this is the first page in ascending order.
    pub(super) const fn is_start(&self) -> bool {
        self.key.is_none() && self.from.is_none() && matches!(self.order, Order::Ascending)
    }

    /// How many rows to read: one more than fits tells whether there is more; one more is the edge itself, when that is
    /// not wanted. What has a certain key comes first.
    pub(super) fn limit(&self) -> i64 {
        if self.key.is_some() {
            return 1;
        }
        i64::from(self.size) + 1 + i64::from(self.beyond)
    }
}

/// Reads a page.
pub(super) async fn read(
    desk: &Desk,
    request: &Request<'_>,
    object: Object,
    wanted: Wanted,
) -> Result<Value, Error> {
    let from = wanted.key.as_deref().or(wanted.from.as_deref());
    let (order, limit) = (wanted.order, wanted.limit());
    let (mut found, cut) = match object {
        Object::Roster(of) if wanted.is_start() => {
            desk.sight.conversation(of)?.require_part()?;
            let roster = desk.rosters.get(&of).map_or(&[][..], Vec::as_slice);
            (roster.iter().map(items::participant).collect(), false)
        }
        _ => rows(desk, request, object, from, order, limit).await?,
    };
    if let Some(key) = &wanted.key {
        found.retain(|item| place(item) == *key);
        return Ok(print(request, object, &found, None, None));
    }
    if wanted.beyond {
        found.retain(|item| Some(place(item)) != wanted.from);
    }
    let more = cut || found.len() > usize::from(wanted.size);
    found.truncate(wanted.size.into());
    // Whether something lies on the near side is asked for with one item from there. An empty page lies where it was
    // asked for: what is at that place, as it is not in the page, is before it.
    let first = found.first().map(place);
    let before = match &wanted.from {
        Some(from) => {
            let (near, opposite) = (first.as_ref().unwrap_or(from), flip(wanted.order));
            let (near, _) = rows(desk, request, object, Some(near), opposite, 2).await?;
            near.iter().any(|item| Some(place(item)) != first)
        }
        None => false,
    };
    if wanted.back {
        found.reverse();
    }
    let (has_previous, has_next) = if wanted.back {
        (more, before)
    } else {
        (before, more)
    };
    let descending = (wanted.order == Order::Descending) != wanted.back;
    let token = |item: Option<&Item>, there: bool, toward| {
        let edge = Edge {
            at: item.map(place).or_else(|| wanted.from.clone())?,
            size: wanted.size,
            descending,
            inclusive: item.is_none(),
        };
        there.then(|| Cursor { edge, toward }.token(&object.sid()))
    };
    let previous = token(found.first(), has_previous, Toward::Previous);
    let next = token(found.last(), has_next, Toward::Next);
    Ok(print(request, object, &found, previous, next))
}

const fn flip(order: Order) -> Order {
    match order {
        Order::Ascending => Order::Descending,
        Order::Descending => Order::Ascending,
    }
}

fn place(item: &Item) -> String {
    match &item.at {
        Place::Index(index) => index.to_string(),
        Place::Key(key) => key.clone(),
    }
}

fn print(
    request: &Request<'_>,
    object: Object,
    found: &[Item],
    previous: Option<String>,
    next: Option<String>,
) -> Value {
    let base = &request.session.base;
    let items: Vec<Value> = found
        .iter()
        .map(|item| items::print(item, object, base))
        .collect();
    json!({ "items": items, "meta": { "previous_token": previous, "next_token": next } })
}

/// Reads items from a place on (inclusive), in an order; and whether they are fewer than there are because they are
/// large. A place that cannot be one has nothing behind it.
async fn rows(
    desk: &Desk,
    request: &Request<'_>,
    object: Object,
    from: Option<&str>,
    order: Order,
    limit: i64,
) -> Result<(Vec<Item>, bool), Error> {
    let core = request.core;
    let found = match object {
        Object::Document(_) => return Err(Error::NotFound),
        Object::Messages(talk) => {
            let seen = desk.sight.conversation(talk)?;
            let Some(from) = sid_or_start(from) else {
                return Ok((Vec::new(), false));
            };
            let most = i64::try_from(MOST_BYTES).unwrap_or(i64::MAX);
            let (rows, cut) = events::messages(core, seen, from, order, limit, most).await?;
            return Ok((rows.iter().map(items::message).collect(), cut));
        }
        Object::Roster(talk) => {
            let seen = desk.sight.conversation(talk)?;
            let Some(from) = sid_or_start(from) else {
                return Ok((Vec::new(), false));
            };
            let rows = events::roster(core, seen, from, order, limit).await?;
            rows.iter().map(items::participant).collect()
        }
        Object::OwnConversations(user) => {
            let user = desk.sight.user(user, object)?;
            let Some(from) = sid_or_start(from) else {
                return Ok((Vec::new(), false));
            };
            let rows = events::memberships(core, user, from, order, limit).await?;
            rows.iter()
                .map(|row| items::membership(row, user))
                .collect()
        }
        Object::UserInfo(user) => {
            let mut found = items::user_info(desk.sight.user(user, object)?);
            if order == Order::Descending {
                found.reverse();
            }
            found.retain(|item| {
                from.is_none_or(|from| match order {
                    Order::Ascending => place(item).as_str() >= from,
                    Order::Descending => place(item).as_str() <= from,
                })
            });
            found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
            found
        }
    };
    Ok((found, false))
}

/// A place in a collection: none for its start; nothing for a text that is no place.
fn sid_or_start<T: std::str::FromStr>(from: Option<&str>) -> Option<Option<T>> {
    match from {
        None => Some(None),
        Some(text) => text.parse().ok().map(Some),
    }
}
