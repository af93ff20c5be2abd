//! `…/Users/{user}/Conversations`: conversations as a user has them.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::Rest;
use super::caller::Caller;
use super::conversations::Timers;
use super::error::ApiResult;
use super::extensions;
use super::form::Fields;
use super::pages::{Asked, Listed, lists};
use super::params::{Param, integer, moment, word};
use super::participants::horizon;
use super::path::Names;
use super::resource::{Moment, NoContent};
use crate::domain::conversations::SortBy;
use crate::domain::memberships::{LastMessage, Own};
use crate::domain::participants::NotificationLevel;
use crate::domain::{
    AccountSid, Attributes, ConversationSid, Error, Invalid, MessageSid, MomentKey, ParticipantSid,
    ServiceSid, State as Life, UserRef, UserSid,
};
use crate::ops;
use crate::ops::memberships::LastMessages;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "user_conversation")]
pub(super) struct View {
    account_sid: AccountSid,
    chat_service_sid: ServiceSid,
    conversation_sid: ConversationSid,
    unread_messages_count: Option<i64>,
    last_read_message_index: Option<i64>,
    participant_sid: ParticipantSid,
    user_sid: UserSid,
    friendly_name: Option<String>,
    conversation_state: Life,
    timers: Timers,
    attributes: Attributes,
    date_created: Moment,
    date_updated: Moment,
    created_by: String,
    notification_level: NotificationLevel,
    unique_name: Option<String>,
    /// Only where it is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_message: Option<Option<LastMessageView>>,
    url: String,
    links: Links,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "user_conversation_links")]
struct Links {
    participant: String,
    conversation: String,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "last_message")]
struct LastMessageView {
    sid: MessageSid,
    index: i64,
    author: String,
    body: Option<String>,
    date_created: Moment,
}

impl From<LastMessage> for LastMessageView {
    fn from(row: LastMessage) -> Self {
        Self {
            sid: row.sid,
            index: row.index,
            author: row.author,
            body: row.body,
            date_created: row.date_created.into(),
        }
    }
}

fn view(caller: &Caller, last_messages: LastMessages, own: Own) -> View {
    let (scope, row) = (caller.scope(), own.conversation);
    let conversation = format!("{scope}/Conversations/{}", row.sid);
    View {
        account_sid: row.account_sid,
        chat_service_sid: row.service_sid,
        conversation_sid: row.sid,
        unread_messages_count: own.unread_messages_count,
        last_read_message_index: own.last_read_message_index,
        participant_sid: own.participant_sid,
        user_sid: own.user_sid,
        timers: Timers::from(&row),
        friendly_name: row.friendly_name,
        conversation_state: row.state,
        attributes: row.attributes,
        date_created: row.date_created.into(),
        date_updated: row.date_updated.into(),
        created_by: row.created_by,
        notification_level: own.notification_level,
        unique_name: row.unique_name,
        last_message: (last_messages == LastMessages::Told)
            .then(|| own.last_message.map(LastMessageView::from)),
        url: format!("{scope}/Users/{}/Conversations/{}", own.user_sid, row.sid),
        links: Links {
            participant: format!("{conversation}/Participants/{}", own.participant_sid),
            conversation,
        },
    }
}

/// The parameters of an update.
pub(super) const CHANGES: &[Param] = &[
    word("NotificationLevel", &["default", "muted"]),
    integer("LastReadMessageIndex"),
    moment("LastReadTimestamp"),
];
/// What orders the list, and what it tells beyond the contract.
pub(super) const FILTERS: &[Param] = &[
    extensions::SORT_BY,
    extensions::ORDER,
    word("Include", &["last_message"]),
    extensions::TOTAL,
];

fn include(query: &mut Fields) -> Result<(LastMessages, extensions::Given), Error> {
    let given = query.take_filled("Include");
    let last_messages = match given.as_deref().map(str::to_ascii_lowercase).as_deref() {
        None => LastMessages::Untold,
        Some("last_message") => LastMessages::Told,
        Some(_) => {
            return Err(Invalid::Parameter {
                name: "Include",
                wants: "last_message",
            }
            .into());
        }
    };
    Ok((last_messages, ("Include", given)))
}

/// `GET …/Users/{user}/Conversations`
pub(super) async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    query: RawQuery,
) -> ApiResult<Listed<View>> {
    let (core, ctx) = (&rest.core, &caller.ctx);
    let user = ops::users::fetch(core, ctx, &names.user()?).await?.sid;
    let mut query = Fields::query(query, FILTERS)?;
    let (sorting, [by, order]) = extensions::sorting(&mut query, SortBy::default())?;
    let (last_messages, included) = include(&mut query)?;
    let (wants_total, total) = extensions::total(&mut query)?;
    let url = format!("{}/Users/{user}/Conversations", caller.scope());
    let given = [by, order, included, total];
    let asked: Asked<MomentKey> = Asked::read(lists::OWN_CONVERSATIONS, url, &mut query, &given)?;
    let user = UserRef::Sid(user);
    let page =
        ops::memberships::list(core, ctx, &user, sorting, last_messages, &asked.page).await?;
    let total = match wants_total {
        true => Some(ops::memberships::count(core, ctx, &user).await?),
        false => None,
    };
    Ok(asked
        .answer(page, |own| view(&caller, last_messages, own))
        .with_total(total))
}

/// `GET …/Users/{user}/Conversations/{conversation}`
pub(super) async fn fetch(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<Json<View>> {
    let (user, which) = (names.user()?, names.conversation()?);
    let own = ops::reads::fetch(&rest.core, &caller.ctx, &user, &which).await?;
    Ok(Json(view(&caller, LastMessages::Untold, own)))
}

/// `POST …/Users/{user}/Conversations/{conversation}`
pub(super) async fn update(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<View>> {
    let (user, which) = (names.user()?, names.conversation()?);
    ops::reads::fetch(&rest.core, &caller.ctx, &user, &which).await?;
    let mut form = Fields::read(&headers, body, CHANGES).await?;
    let level = form.take("NotificationLevel");
    let level = level.map(|word| word.parse()).transpose()?;
    let horizon = horizon(&mut form)?;
    if level.is_none() && horizon.is_empty() {
        return Err(Error::NothingToUpdate.into());
    }
    let own = ops::reads::update(&rest.core, &caller.ctx, &user, &which, horizon, level).await?;
    Ok(Json(view(&caller, LastMessages::Untold, own)))
}

/// `DELETE …/Users/{user}/Conversations/{conversation}`
pub(super) async fn remove(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<NoContent> {
    let (user, which) = (names.user()?, names.conversation()?);
    ops::memberships::remove(&rest.core, &caller.ctx, &user, &which).await?;
    Ok(NoContent)
}
