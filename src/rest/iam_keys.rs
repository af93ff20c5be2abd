//! `/v1/Keys` of IAM: the same keys, restricted ones among them.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::account_paths::{Manager, named};
use super::error::ApiResult;
use super::form::Fields;
use super::pages::{Asked, Listed, lists};
use super::params::{Param, json, short, sid, word};
use super::path::Names;
use super::resource::{Created, NoContent};
use super::{Rest, keys};
use crate::domain::accounts::{Credentials, KeyKind, short_name};
use crate::domain::policies::Policy;
use crate::domain::{AccountSid, ApiKey, ApiKeySid, Error, Invalid, MomentKey};
use crate::ops;
use crate::ops::keys::{NewKey, WithSecret};

/// A key with its policy; only a restricted one has one.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "iam_key")]
pub(super) struct View {
    #[serde(flatten)]
    key: keys::View,
    policy: Option<Policy>,
}

/// A key that was just made, with its policy: the secret is shown this once.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "iam_new_key")]
pub(super) struct NewView {
    #[serde(flatten)]
    key: View,
    secret: String,
}

/// A key in a list: what it is good for instead of its policy.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "iam_listed_key")]
pub(super) struct ListedView {
    #[serde(flatten)]
    key: keys::View,
    flags: &'static [&'static str],
}

fn view(mut key: ApiKey) -> View {
    let policy = key.policy.take();
    View {
        key: keys::view(key),
        policy,
    }
}

fn listed(key: ApiKey) -> ListedView {
    let flags: &[&str] = match key.kind {
        KeyKind::Main | KeyKind::Standard => &["rest_api", "signing"],
        KeyKind::Restricted => &["rest_api"],
    };
    ListedView {
        key: keys::view(key),
        flags,
    }
}

/// The parameters of a new key.
pub(super) const NEW: &[Param] = &[
    sid("AccountSid", "AC").required(),
    short("FriendlyName", 64),
    word("KeyType", &["restricted"]),
    json("Policy"),
];
/// The parameters of an update.
pub(super) const CHANGES: &[Param] = &[short("FriendlyName", 64), json("Policy")];
/// Whose keys are listed.
pub(super) const FILTERS: &[Param] = &[sid("AccountSid", "AC").required()];

impl Manager {
    /// The account of the parameter: the caller's own or a subaccount.
    async fn account(&self, rest: &Rest, fields: &mut Fields) -> Result<AccountSid, Error> {
        let refusal = || Invalid::Parameter {
            name: "AccountSid",
            wants: "the SID of the account or one of its subaccounts",
        };
        let sid = fields.take("AccountSid").and_then(|sid| sid.parse().ok());
        let account = match named(rest, &self.0, sid.ok_or_else(refusal)?).await {
            Err(Error::NotFound) => return Err(refusal().into()),
            found => found?,
        };
        account.accepts_requests()?;
        Ok(account.sid)
    }

    /// The key of the path, and whose it is.
    async fn key(&self, rest: &Rest, names: &Names) -> ApiResult<(AccountSid, ApiKeySid)> {
        let sid = names.sid("key")?;
        let own = self.0.ctx.account.sid;
        let account = ops::keys::account_of(&rest.core, own, sid).await?;
        account.accepts_requests()?;
        Ok((account.sid, sid))
    }

    /// Checks that the caller gives no more than it has.
    fn may_give(&self, kind: KeyKind, policy: Option<&Policy>) -> Result<(), Error> {
        let Credentials::RestrictedKey(own) = &self.0.credentials else {
            return Ok(());
        };
        let within = policy.is_none_or(|policy| own.covers(policy));
        if kind == KeyKind::Restricted && within {
            Ok(())
        } else {
            Err(Error::KeyNotAuthorised)
        }
    }
}

fn policy(form: &mut Fields) -> Result<Option<Policy>, Error> {
    form.take_filled("Policy")
        .map(|text| Policy::parse(&text))
        .transpose()
}

/// `POST /v1/Keys`
pub(super) async fn create(
    State(rest): State<Rest>,
    manager: Manager,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Created<NewView>> {
    let mut form = Fields::read(&headers, body, NEW).await?;
    let account = manager.account(&rest, &mut form).await?;
    let friendly_name = short_name(form.take("FriendlyName").unwrap_or_default())?;
    let kind = match form.take_filled("KeyType") {
        None => KeyKind::Standard,
        Some(word) if word.eq_ignore_ascii_case("restricted") => KeyKind::Restricted,
        Some(_) => {
            let (name, wants) = ("KeyType", "restricted, or nothing for a standard key");
            return Err(Invalid::Parameter { name, wants }.into());
        }
    };
    let policy = policy(&mut form)?;
    if policy.is_some() != (kind == KeyKind::Restricted) {
        let (name, wants) = ("Policy", "a policy with KeyType restricted, and only there");
        return Err(Invalid::Parameter { name, wants }.into());
    }
    manager.may_give(kind, policy.as_ref())?;
    let new = NewKey {
        account,
        friendly_name,
        kind,
        policy,
    };
    let WithSecret { key, secret } = ops::keys::create_in(&rest.core, new).await?;
    let key = view(key);
    Ok(Created(NewView { key, secret }))
}

/// `GET /v1/Keys`
pub(super) async fn list(
    State(rest): State<Rest>,
    manager: Manager,
    query: RawQuery,
) -> ApiResult<Listed<ListedView>> {
    let mut query = Fields::query(query, FILTERS)?;
    let account = manager.account(&rest, &mut query).await?;
    let url = format!("{}/v1/Keys", manager.0.base);
    let filters = [("AccountSid", Some(account.to_string()))];
    let asked: Asked<MomentKey> = Asked::read(lists::API_KEYS, url, &mut query, &filters)?;
    let page = ops::keys::list(&rest.core, account, &asked.page).await?;
    Ok(asked.answer(page, listed))
}

/// `GET /v1/Keys/{key}`
pub(super) async fn fetch(
    State(rest): State<Rest>,
    manager: Manager,
    names: Names,
) -> ApiResult<Json<View>> {
    let (account, sid) = manager.key(&rest, &names).await?;
    let key = ops::keys::fetch(&rest.core, account, sid).await?;
    Ok(Json(view(key)))
}

/// `POST /v1/Keys/{key}`
pub(super) async fn update(
    State(rest): State<Rest>,
    manager: Manager,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<View>> {
    let (account, sid) = manager.key(&rest, &names).await?;
    let mut form = Fields::read(&headers, body, CHANGES).await?;
    let name = form.take("FriendlyName").map(short_name).transpose()?;
    let policy = policy(&mut form)?;
    manager.may_give(KeyKind::Restricted, policy.as_ref())?;
    let key = ops::keys::update(&rest.core, account, sid, name, policy).await?;
    Ok(Json(view(key)))
}

/// `DELETE /v1/Keys/{key}`
pub(super) async fn remove(
    State(rest): State<Rest>,
    manager: Manager,
    names: Names,
) -> ApiResult<NoContent> {
    let (account, sid) = manager.key(&rest, &names).await?;
    ops::keys::remove(&rest.core, account, sid).await?;
    Ok(NoContent)
}
