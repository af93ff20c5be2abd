//! Taking in files: as they are, or as the one file of a form.
//!
//! Bytes pass through to the store as they come. What is too large is refused by what the request says of its length,
//! and otherwise when the limit is reached; what ends early, or does not go on, leaves nothing.

use std::time::Duration;

use axum::extract::{DefaultBodyLimit, FromRequest as _, Multipart, RawQuery, Request, State};
use axum::http::header;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use tokio::time::timeout;

use super::super::Rest;
use super::super::error::ApiResult;
use super::super::form::Fields;
use super::super::resource::Created;
use super::lead::{Lead, MAX_AROUND_BYTES};
use super::{MediaCaller, NEW, View, view};
use crate::domain::media::{self, Category, MAX_BYTES, Media};
use crate::domain::{Error, Invalid};
use crate::ops::media::{Claim, Upload, begin};

/// How long a client may be silent in the middle of an upload.
const SILENCE: Duration = Duration::from_secs(30);
/// How long an upload may take: less than after what time it counts as one that ended without a word.
const LONGEST: Duration = Duration::from_secs(30 * 60);

const ENDED: Error = Error::Malformed("the body ended early");
const LATE: Error = Error::Malformed("the body did not come in time");

/// `POST …/Media`
pub(in super::super) async fn create(
    State(rest): State<Rest>,
    caller: MediaCaller,
    query: RawQuery,
    request: Request,
) -> ApiResult<Created<View>> {
    let mut query = Fields::query(query, NEW)?;
    let claim = Claim {
        category: category(query.take_filled("Category").as_deref())?,
        filename: media::filename(query.take("Filename").unwrap_or_default())?,
        content_type: text(&request, &header::CONTENT_TYPE).map(str::to_owned),
        is_multipart: false,
    };
    let is_form = claim.content_type.as_deref().is_some_and(|kind| {
        let kind = kind.split(';').next().unwrap_or_default().trim();
        kind.eq_ignore_ascii_case("multipart/form-data")
    });
    let most = if is_form {
        MAX_BYTES + MAX_AROUND_BYTES
    } else {
        MAX_BYTES
    };
    let length = text(&request, &header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
    if length.is_some_and(|length: u64| length > most) {
        return Err(Invalid::MediaTooLarge.into());
    }
    let taking = async {
        if is_form {
            let lead = Lead::default();
            let request = request.map(|body| lead.bound(body));
            let taken = take_form(&rest, &caller, claim, request, &lead).await;
            taken.map_err(|refusal| lead.explain(refusal))
        } else {
            let bytes = request.into_body().into_data_stream();
            let upload = begin(&rest.core, &caller.ctx, claim).await?;
            take(upload, bytes.map(|piece| piece.map_err(|_| ENDED))).await
        }
    };
    let media = timeout(LONGEST, taking).await.map_err(|_| LATE)??;
    Ok(Created(view(&rest, &caller, media)))
}

fn text<'a>(request: &'a Request, name: &header::HeaderName) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok()
}

fn category(word: Option<&str>) -> Result<Category, Error> {
    word.map_or(Ok(Category::default()), Category::parse)
}

/// Takes in all bytes, or gives the upload up.
async fn take(
    mut upload: Upload<'_>,
    bytes: impl Stream<Item = Result<Bytes, Error>> + Unpin,
) -> Result<Media, Error> {
    match pour(bytes, &mut upload).await {
        Ok(()) => upload.finish().await,
        Err(refusal) => {
            upload.give_up().await;
            Err(refusal)
        }
    }
}

async fn pour(
    mut bytes: impl Stream<Item = Result<Bytes, Error>> + Unpin,
    upload: &mut Upload<'_>,
) -> Result<(), Error> {
    while let Some(piece) = timeout(SILENCE, bytes.next()).await.map_err(|_| LATE)? {
        upload.write(&piece?).await?;
    }
    Ok(())
}

/// Takes in the file of a form. It is the first part that is no field of ours; the SDK names it as the file is named.
async fn take_form(
    rest: &Rest,
    caller: &MediaCaller,
    mut claim: Claim,
    mut request: Request,
    lead: &Lead,
) -> Result<Media, Error> {
    const UNREADABLE: Error = Error::Malformed("the form cannot be read");
    // The limit is ours, and not in memory.
    DefaultBodyLimit::disable().apply(&mut request);
    let mut form = Multipart::from_request(request, &())
        .await
        .map_err(|_| UNREADABLE)?;
    loop {
        let part = timeout(SILENCE, form.next_field())
            .await
            .map_err(|_| LATE)?;
        let Some(mut part) = part.map_err(|_| UNREADABLE)? else {
            return Err(Error::Malformed("the form has no file"));
        };
        let field = part.name().unwrap_or_default().to_owned();
        if part.file_name().is_none() && matches!(field.as_str(), "Category" | "Filename") {
            let value = small_field(&mut part).await?;
            match field.as_str() {
                "Category" => claim.category = category(Some(&value))?,
                _ => claim.filename = media::filename(value)?,
            }
            continue;
        }
        if claim.filename.is_none() {
            let name = part.file_name().map(str::to_owned).unwrap_or(field);
            claim.filename = media::filename(name)?;
        }
        claim.content_type = part.content_type().map(str::to_owned);
        claim.is_multipart = true;
        let mut upload = begin(&rest.core, &caller.ctx, claim).await?;
        let bytes = part
            .map(|piece| piece.map_err(|_| ENDED))
            .inspect_ok(|piece| lead.shrink(piece.len()));
        let poured = pour(Box::pin(bytes), &mut upload).await;
        let alone = match poured {
            Ok(()) => is_last(&mut form).await,
            Err(refusal) => Err(refusal),
        };
        return match alone {
            Ok(()) => upload.finish().await,
            Err(refusal) => {
                upload.give_up().await;
                Err(refusal)
            }
        };
    }
}

/// Reads a field that is no file.
async fn small_field(part: &mut axum::extract::multipart::Field<'_>) -> Result<String, Error> {
    let mut bytes = Vec::new();
    while let Some(piece) = timeout(SILENCE, part.chunk())
        .await
        .map_err(|_| LATE)?
        .map_err(|_| ENDED)?
    {
        bytes.extend_from_slice(&piece);
        if bytes.len() > 4 * media::MAX_FILENAME_CHARACTERS {
            return Err(Error::Malformed("a field of the form is too long"));
        }
    }
    String::from_utf8(bytes).map_err(|_| Error::Malformed("a text is not UTF-8"))
}

/// Sees the form to its end: one that breaks off behind its file may have lost some of it, and of two files nobody could
/// say which was meant.
async fn is_last(form: &mut Multipart) -> Result<(), Error> {
    match timeout(SILENCE, form.next_field())
        .await
        .map_err(|_| LATE)?
    {
        Ok(None) => Ok(()),
        Ok(Some(_)) => Err(Error::Malformed("the form has more behind its file")),
        Err(_) => Err(ENDED),
    }
}
