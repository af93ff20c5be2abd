//! Messaging Services.

use sqlx::types::Json;
use sqlx::{PgConnection, QueryBuilder};

use super::{MomentKey, Order, push_page};
use crate::domain::{AccountSid, MessagingService, MessagingServiceSid, PageRequest};

macro_rules! columns {
    () => {
        "sid, account_sid, friendly_name, settings, date_created, date_updated"
    };
}

/// Inserts a Messaging Service.
///
/// # Errors
/// As the database.
pub async fn insert(conn: &mut PgConnection, service: &MessagingService) -> sqlx::Result<()> {
    sqlx::query(
        "insert into messaging_services (sid, account_sid, friendly_name, settings, date_created, date_updated)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(service.sid)
    .bind(service.account_sid)
    .bind(&service.friendly_name)
    .bind(Json(&service.settings))
    .bind(service.date_created)
    .bind(service.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Finds a Messaging Service of an account.
///
/// # Errors
/// As the database.
pub async fn find(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: MessagingServiceSid,
) -> sqlx::Result<Option<MessagingService>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from messaging_services where sid = $1 and account_sid = $2"
    ))
    .bind(sid)
    .bind(account)
    .fetch_optional(conn)
    .await
}

/// Finds a Messaging Service of an account and holds its row.
///
/// # Errors
/// As the database.
pub async fn lock(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: MessagingServiceSid,
) -> sqlx::Result<Option<MessagingService>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from messaging_services where sid = $1 and account_sid = $2 for update"
    ))
    .bind(sid)
    .bind(account)
    .fetch_optional(conn)
    .await
}

/// Lists an account's Messaging Services, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    conn: &mut PgConnection,
    account: AccountSid,
    asked: &PageRequest<MomentKey>,
) -> sqlx::Result<Vec<MessagingService>> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        columns!(),
        " from messaging_services where account_sid = "
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

/// Writes a Messaging Service whose row is held.
///
/// # Errors
/// As the database.
pub async fn update(conn: &mut PgConnection, changed: &MessagingService) -> sqlx::Result<()> {
    sqlx::query(
        "update messaging_services
            set friendly_name = $2, settings = $3, date_updated = $4
          where sid = $1",
    )
    .bind(changed.sid)
    .bind(&changed.friendly_name)
    .bind(Json(&changed.settings))
    .bind(changed.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes a Messaging Service that is not its account's default; answers whether it did. Its senders are free then.
///
/// # Errors
/// As the database.
pub async fn delete(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: MessagingServiceSid,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "delete from messaging_services
          where sid = $1 and account_sid = $2
            and not exists (select from accounts where sid = $2 and default_messaging_service_sid = $1)",
    )
    .bind(sid)
    .bind(account)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
