//! Conversations over the socket.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Answer, Request};
use crate::bus::{Parcel, Typist};
use crate::domain::attributes::MAX_LARGE_BYTES;
use crate::domain::conversations::{ConversationChanges, SortBy, Sorting, unique_name};
use crate::domain::memberships::Own;
use crate::domain::participants::{Horizon, NotificationLevel, Participant};
use crate::domain::{
    Attributes, Conversation, ConversationRef, Cursor, Error, Field, Invalid, ListKind, MomentKey,
    Order, PageRequest, PageSize, UserRef, friendly_name, time,
};
use crate::gateway::TYPING_TIMEOUT_SECONDS;
use crate::gateway::sync::Object;
use crate::ops;
use crate::ops::memberships::LastMessages;

const OWN: ListKind = ListKind {
    key: "conversations",
    default_size: 100, // as the configuration says
    max_size: 100,
};

pub(super) fn named(text: &str) -> ConversationRef {
    let Ok(which) = text.parse();
    which
}

fn print(request: &Request<'_>, of: &Conversation) -> Value {
    let url = format!("{}/Conversations/{}", request.session.service(), of.sid);
    json!({
        "sid": of.sid,
        "conversation_sid": of.sid,
        "account_sid": of.account_sid,
        "chat_service_sid": of.service_sid,
        "friendly_name": of.friendly_name,
        "unique_name": of.unique_name,
        "attributes": of.attributes,
        "state": of.state.as_str(),
        "created_by": of.created_by,
        "date_created": time::print(of.date_created),
        "date_updated": time::print(of.date_updated),
        "participants_count": of.participants_count,
        "url": url,
        "links": {
            "participants": format!("{url}/Participants"),
            "messages": format!("{url}/Messages"),
        },
        "sync_objects": {
            "conversation": Object::Document(of.sid).to_string(),
            "messages": Object::Messages(of.sid).to_string(),
            "participants": Object::Roster(of.sid).to_string(),
        },
    })
}

/// The same with the reader's own side of it.
fn print_own(request: &Request<'_>, own: &Own) -> Value {
    let mut body = print(request, &own.conversation);
    body["status"] = json!("joined");
    body["last_read_message_index"] = json!(own.last_read_message_index);
    body["notification_level"] = json!(own.notification_level);
    body["unread_messages_count"] = json!(own.unread_messages_count);
    body["participant_sid"] = json!(own.participant_sid);
    body
}

fn own_user(request: &Request<'_>) -> UserRef {
    UserRef::Sid(request.session.user)
}

/// `GET …/MyConversations`
///
/// In an order in which nothing moves: a client reads the list once, and what moved to a page that it has read already
/// would stay unknown to it.
pub(super) async fn list_own(request: &Request<'_>) -> Result<Answer, Error> {
    let size = PageSize::parse(request.param("PageSize")?.as_deref(), OWN)?;
    let list = format!("own conversations of {}", request.session.user);
    let from = request
        .param("PageToken")?
        .map(|token| Cursor::parse(&token, &list))
        .transpose()?;
    let asked: PageRequest<MomentKey> = PageRequest { size, from };
    let ctx = &request.session.ctx;
    let page = ops::memberships::list(
        request.core,
        ctx,
        &own_user(request),
        Sorting {
            by: SortBy::DateCreated,
            order: Order::Descending,
        },
        LastMessages::Untold,
        &asked,
    )
    .await?;
    let conversations: Vec<Value> = page
        .items
        .iter()
        .map(|own| print_own(request, own))
        .collect();
    let token = |cursor: Option<Cursor<MomentKey>>| cursor.map(|cursor| cursor.token(&list));
    let meta = json!({ "previous_token": token(page.previous), "next_token": token(page.next) });
    Ok(Answer::Json(
        200,
        json!({ "conversations": conversations, "meta": meta }),
    ))
}

/// `GET …/MyConversations/{SID or unique name}`. Whoever could join may look, and finds no own side.
pub(super) async fn fetch_own(request: &Request<'_>, which: &str) -> Result<Answer, Error> {
    let (ctx, which) = (&request.session.ctx, named(which));
    match ops::reads::fetch(request.core, ctx, &own_user(request), &which).await {
        Ok(own) => Ok(Answer::Json(200, print_own(request, &own))),
        Err(Error::NotFound) => {
            let held = ops::conversations::fetch(request.core, ctx, &which).await?;
            Ok(Answer::Json(200, print(request, &held.conversation)))
        }
        Err(other) => Err(other),
    }
}

#[derive(Deserialize)]
struct OwnChanges {
    #[serde(default, deserialize_with = "given")]
    last_read_message_index: Option<Option<i64>>,
    notification_level: Option<NotificationLevel>,
}

/// Tells null from absent.
fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Option<i64>>, D::Error> {
    Option::deserialize(from).map(Some)
}

/// `POST …/MyConversations/{conversation}`
pub(super) async fn update_own(request: &Request<'_>, which: &str) -> Result<Answer, Error> {
    let changes: OwnChanges = request.json()?;
    let index = match changes.last_read_message_index {
        None => Field::Keep,
        Some(None) => Field::Clear,
        Some(Some(index)) if index < 0 => return Err(Invalid::LastReadMessageIndex.into()),
        Some(Some(index)) => Field::Set(index),
    };
    let horizon = Horizon {
        index,
        timestamp: None,
    };
    let (ctx, which, level) = (
        &request.session.ctx,
        named(which),
        changes.notification_level,
    );
    let own = ops::reads::update(
        request.core,
        ctx,
        &own_user(request),
        &which,
        horizon,
        level,
    )
    .await?;
    Ok(Answer::Json(200, print_own(request, &own)))
}

#[derive(Deserialize)]
struct Changes {
    friendly_name: Option<String>,
    unique_name: Option<String>,
    attributes: Option<String>,
}

impl Changes {
    fn read(self) -> Result<ConversationChanges, Error> {
        let field = |text: Option<String>| match text {
            None => Field::Keep,
            Some(text) if text.is_empty() => Field::Clear,
            Some(text) => Field::Set(text),
        };
        Ok(ConversationChanges {
            friendly_name: field(self.friendly_name).try_map(friendly_name)?,
            unique_name: field(self.unique_name).try_map(unique_name)?,
            attributes: self
                .attributes
                .map(|text| Attributes::parse(text, MAX_LARGE_BYTES))
                .transpose()?,
            ..ConversationChanges::default()
        })
    }
}

/// `POST …/Conversations`
pub(super) async fn create(request: &Request<'_>) -> Result<Answer, Error> {
    let wanted = request.json::<Changes>()?.read()?;
    let (core, ctx) = (request.core, &request.session.ctx);
    let created = match request.repeatable() {
        Some(sid) => ops::conversations::create_once(core, ctx, sid, wanted).await,
        None => ops::conversations::create(core, ctx, wanted).await,
    };
    match created {
        Ok(new) => Ok(Answer::Json(201, print(request, &new))),
        Err(Error::ConversationRepeated(sid)) => {
            Ok(request.done_before(&format!("Conversations/{sid}")))
        }
        Err(refusal) => Err(refusal),
    }
}

/// `GET …/Conversations/{conversation}`: a look, with counts; for participants also with their own side.
pub(super) async fn fetch(request: &Request<'_>, which: &str) -> Result<Answer, Error> {
    let ctx = &request.session.ctx;
    let held = ops::conversations::fetch(request.core, ctx, &named(which)).await?;
    let mut body = print(request, &held.conversation);
    if let Some(Participant {
        last_read_message_index,
        ..
    }) = &held.own
    {
        body["status"] = json!("joined");
        body["last_read_message_index"] = json!(last_read_message_index);
    }
    body["messages_count"] =
        json!(ops::messages::count(request.core, held.conversation.sid).await?);
    Ok(Answer::Json(200, body))
}

/// `POST …/Conversations/{conversation}`
pub(super) async fn update(request: &Request<'_>, which: &str) -> Result<Answer, Error> {
    let changes = request.json::<Changes>()?.read()?;
    if changes.is_empty() {
        return Err(Error::NothingToUpdate);
    }
    let ctx = &request.session.ctx;
    let changed = ops::conversations::update(request.core, ctx, &named(which), changes).await?;
    Ok(Answer::Json(200, print(request, &changed)))
}

/// `DELETE …/Conversations/{conversation}`
pub(super) async fn remove(request: &Request<'_>, which: &str) -> Result<Answer, Error> {
    ops::conversations::remove(request.core, &request.session.ctx, &named(which)).await?;
    Ok(Answer::Nothing)
}

/// `POST /v1/typing`: never stored, and told to the other participants only.
pub(super) async fn typing(request: &Request<'_>) -> Result<Answer, Error> {
    let sid = form_urlencoded::parse(request.payload)
        .find(|(name, _)| matches!(name.as_ref(), "ChannelSid" | "ConversationSid"))
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default();
    if sid.contains('\0') {
        return Err(Error::NUL);
    }
    let (core, ctx) = (request.core, &request.session.ctx);
    let talk = ops::events::taking_part(core, ctx, &named(&sid)).await?;
    talk.accepts_changes()?;
    if let Some(identity) = ctx.identity() {
        let (conversation, user) = (talk.sid, request.session.user);
        let typist = Typist {
            conversation,
            user,
            identity: identity.clone(),
        };
        request.gateway.0.bus.publish(Parcel::Typing(typist));
    }
    Ok(Answer::Json(
        200,
        json!({ "typing_timeout": TYPING_TIMEOUT_SECONDS }),
    ))
}
