//! Content templates over the socket.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Answer, Request};
use crate::domain::contents::Content;
use crate::domain::{
    Cursor, Error, ListKind, MomentKey, PageRequest, PageSize, content_texts, time,
};
use crate::ops;

const TEMPLATES: ListKind = ListKind {
    key: "templates",
    default_size: 50,
    max_size: 100,
};

fn print(of: &Content) -> Result<Value, Error> {
    let types: BTreeMap<&str, &RawValue> =
        serde_json::from_str(of.types.as_str()).map_err(Error::internal)?;
    let variants: BTreeMap<&str, &RawValue> = types
        .into_iter()
        .filter(|(name, _)| content_texts::SUPPORTED.contains(name))
        .collect();
    Ok(json!({
        "sid": of.sid,
        "account_sid": of.account_sid,
        "friendly_name": of.friendly_name.as_deref().unwrap_or_default(),
        "variables": of.variables.as_str(),
        "variants": variants,
        "date_created": time::print(of.date_created),
        "date_updated": time::print(of.date_updated),
    }))
}

/// `GET /Client/v2/ContentTemplates`. The SDK asks on until `next_token` is null.
pub(super) async fn list(request: &Request<'_>) -> Result<Answer, Error> {
    let size = PageSize::parse(request.param("PageSize")?.as_deref(), TEMPLATES)?;
    let from = request
        .param("PageToken")?
        .map(|token| Cursor::parse(&token, TEMPLATES.key))
        .transpose()?;
    let asked: PageRequest<MomentKey> = PageRequest { size, from };
    let page = ops::contents::list(request.core, &request.session.ctx, &asked).await?;
    let templates: Vec<Value> = page.items.iter().map(print).collect::<Result<_, _>>()?;
    let token =
        |cursor: Option<Cursor<MomentKey>>| cursor.map(|cursor| cursor.token(TEMPLATES.key));
    let meta = json!({ "previous_token": token(page.previous), "next_token": token(page.next) });
    Ok(Answer::Json(
        200,
        json!({ "templates": templates, "meta": meta }),
    ))
}
