//! `/v1/Services/{service}/Media`: the media service, for programs with the account's credentials and for SDK clients
//! with an access token.
//!
//! No document of it is published; the shape is the one that field programs and the SDK read.

mod caller;
mod content;
mod lead;
mod upload;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Rest;
use super::error::ApiResult;
use super::form::read_body;
use super::params::{Param, integer, short, text, word};
use super::path::Names;
use super::resource::{Moment, NoContent};
use crate::domain::media::{Category, Media};
use crate::domain::{
    AccountSid, ConversationSid, Error, Invalid, MediaSid, MessageSid, ServiceSid,
};
use crate::ops;
use caller::MediaCaller;

pub(super) use content::{content, temporary};
pub(super) use upload::create;

/// How an upload by a program is signed; those of users have the identity.
const PROGRAM: &str = "sender";
/// The most media in one set (our choice: as the largest page of a list).
const MAX_IN_SET: usize = 100;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "media")]
pub(super) struct View {
    sid: MediaSid,
    account_sid: AccountSid,
    service_sid: ServiceSid,
    date_created: Moment,
    date_upload_updated: Moment,
    date_updated: Moment,
    /// The conversation, by its older name.
    channel_sid: Option<ConversationSid>,
    message_sid: Option<MessageSid>,
    size: i64,
    content_type: String,
    filename: Option<String>,
    category: Category,
    author: String,
    is_multipart_upstream: bool,
    url: String,
    links: Links,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "media_links")]
struct Links {
    content: String,
    content_direct_temporary: String,
}

fn view(rest: &Rest, caller: &MediaCaller, row: Media) -> View {
    let path = format!("/v1/Services/{}/Media/{}", row.service_sid, row.sid);
    let url = format!("{}{path}", caller.base);
    let (expires, signature) = ops::media::sign(&rest.core, row.sid);
    View {
        sid: row.sid,
        account_sid: row.account_sid,
        service_sid: row.service_sid,
        date_created: row.date_created.into(),
        date_upload_updated: row.date_uploaded.into(),
        date_updated: row.date_updated.into(),
        channel_sid: row.conversation_sid,
        message_sid: row.message_sid,
        size: row.size,
        content_type: row.content_type,
        filename: row.filename,
        category: row.category,
        author: row.author.unwrap_or_else(|| PROGRAM.to_owned()),
        is_multipart_upstream: row.is_multipart_upstream,
        links: Links {
            content: format!("{path}/Content"),
            content_direct_temporary: format!(
                "{url}/Temporary?Expires={expires}&Signature={signature}"
            ),
        },
        url,
    }
}

/// The parameters of an upload, in the query.
pub(super) const NEW: &[Param] = &[
    short("Filename", 256),
    word("Category", &["media", "body", "history"]),
];
/// The parameters of a temporary URL, in the query.
pub(super) const SIGNED: &[Param] = &[integer("Expires"), text("Signature")];

/// `GET …/Media/{media}`
pub(super) async fn fetch(
    State(rest): State<Rest>,
    caller: MediaCaller,
    names: Names,
) -> ApiResult<Json<View>> {
    let media = ops::media::fetch(&rest.core, &caller.ctx, names.sid("media")?).await?;
    Ok(Json(view(&rest, &caller, media)))
}

/// `DELETE …/Media/{media}`
pub(super) async fn remove(
    State(rest): State<Rest>,
    caller: MediaCaller,
    names: Names,
) -> ApiResult<NoContent> {
    ops::media::remove(&rest.core, &caller.ctx, names.sid("media")?).await?;
    Ok(NoContent)
}

#[derive(Deserialize)]
struct Wanted {
    command: String,
    list: Vec<WantedOne>,
}

#[derive(Deserialize)]
struct WantedOne {
    media_sid: String,
}

/// One of a set: the record, or that there is none for this caller.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "media_of_set")]
pub(super) struct OfSet {
    code: u16,
    media_record: Record,
}

#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
enum Record {
    Found(Box<View>),
    Absent { sid: String },
}

/// `POST …/MediaSet`: an array in the order asked for.
pub(super) async fn fetch_set(
    State(rest): State<Rest>,
    caller: MediaCaller,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<Vec<OfSet>>> {
    let bytes = read_body(&headers, body).await?;
    let wanted: Wanted = serde_json::from_slice(&bytes)
        .map_err(|_| Error::Malformed("the body is not {\"command\":\"get\",\"list\":[…]}"))?;
    if wanted.command != "get" {
        let (name, wants) = ("command", "get");
        return Err(Invalid::Parameter { name, wants }.into());
    }
    if wanted.list.len() > MAX_IN_SET {
        let (name, wants) = ("list", "at most 100 media");
        return Err(Invalid::Parameter { name, wants }.into());
    }
    let sids: Vec<MediaSid> = wanted
        .list
        .iter()
        .filter_map(|one| one.media_sid.parse().ok())
        .collect();
    let found = ops::media::fetch_many(&rest.core, &caller.ctx, &sids).await?;
    let set = wanted.list.into_iter().map(|WantedOne { media_sid: sid }| {
        let media = sid
            .parse()
            .ok()
            .and_then(|sid: MediaSid| found.iter().find(|media| media.sid == sid));
        match media {
            Some(media) => OfSet {
                code: 200,
                media_record: Record::Found(Box::new(view(&rest, &caller, media.clone()))),
            },
            None => OfSet {
                code: 404,
                media_record: Record::Absent { sid },
            },
        }
    });
    Ok(Json(set.collect()))
}
