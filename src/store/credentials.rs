//! Push credentials.

use sqlx::{PgConnection, QueryBuilder};

use super::{MomentKey, Order, push_page};
use crate::domain::credentials::{Credential, CredentialSid};
use crate::domain::{AccountSid, PageRequest};

macro_rules! columns {
    () => {
        "sid, account_sid, friendly_name, type, sandbox, date_created, date_updated"
    };
}

/// A push credential with its sealed secret.
#[derive(Debug, sqlx::FromRow)]
pub struct CredentialRow {
    /// The credential.
    #[sqlx(flatten)]
    pub credential: Credential,
    /// The sealed secret.
    pub secret: Vec<u8>,
}

/// Inserts a push credential.
///
/// # Errors
/// As the database.
pub async fn insert(conn: &mut PgConnection, new: &Credential, secret: &[u8]) -> sqlx::Result<()> {
    sqlx::query(
        "insert into credentials (sid, account_sid, friendly_name, type, sandbox, secret, date_created, date_updated)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(new.sid)
    .bind(new.account_sid)
    .bind(&new.friendly_name)
    .bind(new.platform)
    .bind(new.sandbox)
    .bind(secret)
    .bind(new.date_created)
    .bind(new.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Finds a push credential.
///
/// # Errors
/// As the database.
pub async fn find(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: CredentialSid,
) -> sqlx::Result<Option<Credential>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from credentials where sid = $1 and account_sid = $2"
    ))
    .bind(sid)
    .bind(account)
    .fetch_optional(conn)
    .await
}

/// Locks a push credential and loads it with its secret.
///
/// # Errors
/// As the database.
pub async fn lock(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: CredentialSid,
) -> sqlx::Result<Option<CredentialRow>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        ", secret from credentials where sid = $1 and account_sid = $2 for update"
    ))
    .bind(sid)
    .bind(account)
    .fetch_optional(conn)
    .await
}

/// Lists an account's push credentials, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    conn: &mut PgConnection,
    account: AccountSid,
    asked: &PageRequest<MomentKey>,
) -> sqlx::Result<Vec<Credential>> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        columns!(),
        " from credentials where account_sid = "
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

/// Writes a locked push credential.
///
/// # Errors
/// As the database.
pub async fn update(
    conn: &mut PgConnection,
    changed: &Credential,
    secret: &[u8],
) -> sqlx::Result<()> {
    sqlx::query(
        "update credentials
            set friendly_name = $2, type = $3, sandbox = $4, secret = $5, date_updated = $6
          where sid = $1",
    )
    .bind(changed.sid)
    .bind(&changed.friendly_name)
    .bind(changed.platform)
    .bind(changed.sandbox)
    .bind(secret)
    .bind(changed.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes a push credential; answers whether it was there.
///
/// # Errors
/// As the database.
pub async fn delete(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: CredentialSid,
) -> sqlx::Result<bool> {
    let done = sqlx::query("delete from credentials where sid = $1 and account_sid = $2")
        .bind(sid)
        .bind(account)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}
