//! What tells whether a process has the right key of the secrets.

use sqlx::PgConnection;

/// Finds the sealed check.
///
/// # Errors
/// As the database.
pub async fn find(conn: &mut PgConnection) -> sqlx::Result<Option<Vec<u8>>> {
    sqlx::query_scalar("select sealed from secret_key_checks")
        .fetch_optional(conn)
        .await
}

/// Writes the check unless there is one, and answers the one that is there then: of two processes that start at the same
/// time the first one's counts.
///
/// # Errors
/// As the database.
pub async fn keep_first(conn: &mut PgConnection, sealed: &[u8]) -> sqlx::Result<Vec<u8>> {
    // The update changes nothing; without it an existing row would not be returned.
    sqlx::query_scalar(
        "insert into secret_key_checks (sealed) values ($1)
         on conflict (is_only) do update set sealed = secret_key_checks.sealed
         returning sealed",
    )
    .bind(sealed)
    .fetch_one(conn)
    .await
}
