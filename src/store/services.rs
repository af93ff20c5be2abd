//! Services.

use sqlx::types::Json;
use sqlx::{PgConnection, QueryBuilder};

use super::{MomentKey, Order, push_page};
use crate::domain::notifications::Notifications;
use crate::domain::services::ServiceChanges;
use crate::domain::{AccountSid, PageRequest, Service, ServiceSid, Timestamp, UserSid};

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

/// Keeps a service from being deleted until the transaction ends; answers whether it is there.
///
/// # Errors
/// As the database.
pub async fn hold(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: ServiceSid,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from services where sid = $1 and account_sid = $2 for key share)",
    )
    .bind(sid)
    .bind(account)
    .fetch_one(conn)
    .await
}

/// Locks a service; answers whether it is there.
///
/// # Errors
/// As the database.
pub async fn lock(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: ServiceSid,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from services where sid = $1 and account_sid = $2 for update)",
    )
    .bind(sid)
    .bind(account)
    .fetch_one(conn)
    .await
}

/// Lists those services of users that have reachability switched on, and keeps it so until the transaction ends.
///
/// # Errors
/// As the database.
pub async fn hold_reachable(
    conn: &mut PgConnection,
    of: &[UserSid],
) -> sqlx::Result<Vec<ServiceSid>> {
    sqlx::query_scalar(
        "select sid from services
          where sid in (select service_sid from users where sid = any($1)) and reachability_enabled
          order by sid
            for share",
    )
    .bind(of)
    .fetch_all(conn)
    .await
}

/// Keeps reachability switched off in a service until the transaction ends; answers whether it is.
///
/// # Errors
/// As the database.
pub async fn hold_unreachable(conn: &mut PgConnection, sid: ServiceSid) -> sqlx::Result<bool> {
    let held =
        sqlx::query("select from services where sid = $1 and not reachability_enabled for share")
            .bind(sid)
            .execute(conn)
            .await?;
    Ok(held.rows_affected() == 1)
}

/// Makes changes in a service's configuration; none when there is no such service.
///
/// # Errors
/// As the database.
pub async fn update(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: ServiceSid,
    changes: &ServiceChanges,
    now: Timestamp,
) -> sqlx::Result<Option<Service>> {
    sqlx::query_as(concat!(
        "update services
            set default_conversation_creator_role_sid = coalesce($3, default_conversation_creator_role_sid),
                default_conversation_role_sid = coalesce($4, default_conversation_role_sid),
                default_chat_service_role_sid = coalesce($5, default_chat_service_role_sid),
                reachability_enabled = coalesce($6, reachability_enabled),
                date_updated = $7
          where sid = $1 and account_sid = $2
          returning ",
        columns!()
    ))
    .bind(sid)
    .bind(account)
    .bind(changes.default_conversation_creator_role_sid)
    .bind(changes.default_conversation_role_sid)
    .bind(changes.default_chat_service_role_sid)
    .bind(changes.reachability_enabled)
    .bind(now)
    .fetch_optional(conn)
    .await
}

/// Finds what a service says to devices; everything is off until it is set. None when there is no such service.
///
/// # Errors
/// As the database.
pub async fn find_notifications(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: ServiceSid,
) -> sqlx::Result<Option<Notifications>> {
    let found: Option<Option<Json<Notifications>>> = sqlx::query_scalar(
        "select notifications from services where sid = $1 and account_sid = $2",
    )
    .bind(sid)
    .bind(account)
    .fetch_optional(conn)
    .await?;
    Ok(found.map(|set| set.map_or_else(Notifications::default, |Json(set)| set)))
}

/// The same, and locks the service.
///
/// # Errors
/// As the database.
pub async fn lock_notifications(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: ServiceSid,
) -> sqlx::Result<Option<Notifications>> {
    sqlx::query("select from services where sid = $1 and account_sid = $2 for no key update")
        .bind(sid)
        .bind(account)
        .execute(&mut *conn)
        .await?;
    find_notifications(conn, account, sid).await
}

/// Writes what a locked service says to devices.
///
/// # Errors
/// As the database.
pub async fn set_notifications(
    conn: &mut PgConnection,
    sid: ServiceSid,
    notifications: &Notifications,
) -> sqlx::Result<()> {
    sqlx::query("update services set notifications = $2 where sid = $1")
        .bind(sid)
        .bind(Json(notifications))
        .execute(conn)
        .await?;
    Ok(())
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
    let done = sqlx::query(
        "with unheard as (delete from webhook_configurations where owner_sid = $1)
         delete from services where sid = $1 and account_sid = $2",
    )
    .bind(sid)
    .bind(account)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
