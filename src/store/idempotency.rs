//! Answers to creations that came with a key.

use sqlx::PgConnection;

use crate::domain::idempotency::{self, Fingerprint, Key};
use crate::domain::{AccountSid, Timestamp};

/// What is known of a key that somebody has.
#[derive(Debug, sqlx::FromRow)]
pub struct Held {
    /// The fingerprint of the request it came with.
    pub request: Vec<u8>,
    /// The status of the answer; none while the request is under way.
    pub status: Option<i16>,
    /// The answer's body, sealed.
    pub answer: Option<Vec<u8>>,
}

/// Takes a key; answers whether it was free. One is free that was never seen or is forgotten, and one whose request
/// died.
///
/// # Errors
/// As the database.
pub async fn take(
    conn: &mut PgConnection,
    account: AccountSid,
    key: &Key,
    request: Fingerprint,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let taken = sqlx::query(
        "insert into idempotency_keys as k (account_sid, key, request, date_created)
         values ($1, $2, $3, $4)
         on conflict on constraint idempotency_keys_pkey do update
            set request = excluded.request, status = null, answer = null, date_created = excluded.date_created
          where k.date_created < $5 or (k.status is null and k.date_created < $6)",
    )
    .bind(account)
    .bind(key.as_str())
    .bind(request.as_bytes())
    .bind(now)
    .bind(idempotency::forgotten_before(now))
    .bind(idempotency::dead_before(now))
    .execute(conn)
    .await?;
    Ok(taken.rows_affected() == 1)
}

/// Finds who has a key.
///
/// # Errors
/// As the database.
pub async fn find(
    conn: &mut PgConnection,
    account: AccountSid,
    key: &Key,
) -> sqlx::Result<Option<Held>> {
    sqlx::query_as(
        "select request, status, answer from idempotency_keys where account_sid = $1 and key = $2",
    )
    .bind(account)
    .bind(key.as_str())
    .fetch_optional(conn)
    .await
}

/// Keeps the answer of the request that took the key at `taken`, unless another has taken it since.
///
/// # Errors
/// As the database.
pub async fn keep(
    conn: &mut PgConnection,
    account: AccountSid,
    key: &Key,
    taken: Timestamp,
    status: i16,
    answer: &[u8],
) -> sqlx::Result<()> {
    sqlx::query(
        "update idempotency_keys
            set status = $4, answer = $5
          where account_sid = $1 and key = $2 and date_created = $3 and status is null",
    )
    .bind(account)
    .bind(key.as_str())
    .bind(taken)
    .bind(status)
    .bind(answer)
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives a key free that was taken at `taken`, unless another has taken it since.
///
/// # Errors
/// As the database.
pub async fn free(
    conn: &mut PgConnection,
    account: AccountSid,
    key: &Key,
    taken: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "delete from idempotency_keys
          where account_sid = $1 and key = $2 and date_created = $3 and status is null",
    )
    .bind(account)
    .bind(key.as_str())
    .bind(taken)
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets keys that were taken before a moment, at most `limit`; answers how many.
///
/// # Errors
/// As the database.
pub async fn forget(conn: &mut PgConnection, before: Timestamp, limit: i64) -> sqlx::Result<u64> {
    sqlx::query(
        "delete from idempotency_keys
          where ctid = any(array(select ctid from idempotency_keys where date_created < $1 limit $2))",
    )
    .bind(before)
    .bind(limit)
    .execute(conn)
    .await
    .map(|done| done.rows_affected())
}
