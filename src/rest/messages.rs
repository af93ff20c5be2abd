//! `…/Conversations/{conversation}/Messages`.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::Rest;
use super::caller::Caller;
use super::error::ApiResult;
use super::extensions;
use super::form::Fields;
use super::pages::{Asked, Listed, lists};
use super::params::{Param, WEBHOOKS, json, moment, short, sid, text};
use super::path::Names;
use super::resource::{Created, Moment, NoContent};
use crate::domain::attributes::MAX_SMALL_BYTES;
use crate::domain::fillings::Filling;
use crate::domain::media::{self, Piece};
use crate::domain::messages::{MessageChanges, author, body as message_body, subject};
use crate::domain::{
    AccountSid, Attributes, ContentSid, ConversationSid, Delivery, Draft, Error, Invalid, MediaSid,
    Message, MessageSid, Order, ParticipantSid, ServiceSid,
};
use crate::ops;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "message")]
pub(super) struct View {
    sid: MessageSid,
    account_sid: AccountSid,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_service_sid: Option<ServiceSid>,
    conversation_sid: ConversationSid,
    index: i64,
    author: String,
    body: Option<String>,
    media: Option<Vec<PieceView>>,
    attributes: Attributes,
    participant_sid: Option<ParticipantSid>,
    date_created: Moment,
    date_updated: Moment,
    delivery: Option<Delivery>,
    content_sid: Option<ContentSid>,
    url: String,
    links: Links,
}

/// A piece of media: the four properties of the published schema.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "message_media")]
pub(super) struct PieceView {
    sid: MediaSid,
    size: i64,
    content_type: String,
    filename: Option<String>,
}

impl From<Piece> for PieceView {
    fn from(piece: Piece) -> Self {
        Self {
            sid: piece.sid,
            size: piece.size,
            content_type: piece.content_type,
            filename: piece.filename,
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "message_links")]
struct Links {
    delivery_receipts: String,
    channel_metadata: String,
}

fn view(caller: &Caller, row: Message) -> View {
    let url = format!(
        "{}/Conversations/{}/Messages/{}",
        caller.scope(),
        row.conversation_sid,
        row.sid
    );
    View {
        sid: row.sid,
        account_sid: caller.ctx.account.sid,
        chat_service_sid: caller.shown_service(),
        conversation_sid: row.conversation_sid,
        index: row.index,
        delivery: row.delivery(),
        author: row.author,
        body: row.body,
        // What a template says to the web SDK is no attachment (our choice).
        media: row
            .media
            .filter(|_| row.content_sid.is_none())
            .map(|pieces| pieces.into_iter().map(PieceView::from).collect()),
        attributes: row.attributes,
        participant_sid: row.participant_sid,
        date_created: row.date_created.into(),
        date_updated: row.date_updated.into(),
        content_sid: row.content_sid,
        links: Links {
            delivery_receipts: format!("{url}/Receipts"),
            channel_metadata: format!("{url}/ChannelMetadata"),
        },
        url,
    }
}

/// The parameters of a new message.
pub(super) const NEW: &[Param] = &[
    WEBHOOKS,
    short("Author", 256),
    text("Body"),
    moment("DateCreated"),
    moment("DateUpdated"),
    json("Attributes"),
    sid("MediaSid", "ME").repeated(),
    sid("ContentSid", "HX"),
    json("ContentVariables"),
    short("Subject", 256),
];
/// The parameters of an update.
pub(super) const CHANGES: &[Param] = &[
    WEBHOOKS,
    short("Author", 256),
    text("Body"),
    moment("DateCreated"),
    moment("DateUpdated"),
    json("Attributes"),
    short("Subject", 256),
];
/// What orders the list, and narrows it.
pub(super) const FILTERS: &[Param] = &[extensions::ORDER, extensions::SEARCH];

fn attributes(form: &mut Fields) -> Result<Option<Attributes>, Error> {
    form.take("Attributes")
        .map(|text| Attributes::parse(text, MAX_SMALL_BYTES))
        .transpose()
}

/// Reads a message, and the template that it is to be made from: with one, text and media are not even looked at.
fn read_draft(mut form: Fields) -> Result<(Draft, Option<Filling>), Error> {
    let filling = Filling::parse(form.take("ContentSid"), form.take("ContentVariables"))?;
    let (body, pieces) = (form.take("Body"), form.take_list("MediaSid"));
    let (body, media) = match &filling {
        None => (body, media::sids(&pieces.unwrap_or_default())?),
        Some(_) => (None, Vec::new()),
    };
    let draft = Draft {
        sid: None,
        author: author(form.take("Author"))?,
        body: body.map(message_body).transpose()?,
        subject: form.take("Subject").map(subject).transpose()?,
        attributes: attributes(&mut form)?.unwrap_or_default(),
        media,
        content_sid: None,
        rich: None,
        date_created: form.take_moment("DateCreated", Invalid::DateCreated)?,
        date_updated: form.take_moment("DateUpdated", Invalid::DateUpdated)?,
    };
    Ok((draft, filling))
}

fn read_changes(mut form: Fields) -> Result<MessageChanges, Error> {
    Ok(MessageChanges {
        author: form
            .take_filled("Author")
            .map(|name| author(Some(name)))
            .transpose()?,
        body: form.take("Body").map(message_body).transpose()?,
        subject: form.take("Subject").map(subject).transpose()?,
        attributes: attributes(&mut form)?,
        date_created: form.take_moment("DateCreated", Invalid::DateCreated)?,
        date_updated: form.take_moment("DateUpdated", Invalid::DateUpdated)?,
    })
}

/// `POST …/Messages`
pub(super) async fn create(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Created<View>> {
    let to = names.conversation()?;
    let draft = async {
        let (mut draft, filling) = read_draft(Fields::read(&headers, body, NEW).await?)?;
        ops::contents::fill(&rest.core, &caller.ctx, &mut draft, filling).await?;
        Ok(draft)
    };
    let draft = match draft.await {
        Ok(draft) => draft,
        Err(refusal) => return Err(rest.refuse(&caller, &to, refusal).await),
    };
    let message = ops::messages::post(&rest.core, &caller.ctx, &to, draft).await?;
    Ok(Created(view(&caller, message)))
}

/// `GET …/Messages`
pub(super) async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    query: RawQuery,
) -> ApiResult<Listed<View>> {
    let held = ops::conversations::fetch(&rest.core, &caller.ctx, &names.conversation()?).await?;
    let of = held.conversation.sid;
    let mut query = Fields::query(query, FILTERS)?;
    let (order, given_order) = extensions::order(&mut query)?;
    let order = order.unwrap_or(Order::Ascending);
    let (search, given_search) = extensions::search(&mut query)?;
    let url = format!("{}/Conversations/{of}/Messages", caller.scope());
    let given = [given_order, given_search];
    let asked: Asked<i64> = Asked::read(lists::MESSAGES, url, &mut query, &given)?;
    let (core, ctx) = (&rest.core, &caller.ctx);
    let page = match search {
        None => ops::messages::list(core, ctx, &of.into(), order, &asked.page).await?,
        Some(words) => {
            ops::messages::search(core, ctx, &of.into(), &words, order, &asked.page).await?
        }
    };
    Ok(asked.answer(page, |row| view(&caller, row)))
}

/// `GET …/Messages/{message}`
pub(super) async fn fetch(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<Json<View>> {
    let (of, sid) = (names.conversation()?, names.sid("message")?);
    let message = ops::messages::fetch(&rest.core, &caller.ctx, &of, sid).await?;
    Ok(Json(view(&caller, message)))
}

/// `POST …/Messages/{message}`
pub(super) async fn update(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<View>> {
    let (of, sid) = (names.conversation()?, names.sid("message")?);
    ops::messages::fetch(&rest.core, &caller.ctx, &of, sid).await?;
    let changes = read_changes(Fields::read(&headers, body, CHANGES).await?)?;
    if changes.is_empty() {
        return Err(Error::NothingToUpdate.into());
    }
    let message = ops::messages::update(&rest.core, &caller.ctx, &of, sid, changes).await?;
    Ok(Json(view(&caller, message)))
}

/// `DELETE …/Messages/{message}`
pub(super) async fn remove(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<NoContent> {
    ops::messages::remove(
        &rest.core,
        &caller.ctx,
        &names.conversation()?,
        names.sid("message")?,
    )
    .await?;
    Ok(NoContent)
}
