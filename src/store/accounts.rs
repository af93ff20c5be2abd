//! Accounts, their API keys and their Messaging Services.

use sqlx::PgConnection;

use crate::domain::{
    Account, AccountSid, ApiKey, ApiKeySid, MessagingService, MessagingServiceSid, Timestamp,
};

macro_rules! columns {
    () => {
        "sid, friendly_name, default_chat_service_sid, default_messaging_service_sid, default_inactive_timer, \
         default_closed_timer, date_created, date_updated"
    };
}

/// An account with its sealed auth token.
#[derive(Debug, sqlx::FromRow)]
pub struct AccountRow {
    /// The account.
    #[sqlx(flatten)]
    pub account: Account,
    /// The sealed auth token.
    pub auth_token: Vec<u8>,
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

/// Finds an account.
///
/// # Errors
/// As the database.
pub async fn find(conn: &mut PgConnection, sid: AccountSid) -> sqlx::Result<Option<AccountRow>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        ", auth_token from accounts where sid = $1"
    ))
    .bind(sid)
    .fetch_optional(conn)
    .await
}

/// Finds the oldest account: the one that verbs mean when they name none.
///
/// # Errors
/// As the database.
pub async fn find_first(conn: &mut PgConnection) -> sqlx::Result<Option<AccountRow>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        ", auth_token from accounts order by date_created, sid limit 1"
    ))
    .fetch_optional(conn)
    .await
}

/// Inserts an account; answers whether it was new.
///
/// # Errors
/// As the database.
pub async fn insert(
    conn: &mut PgConnection,
    account: &Account,
    auth_token: &[u8],
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "insert into accounts (sid, friendly_name, auth_token, default_chat_service_sid,
                               default_messaging_service_sid, date_created, date_updated)
         values ($1, $2, $3, $4, $5, $6, $6)
         on conflict do nothing",
    )
    .bind(account.sid)
    .bind(&account.friendly_name)
    .bind(auth_token)
    .bind(account.default_chat_service_sid)
    .bind(account.default_messaging_service_sid)
    .bind(account.date_created)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Gives an account another auth token.
///
/// # Errors
/// As the database.
pub async fn set_auth_token(
    conn: &mut PgConnection,
    sid: AccountSid,
    auth_token: &[u8],
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query("update accounts set auth_token = $2, date_updated = $3 where sid = $1")
        .bind(sid)
        .bind(auth_token)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Finds an API key.
///
/// # Errors
/// As the database.
pub async fn find_key(conn: &mut PgConnection, sid: ApiKeySid) -> sqlx::Result<Option<ApiKeyRow>> {
    sqlx::query_as(
        "select sid, account_sid, friendly_name, secret, date_created, date_updated from api_keys where sid = $1",
    )
    .bind(sid)
    .fetch_optional(conn)
    .await
}

/// Finds the newest API key of an account.
///
/// # Errors
/// As the database.
pub async fn find_newest_key(
    conn: &mut PgConnection,
    of: AccountSid,
) -> sqlx::Result<Option<ApiKeyRow>> {
    sqlx::query_as(
        "select sid, account_sid, friendly_name, secret, date_created, date_updated
           from api_keys
          where account_sid = $1
          order by sid desc
          limit 1",
    )
    .bind(of)
    .fetch_optional(conn)
    .await
}

/// Inserts an API key, or gives the existing one of this SID the new secret.
///
/// # Errors
/// As the database.
pub async fn upsert_key(conn: &mut PgConnection, key: &ApiKey, secret: &[u8]) -> sqlx::Result<()> {
    sqlx::query(
        "insert into api_keys (sid, account_sid, friendly_name, secret, date_created, date_updated)
         values ($1, $2, $3, $4, $5, $5)
         on conflict (sid) do update
             set secret = excluded.secret, date_updated = excluded.date_updated
           where api_keys.account_sid = excluded.account_sid",
    )
    .bind(key.sid)
    .bind(key.account_sid)
    .bind(&key.friendly_name)
    .bind(secret)
    .bind(key.date_created)
    .execute(conn)
    .await?;
    Ok(())
}

/// Inserts a Messaging Service.
///
/// # Errors
/// As the database.
pub async fn insert_messaging_service(
    conn: &mut PgConnection,
    service: &MessagingService,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into messaging_services (sid, account_sid, friendly_name, date_created, date_updated)
         values ($1, $2, $3, $4, $4)",
    )
    .bind(service.sid)
    .bind(service.account_sid)
    .bind(&service.friendly_name)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether an account has this Messaging Service.
///
/// # Errors
/// As the database.
pub async fn has_messaging_service(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: MessagingServiceSid,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from messaging_services where sid = $1 and account_sid = $2)",
    )
    .bind(sid)
    .bind(account)
    .fetch_one(conn)
    .await
}
