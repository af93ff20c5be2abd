//! Messages over the socket.

use serde::Deserialize;
use serde_json::{Value, json};

use super::conversations::named;
use super::{Answer, Request};
use crate::domain::attributes::MAX_SMALL_BYTES;
use crate::domain::fillings::Filling;
use crate::domain::media;
use crate::domain::messages::{MessageChanges, body, subject};
use crate::domain::{
    Attributes, Cursor, Draft, Error, ListKind, Message, MessageSid, MomentKey, PageRequest,
    PageSize, time,
};
use crate::ops;

const RECEIPTS: ListKind = ListKind {
    key: "delivery_receipts",
    default_size: 50,
    max_size: 100,
};

fn sid(text: &str) -> Result<MessageSid, Error> {
    text.parse().map_err(|_| Error::NotFound)
}

fn print(request: &Request<'_>, of: &Message) -> Value {
    let ctx = &request.session.ctx;
    let conversation = format!(
        "{}/Conversations/{}",
        request.session.service(),
        of.conversation_sid
    );
    let url = format!("{conversation}/Messages/{}", of.sid);
    json!({
        "sid": of.sid,
        "index": of.index,
        "author": of.author,
        "body": of.body,
        "subject": of.subject,
        "attributes": of.attributes,
        "participant_sid": of.participant_sid,
        "media": of.media,
        "content_sid": of.content_sid,
        "date_created": time::print(of.date_created),
        "date_updated": time::print(of.date_updated),
        "account_sid": ctx.account.sid,
        "chat_service_sid": ctx.service,
        "conversation_sid": of.conversation_sid,
        "url": url,
        "links": { "conversation": conversation, "messages_receipts": format!("{url}/Receipts") },
    })
}

#[derive(Deserialize)]
struct New {
    body: Option<String>,
    subject: Option<String>,
    attributes: Option<String>,
    #[serde(default)]
    media_sids: Vec<String>,
    content_sid: Option<String>,
    content_variables: Option<String>,
}

fn attributes(text: Option<String>) -> Result<Option<Attributes>, Error> {
    text.map(|text| Attributes::parse(text, MAX_SMALL_BYTES))
        .transpose()
}

/// `POST …/Messages`
pub(super) async fn post(request: &Request<'_>, to: &str) -> Result<Answer, Error> {
    let new: New = request.json()?;
    let filling = Filling::parse(new.content_sid, new.content_variables)?;
    // With a template, text and media are not even looked at.
    let (text, pieces) = match &filling {
        None => (new.body, media::sids(&new.media_sids)?),
        Some(_) => (None, Vec::new()),
    };
    let ctx = &request.session.ctx;
    let mut draft = Draft {
        sid: request.repeatable(),
        author: ctx.creator(),
        body: text.map(body).transpose()?,
        subject: new.subject.map(subject).transpose()?,
        attributes: attributes(new.attributes)?.unwrap_or_default(),
        media: pieces,
        content_sid: None,
        rich: None,
        date_created: None,
        date_updated: None,
    };
    ops::contents::fill(request.core, ctx, &mut draft, filling).await?;
    match ops::messages::post(request.core, ctx, &named(to), draft).await {
        Ok(message) => Ok(Answer::Json(201, print(request, &message))),
        Err(Error::MessageRepeated(conversation, message)) => {
            let path = format!("Conversations/{conversation}/Messages/{message}");
            Ok(request.done_before(&path))
        }
        Err(refusal) => Err(refusal),
    }
}

/// `GET …/Messages/{message}`
pub(super) async fn fetch(request: &Request<'_>, of: &str, which: &str) -> Result<Answer, Error> {
    let ctx = &request.session.ctx;
    let message = ops::messages::fetch(request.core, ctx, &named(of), sid(which)?).await?;
    Ok(Answer::Json(200, print(request, &message)))
}

#[derive(Deserialize)]
struct Changes {
    body: Option<String>,
    attributes: Option<String>,
}

/// `POST …/Messages/{message}`
pub(super) async fn update(request: &Request<'_>, of: &str, which: &str) -> Result<Answer, Error> {
    let wanted: Changes = request.json()?;
    let changes = MessageChanges {
        body: wanted.body.map(body).transpose()?,
        attributes: attributes(wanted.attributes)?,
        ..MessageChanges::default()
    };
    if changes.is_empty() {
        return Err(Error::NothingToUpdate);
    }
    let ctx = &request.session.ctx;
    let message =
        ops::messages::update(request.core, ctx, &named(of), sid(which)?, changes).await?;
    Ok(Answer::Json(200, print(request, &message)))
}

/// `DELETE …/Messages/{message}`
pub(super) async fn remove(request: &Request<'_>, of: &str, which: &str) -> Result<Answer, Error> {
    ops::messages::remove(request.core, &request.session.ctx, &named(of), sid(which)?).await?;
    Ok(Answer::Nothing)
}

/// `GET …/Messages/{message}/Receipts`
pub(super) async fn receipts(
    request: &Request<'_>,
    of: &str,
    which: &str,
) -> Result<Answer, Error> {
    let message = sid(which)?;
    let size = PageSize::parse(request.param("PageSize")?.as_deref(), RECEIPTS)?;
    let list = format!("receipts of {message}");
    let from = request
        .param("PageToken")?
        .map(|token| Cursor::parse(&token, &list))
        .transpose()?;
    let asked: PageRequest<MomentKey> = PageRequest { size, from };
    let ctx = &request.session.ctx;
    let page = ops::receipts::list(request.core, ctx, &named(of), message, &asked).await?;
    let receipts: Vec<Value> = page
        .items
        .iter()
        .map(|receipt| {
            json!({
                "sid": receipt.sid,
                "message_sid": receipt.message_sid,
                "conversation_sid": receipt.conversation_sid,
                "channel_message_sid": receipt.channel_message_sid,
                "participant_sid": receipt.participant_sid,
                "status": receipt.status.map_or("queued", |status| status.as_str()),
                "error_code": receipt.error_code,
                "date_created": time::print(receipt.date_created),
                "date_updated": time::print(receipt.date_updated),
            })
        })
        .collect();
    let token = |cursor: Option<Cursor<MomentKey>>| cursor.map(|cursor| cursor.token(&list));
    let meta = json!({ "previous_token": token(page.previous), "next_token": token(page.next) });
    Ok(Answer::Json(
        200,
        json!({ "delivery_receipts": receipts, "meta": meta }),
    ))
}

/// `GET …/Messages/{message}/ChannelMetadata`: no channel of ours keeps any. The SDK takes this very code for "none"
/// and does not ask again.
pub(super) async fn channel_metadata(
    request: &Request<'_>,
    of: &str,
    which: &str,
) -> Result<Answer, Error> {
    ops::messages::fetch(request.core, &request.session.ctx, &named(of), sid(which)?).await?;
    let body = json!({
        "status": 404,
        "code": 50530,
        "message": "The message has no channel metadata",
        "more_info": "https://www.twilio.com/docs/errors/50530",
    });
    Ok(Answer::Refused(404, body))
}
