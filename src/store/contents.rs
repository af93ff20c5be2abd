//! Content templates.

use sqlx::{PgConnection, QueryBuilder};

use super::{MomentKey, Order, push_page};
use crate::domain::contents::Content;
use crate::domain::{AccountSid, ContentSid, PageRequest};

macro_rules! columns {
    () => {
        "sid, account_sid, friendly_name, language, variables, types, date_created, date_updated"
    };
}

/// Inserts a template.
///
/// # Errors
/// As the database.
pub async fn insert(conn: &mut PgConnection, content: &Content) -> sqlx::Result<()> {
    sqlx::query(
        "insert into contents (sid, account_sid, friendly_name, language, variables, types, date_created, date_updated)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(content.sid)
    .bind(content.account_sid)
    .bind(&content.friendly_name)
    .bind(&content.language)
    .bind(content.variables.as_str())
    .bind(content.types.as_str())
    .bind(content.date_created)
    .bind(content.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Finds a template of an account.
///
/// # Errors
/// As the database.
pub async fn find(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: ContentSid,
) -> sqlx::Result<Option<Content>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from contents where sid = $1 and account_sid = $2"
    ))
    .bind(sid)
    .bind(account)
    .fetch_optional(conn)
    .await
}

/// Lists an account's templates, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    conn: &mut PgConnection,
    account: AccountSid,
    asked: &PageRequest<MomentKey>,
) -> sqlx::Result<Vec<Content>> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        columns!(),
        " from contents where account_sid = "
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

/// Deletes a template; answers whether it was there. Messages made from it keep their text.
///
/// # Errors
/// As the database.
pub async fn delete(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: ContentSid,
) -> sqlx::Result<bool> {
    let done = sqlx::query("delete from contents where sid = $1 and account_sid = $2")
        .bind(sid)
        .bind(account)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}
