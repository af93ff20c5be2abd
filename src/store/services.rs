//! Services.

use sqlx::{PgConnection, QueryBuilder};

use super::{MomentKey, Order, push_page};
use crate::domain::{AccountSid, PageRequest, Service, ServiceSid};

macro_rules! columns {
    () => {
        "sid, account_sid, friendly_name, default_conversation_creator_role_sid, default_conversation_role_sid, \
         default_chat_service_role_sid, reachability_enabled, date_created, date_updated"
    };
}

/// Inserts a service.
///
/// # Errors
/// As the database.
pub async fn insert(conn: &mut PgConnection, service: &Service) -> sqlx::Result<()> {
    sqlx::query(
        "insert into services (sid, account_sid, friendly_name, default_conversation_creator_role_sid,
                               default_conversation_role_sid, default_chat_service_role_sid, reachability_enabled,
                               date_created, date_updated)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(service.sid)
    .bind(service.account_sid)
    .bind(&service.friendly_name)
    .bind(service.default_conversation_creator_role_sid)
    .bind(service.default_conversation_role_sid)
    .bind(service.default_chat_service_role_sid)
    .bind(service.reachability_enabled)
    .bind(service.date_created)
    .bind(service.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Finds a service of an account.
///
/// # Errors
/// As the database.
pub async fn find(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: ServiceSid,
) -> sqlx::Result<Option<Service>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from services where sid = $1 and account_sid = $2"
    ))
    .bind(sid)
    .bind(account)
    .fetch_optional(conn)
    .await
}

/// Lists an account's services, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    conn: &mut PgConnection,
    account: AccountSid,
    asked: &PageRequest<MomentKey>,
) -> sqlx::Result<Vec<Service>> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        columns!(),
        " from services where account_sid = "
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

/// Deletes a service with its users and roles; its conversations must be gone. Answers whether it was there.
///
/// # Errors
/// As the database.
pub async fn delete(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: ServiceSid,
) -> sqlx::Result<bool> {
    let done = sqlx::query("delete from services where sid = $1 and account_sid = $2")
        .bind(sid)
        .bind(account)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() == 1)
}
