//! Reading sync objects: descriptors and pages of items.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{Answer, Request};
use crate::domain::{ConversationSid, Cursor, Error, Invalid, Order, PageSize, Toward, UserSid};
use crate::gateway::sync::items::{self, Item, Place};
use crate::gateway::sync::{
    Named, Object, info_digits, last_event_of_conversation, last_event_of_user,
};
use crate::ops::access::For;
use crate::ops::events;

const PAGE: crate::domain::ListKind = crate::domain::ListKind {
    key: "items",
    default_size: 50,
    max_size: 100,
};

/// `GET /v3/Documents/{id}`, `/v3/Lists/{id}`, `/v3/Maps/{id}` and their `/Items`.
pub(super) async fn fetch(
    request: &Request<'_>,
    kind: &str,
    path: &[&str],
) -> Result<Answer, Error> {
    let (name, items) = match path {
        [name] => (*name, false),
        [name, "Items"] => (*name, true),
        _ => return Err(Error::NotFound),
    };
    let object = find(request, name).await?;
    let fits = matches!(
        (kind, object.kind(), items),
        ("Documents", "document", false) | ("Lists", "list", _) | ("Maps", "map", _)
    );
    match object {
        _ if !fits => Err(Error::NotFound),
        _ if items => page(request, object).await,
        Object::Document(talk) | Object::Messages(talk) | Object::Roster(talk) => {
            of_conversation(request, object, talk).await
        }
        Object::OwnConversations(user) | Object::UserInfo(user) => {
            of_user(request, object, user).await
        }
    }
}

/// Finds what a name or SID means. Of a map's SID the own user's are the likely ones, then a conversation's.
async fn find(request: &Request<'_>, name: &str) -> Result<Object, Error> {
    let digits = match Named::read(name).ok_or(Error::NotFound)? {
        Named::Object(object) => return Ok(object),
        Named::Map(digits) => digits,
    };
    let own = request.session.user;
    if digits == own.uuid() {
        return Ok(Object::OwnConversations(own));
    }
    if digits == info_digits(own.uuid()) {
        return Ok(Object::UserInfo(own));
    }
    let talk = ConversationSid::from_uuid(digits);
    let there = events::may_follow(
        request.core,
        &request.session.ctx,
        &talk.into(),
        For::Peeking,
    )
    .await;
    match there {
        Ok(_) => Ok(Object::Roster(talk)),
        Err(Error::NotFound) => Ok(Object::UserInfo(UserSid::from_uuid(info_digits(digits)))),
        Err(other) => Err(other),
    }
}

async fn of_conversation(
    request: &Request<'_>,
    object: Object,
    talk: ConversationSid,
) -> Result<Answer, Error> {
    let (core, session) = (request.core, request.session);
    if !matches!(object, Object::Document(_)) {
        events::may_follow(core, &session.ctx, &talk.into(), For::TakingPart).await?;
    }
    let (conversation, last) = events::document(core, &session.ctx, &talk.into()).await?;
    let last_event = last_event_of_conversation(object, &conversation);
    let mut body = items::descriptor(object, &session.base, last_event, conversation.date_updated);
    if matches!(object, Object::Document(_)) {
        body["data"] = items::document(&conversation, last);
    }
    Ok(Answer::Json(200, body))
}

async fn of_user(request: &Request<'_>, object: Object, user: UserSid) -> Result<Answer, Error> {
    let (core, session) = (request.core, request.session);
    let own_only = matches!(object, Object::OwnConversations(_));
    if own_only && user != session.user {
        return Err(Error::NotFound);
    }
    let user = events::user(core, &session.ctx, user).await?;
    let last_event = last_event_of_user(object, &user);
    let mut body = items::descriptor(object, &session.base, last_event, user.date_updated);
    if request.param("Include")?.as_deref() == Some("items") && !own_only {
        let printed: Vec<Value> = items::user_info(&user)
            .iter()
            .map(|item| items::print(item, object, &session.base))
            .collect();
        body["items"] = json!(printed);
    }
    Ok(Answer::Json(200, body))
}

/// What a page token holds: everything that the page behind it needs.
#[derive(Serialize, Deserialize)]
struct Edge {
    at: String,
    size: u16,
    descending: bool,
}

/// Which items are wanted.
struct Wanted {
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
    fn read(request: &Request<'_>, object: Object) -> Result<Self, Error> {
        if let Some(token) = request.param("PageToken")? {
            let cursor = Cursor::<Edge>::parse(&token, &object.sid())?;
            let Edge {
                at,
                size,
                descending,
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
                beyond: true,
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
}

async fn page(request: &Request<'_>, object: Object) -> Result<Answer, Error> {
    let wanted = Wanted::read(request, object)?;
    let from = wanted.key.as_ref().or(wanted.from.as_ref());
    // One more than fits tells whether there is more; one more is the edge itself, when that is not wanted.
    let limit = i64::from(wanted.size) + 1 + i64::from(wanted.beyond);
    let mut found = read(
        request,
        object,
        from.map(String::as_str),
        wanted.order,
        limit,
    )
    .await?;
    if let Some(key) = &wanted.key {
        found.retain(|item| place(item) == *key);
        return Ok(print(request, object, &found, None, None));
    }
    if wanted.beyond {
        found.retain(|item| Some(place(item)) != wanted.from);
    }
    let more = found.len() > usize::from(wanted.size);
    found.truncate(wanted.size.into());
    // Whether something lies on the near side is asked for with one item from there.
    let before = match found.first() {
        Some(first) if wanted.from.is_some() => {
            let opposite = flip(wanted.order);
            let near = read(request, object, Some(&place(first)), opposite, 2).await?;
            near.iter().any(|item| place(item) != place(first))
        }
        _ => false,
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
            at: place(item.filter(|_| there)?),
            size: wanted.size,
            descending,
        };
        Some(Cursor { edge, toward }.token(&object.sid()))
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
) -> Answer {
    let base = &request.session.base;
    let items: Vec<Value> = found
        .iter()
        .map(|item| items::print(item, object, base))
        .collect();
    Answer::Json(
        200,
        json!({ "items": items, "meta": { "previous_token": previous, "next_token": next } }),
    )
}

/// Reads items from a place on (inclusive), in an order. A place that cannot be one has nothing behind it.
async fn read(
    request: &Request<'_>,
    object: Object,
    from: Option<&str>,
    order: Order,
    limit: i64,
) -> Result<Vec<Item>, Error> {
    let (core, ctx) = (request.core, &request.session.ctx);
    Ok(match object {
        Object::Document(_) => return Err(Error::NotFound),
        Object::Messages(talk) => {
            let Some(from) = sid_or_start(from) else {
                return Ok(Vec::new());
            };
            let rows = events::messages(core, ctx, talk, from, order, limit).await?;
            rows.iter().map(items::message).collect()
        }
        Object::Roster(talk) => {
            let Some(from) = sid_or_start(from) else {
                return Ok(Vec::new());
            };
            let rows = events::roster(core, ctx, talk, from, order, limit).await?;
            rows.iter().map(items::participant).collect()
        }
        Object::OwnConversations(user) => {
            let Some(from) = sid_or_start(from) else {
                return Ok(Vec::new());
            };
            let rows = events::memberships(core, ctx, user, from, order, limit).await?;
            let user = events::user(core, ctx, user).await?;
            rows.iter()
                .map(|row| items::membership(row, &user))
                .collect()
        }
        Object::UserInfo(user) => {
            let user = events::user(core, ctx, user).await?;
            let mut found = items::user_info(&user).to_vec();
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
    })
}

/// A place in a collection: none for its start; nothing for a text that is no place.
fn sid_or_start<T: std::str::FromStr>(from: Option<&str>) -> Option<Option<T>> {
    match from {
        None => Some(None),
        Some(text) => text.parse().ok().map(Some),
    }
}
