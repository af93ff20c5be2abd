//! `/v1/Services/{service}/Bindings`.

use axum::Json;
use axum::extract::{RawQuery, State};
use schemars::JsonSchema;
use serde::Serialize;

use super::Rest;
use super::caller::Caller;
use super::error::ApiResult;
use super::form::Fields;
use super::pages::{Asked, Listed, lists};
use super::params::{Param, text, word};
use super::path::Names;
use super::resource::{Moment, NoContent};
use crate::domain::bindings::{Binding, BindingFilter, BindingSid, TYPES, binding_type_of};
use crate::domain::credentials::CredentialSid;
use crate::domain::{AccountSid, Identity, Invalid, MomentKey, ServiceSid};
use crate::ops;

/// How many identities a list may be narrowed to (our choice: what fits into a URL).
const MAX_IDENTITIES: usize = 100;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "service_binding")]
pub(super) struct View {
    sid: BindingSid,
    account_sid: AccountSid,
    chat_service_sid: ServiceSid,
    credential_sid: Option<CredentialSid>,
    date_created: Moment,
    date_updated: Moment,
    endpoint: String,
    identity: Identity,
    binding_type: String,
    message_types: Vec<String>,
    url: String,
}

fn view(caller: &Caller, row: Binding) -> View {
    View {
        sid: row.sid,
        account_sid: row.account_sid,
        chat_service_sid: row.service_sid,
        credential_sid: row.credential_sid,
        date_created: row.date_created.into(),
        date_updated: row.date_updated.into(),
        endpoint: row.address,
        identity: row.identity,
        binding_type: row.binding_type,
        message_types: row.message_types,
        url: format!("{}/Bindings/{}", caller.scope(), row.sid),
    }
}

/// What narrows the list.
pub(super) const FILTERS: &[Param] = &[
    word("BindingType", TYPES).repeated(),
    text("Identity").repeated(),
];

/// `GET /v1/Services/{service}/Bindings`
pub(super) async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    query: RawQuery,
) -> ApiResult<Listed<View>> {
    let mut query = Fields::query(query, FILTERS)?;
    let types = query.take_list("BindingType").unwrap_or_default();
    let identities = query.take_list("Identity").unwrap_or_default();
    if types.len() > TYPES.len() || identities.len() > MAX_IDENTITIES {
        return Err(Invalid::Parameter {
            name: "Identity",
            wants: "at most 100 identities, and each type once",
        }
        .into());
    }
    let given: Vec<(&str, Option<String>)> = types
        .iter()
        .map(|word| ("BindingType", Some(word.clone())))
        .chain(
            identities
                .iter()
                .map(|name| ("Identity", Some(name.clone()))),
        )
        .collect();
    let filter = BindingFilter {
        binding_types: types
            .iter()
            .map(|word| binding_type_of(word))
            .collect::<Result<_, _>>()?,
        identities,
    };
    let url = format!("{}/Bindings", caller.scope());
    let asked: Asked<MomentKey> = Asked::read(lists::BINDINGS, url, &mut query, &given)?;
    let page = ops::bindings::list(&rest.core, &caller.ctx, &filter, &asked.page).await?;
    Ok(asked.answer(page, |row| view(&caller, row)))
}

/// `GET /v1/Services/{service}/Bindings/{binding}`
pub(super) async fn fetch(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<Json<View>> {
    let found = ops::bindings::fetch(&rest.core, &caller.ctx, names.sid("binding")?).await?;
    Ok(Json(view(&caller, found)))
}

/// `DELETE /v1/Services/{service}/Bindings/{binding}`
pub(super) async fn remove(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<NoContent> {
    ops::bindings::remove(&rest.core, &caller.ctx, names.sid("binding")?).await?;
    Ok(NoContent)
}
