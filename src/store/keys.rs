//! API keys.

use sqlx::types::Json;
use sqlx::{PgConnection, QueryBuilder};

use super::{MomentKey, Order, push_page};
use crate::domain::policies::Policy;
use crate::domain::{AccountSid, ApiKey, ApiKeySid, PageRequest, Timestamp};

macro_rules! columns {
    () => {
        "sid, account_sid, friendly_name, kind, policy, date_created, date_updated"
    };
}

/// An API key with its sealed secret.
#[derive(Debug, sqlx::FromRow)]
pub struct ApiKeyRow {
    /// The key.
    #[sqlx(flatten)]
    pub key: ApiKey,
    /// The sealed secret.
    pub secret: Vec<u8>,
}

/// Finds an API key by its SID alone, with its sealed secret: for checking credentials.
///
/// # Errors
/// As the database.
pub async fn find_secret(
    conn: &mut PgConnection,
    sid: ApiKeySid,
) -> sqlx::Result<Option<ApiKeyRow>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        ", secret from api_keys where sid = $1"
    ))
    .bind(sid)
    .fetch_optional(conn)
    .await
}

/// Finds the newest API key of an account that may sign access tokens.
///
/// # Errors
/// As the database.
pub async fn find_newest_signer(
    conn: &mut PgConnection,
    of: AccountSid,
) -> sqlx::Result<Option<ApiKeyRow>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        ", secret from api_keys where account_sid = $1 and kind <> 'restricted' order by sid desc limit 1"
    ))
    .bind(of)
    .fetch_optional(conn)
    .await
}

/// Lists which of these API keys may sign access tokens: none that was deleted, is restricted, or is of an account that is
/// not active.
///
/// # Errors
/// As the database.
pub async fn list_good_signers(
    conn: &mut PgConnection,
    keys: &[ApiKeySid],
) -> sqlx::Result<Vec<ApiKeySid>> {
    sqlx::query_scalar(
        "select k.sid
           from api_keys k
           join accounts a on a.sid = k.account_sid
          where k.sid = any($1) and k.kind <> 'restricted' and a.status = 'active'",
    )
    .bind(keys)
    .fetch_all(conn)
    .await
}

/// Inserts an API key, or gives the existing one of this SID the new secret.
///
/// # Errors
/// As the database.
pub async fn upsert(conn: &mut PgConnection, key: &ApiKey, secret: &[u8]) -> sqlx::Result<()> {
    sqlx::query(
        "insert into api_keys (sid, account_sid, friendly_name, kind, policy, secret, date_created, date_updated)
         values ($1, $2, $3, $4, $5, $6, $7, $7)
         on conflict (sid) do update
             set secret = excluded.secret, date_updated = excluded.date_updated
           where api_keys.account_sid = excluded.account_sid",
    )
    .bind(key.sid)
    .bind(key.account_sid)
    .bind(&key.friendly_name)
    .bind(key.kind)
    .bind(key.policy.as_ref().map(Json))
    .bind(secret)
    .bind(key.date_created)
    .execute(conn)
    .await?;
    Ok(())
}

/// Finds an API key.
///
/// # Errors
/// As the database.
pub async fn find(conn: &mut PgConnection, sid: ApiKeySid) -> sqlx::Result<Option<ApiKey>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from api_keys where sid = $1"
    ))
    .bind(sid)
    .fetch_optional(conn)
    .await
}

/// Lists an account's API keys, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    conn: &mut PgConnection,
    account: AccountSid,
    asked: &PageRequest<MomentKey>,
) -> sqlx::Result<Vec<ApiKey>> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        columns!(),
        " from api_keys where account_sid = "
    ));
    query.push_bind(account);
    push_page(
        &mut query,
        ["date_created", "sid"],
        Order::Descending,
        asked,
    );
    query.build_query_as().fetch_all(conn).await
}

/// Changes what is given of an API key; none when there is no such key.
///
/// # Errors
/// As the database.
pub async fn update(
    conn: &mut PgConnection,
    sid: ApiKeySid,
    friendly_name: Option<&str>,
    policy: Option<&Policy>,
    now: Timestamp,
) -> sqlx::Result<Option<ApiKey>> {
    sqlx::query_as(concat!(
        "update api_keys
            set friendly_name = coalesce($2, friendly_name), policy = coalesce($3, policy), date_updated = $4
          where sid = $1
         returning ",
        columns!()
    ))
    .bind(sid)
    .bind(friendly_name)
    .bind(policy.map(Json))
    .bind(now)
    .fetch_optional(conn)
    .await
}

/// Deletes an API key; answers whether it was there.
///
/// # Errors
/// As the database.
pub async fn delete(conn: &mut PgConnection, sid: ApiKeySid) -> sqlx::Result<bool> {
    let done = sqlx::query("delete from api_keys where sid = $1")
        .bind(sid)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}
