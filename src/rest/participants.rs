//! `…/Conversations/{conversation}/Participants`.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::Rest;
use super::caller::Caller;
use super::error::ApiResult;
use super::form::Fields;
use super::pages::{Asked, Listed, lists};
use super::params::{self, Param, WEBHOOKS, integer, json, moment, short, sid};
use super::path::Names;
use super::resource::{Created, Moment, NoContent};
use crate::domain::attributes::MAX_SMALL_BYTES;
use crate::domain::participants::{Horizon, NewBinding, NewParticipant, ParticipantChanges};
use crate::domain::{
    AccountSid, Address, Attributes, ConversationSid, Error, Field, Identity, Invalid, MomentKey,
    Participant, ParticipantSid, RoleSid, ServiceSid,
};
use crate::ops;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "participant")]
pub(super) struct View {
    sid: ParticipantSid,
    account_sid: AccountSid,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_service_sid: Option<ServiceSid>,
    conversation_sid: ConversationSid,
    identity: Option<Identity>,
    attributes: Attributes,
    messaging_binding: Option<BindingView>,
    role_sid: Option<RoleSid>,
    last_read_message_index: Option<i64>,
    last_read_timestamp: Option<Moment>,
    date_created: Moment,
    date_updated: Moment,
    url: String,
}

/// Only what has a value is printed.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "messaging_binding")]
struct BindingView {
    #[serde(rename = "type")]
    channel: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy_address: Option<Address>,
    #[serde(skip_serializing_if = "Option::is_none")]
    projected_address: Option<Address>,
}

fn view(caller: &Caller, row: Participant) -> View {
    let channel = row.channel();
    View {
        sid: row.sid,
        account_sid: caller.ctx.account.sid,
        chat_service_sid: caller.shown_service(),
        conversation_sid: row.conversation_sid,
        messaging_binding: channel.map(|channel| BindingView {
            channel: channel.as_str(),
            address: row.address,
            proxy_address: row.proxy_address,
            projected_address: row.projected_address,
        }),
        identity: row.identity,
        attributes: row.attributes,
        role_sid: row.role_sid,
        last_read_message_index: row.last_read_message_index,
        last_read_timestamp: row.last_read_timestamp.map(Moment::from),
        date_created: row.date_created.into(),
        date_updated: row.date_updated.into(),
        url: format!(
            "{}/Conversations/{}/Participants/{}",
            caller.scope(),
            row.conversation_sid,
            row.sid
        ),
    }
}

/// The parameters of a new participant.
pub(super) const NEW: &[Param] = &[
    WEBHOOKS,
    short("Identity", 256),
    short("MessagingBinding.Address", 256),
    short("MessagingBinding.ProxyAddress", 256),
    moment("DateCreated"),
    moment("DateUpdated"),
    json("Attributes"),
    short("MessagingBinding.ProjectedAddress", 256),
    sid("RoleSid", "RL"),
];
/// The parameters of an update.
pub(super) const CHANGES: &[Param] = &[
    WEBHOOKS,
    moment("DateCreated"),
    moment("DateUpdated"),
    json("Attributes"),
    sid("RoleSid", "RL"),
    short("MessagingBinding.ProxyAddress", 256),
    short("MessagingBinding.ProjectedAddress", 256),
    short("Identity", 256),
    integer("LastReadMessageIndex"),
    moment("LastReadTimestamp"),
];
/// The list is never narrowed.
pub(super) const FILTERS: &[Param] = params::NONE;

fn attributes(form: &mut Fields) -> Result<Option<Attributes>, Error> {
    form.take("Attributes")
        .map(|text| Attributes::parse(text, MAX_SMALL_BYTES))
        .transpose()
}

fn role(form: &mut Fields) -> Result<Option<RoleSid>, Error> {
    let sid = form.take_filled("RoleSid");
    Ok(sid
        .map(|sid| sid.parse().map_err(|_| Invalid::ConversationRoleNotFound))
        .transpose()?)
}

/// Reads what is said of a new participant.
pub(super) fn read_new(mut form: Fields) -> Result<NewParticipant, Error> {
    let binding = NewBinding::parse(
        form.take("Identity"),
        form.take("MessagingBinding.Address").as_deref(),
        form.take("MessagingBinding.ProxyAddress").as_deref(),
        form.take("MessagingBinding.ProjectedAddress").as_deref(),
    )?;
    Ok(NewParticipant {
        binding,
        attributes: attributes(&mut form)?.unwrap_or_default(),
        role_sid: role(&mut form)?,
        date_created: form.take_moment("DateCreated", Invalid::DateCreated)?,
        date_updated: form.take_moment("DateUpdated", Invalid::DateUpdated)?,
    })
}

/// Addresses are removed by the word `null`.
fn removable(form: &mut Fields, name: &str) -> Field<String> {
    match form.take_field(name) {
        Field::Set(text) if text == "null" => Field::Clear,
        // An empty address is no address: it is refused where it is read.
        Field::Clear => Field::Set(String::new()),
        other => other,
    }
}

/// The read horizon: an empty index clears it.
pub(super) fn horizon(form: &mut Fields) -> Result<Horizon, Error> {
    let index = |text: String| -> Result<i64, Error> {
        let index = text.parse().ok().filter(|index: &i64| *index >= 0);
        index.ok_or_else(|| Invalid::LastReadMessageIndex.into())
    };
    Ok(Horizon {
        index: form.take_field("LastReadMessageIndex").try_map(index)?,
        timestamp: form.take_moment("LastReadTimestamp", Invalid::LastReadTimestamp)?,
    })
}

fn read_changes(mut form: Fields) -> Result<ParticipantChanges, Error> {
    Ok(ParticipantChanges {
        identity: form
            .take_filled("Identity")
            .map(Identity::parse)
            .transpose()?,
        proxy_address: removable(&mut form, "MessagingBinding.ProxyAddress"),
        projected_address: removable(&mut form, "MessagingBinding.ProjectedAddress"),
        attributes: attributes(&mut form)?,
        role_sid: role(&mut form)?,
        date_created: form.take_moment("DateCreated", Invalid::DateCreated)?,
        date_updated: form.take_moment("DateUpdated", Invalid::DateUpdated)?,
        horizon: horizon(&mut form)?,
    })
}

/// `POST …/Participants`
pub(super) async fn create(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Created<View>> {
    let of = names.conversation()?;
    let new = match Fields::read(&headers, body, NEW).await.and_then(read_new) {
        Ok(new) => new,
        Err(refusal) => return Err(rest.refuse(&caller, &of, refusal).await),
    };
    let participant = ops::participants::add(&rest.core, &caller.ctx, &of, new).await?;
    Ok(Created(view(&caller, participant)))
}

/// `GET …/Participants`
pub(super) async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    query: RawQuery,
) -> ApiResult<Listed<View>> {
    let held = ops::conversations::fetch(&rest.core, &caller.ctx, &names.conversation()?).await?;
    let of = held.conversation.sid;
    let mut query = Fields::query(query, FILTERS)?;
    let url = format!("{}/Conversations/{of}/Participants", caller.scope());
    let asked: Asked<MomentKey> = Asked::read(lists::PARTICIPANTS, url, &mut query, &[])?;
    let page = ops::participants::list(&rest.core, &caller.ctx, &of.into(), &asked.page).await?;
    Ok(asked.answer(page, |row| view(&caller, row)))
}

/// `GET …/Participants/{participant}`
pub(super) async fn fetch(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<Json<View>> {
    let (of, which) = (names.conversation()?, names.participant()?);
    let participant = ops::participants::fetch(&rest.core, &caller.ctx, &of, &which).await?;
    Ok(Json(view(&caller, participant)))
}

/// `POST …/Participants/{participant}`
pub(super) async fn update(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<View>> {
    let (of, which) = (names.conversation()?, names.participant()?);
    ops::participants::fetch(&rest.core, &caller.ctx, &of, &which).await?;
    let changes = read_changes(Fields::read(&headers, body, CHANGES).await?)?;
    if changes.is_empty() {
        return Err(Error::NothingToUpdate.into());
    }
    let participant =
        ops::participants::update(&rest.core, &caller.ctx, &of, &which, changes).await?;
    Ok(Json(view(&caller, participant)))
}

/// `DELETE …/Participants/{participant}`
pub(super) async fn remove(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<NoContent> {
    ops::participants::remove(
        &rest.core,
        &caller.ctx,
        &names.conversation()?,
        &names.participant()?,
    )
    .await?;
    Ok(NoContent)
}
