//! Roles.

use sqlx::{PgConnection, QueryBuilder};

use super::{MomentKey, Order, push_page};
use crate::domain::{ConversationSid, PageRequest, Role, RoleSid, ServiceSid, Timestamp, UserSid};

macro_rules! columns {
    () => {
        "sid, account_sid, service_sid, friendly_name, type, permissions, date_created, date_updated"
    };
}

/// Inserts a role.
///
/// # Errors
/// As the database.
pub async fn insert(conn: &mut PgConnection, role: &Role) -> sqlx::Result<()> {
    sqlx::query(
        "insert into roles (sid, account_sid, service_sid, friendly_name, type, permissions, date_created, date_updated)
         values ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(role.sid)
    .bind(role.account_sid)
    .bind(role.service_sid)
    .bind(&role.friendly_name)
    .bind(role.scope)
    .bind(&role.permissions)
    .bind(role.date_created)
    .bind(role.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Finds a role of a service.
///
/// # Errors
/// As the database.
pub async fn find(
    conn: &mut PgConnection,
    service: ServiceSid,
    sid: RoleSid,
) -> sqlx::Result<Option<Role>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from roles where sid = $1 and service_sid = $2"
    ))
    .bind(sid)
    .bind(service)
    .fetch_optional(conn)
    .await
}

/// Finds a role that is to be given to somebody, and keeps it from being deleted until the transaction ends.
///
/// Its service is kept first: who deletes a service locks the service and then its roles.
///
/// # Errors
/// As the database.
pub async fn hold(
    conn: &mut PgConnection,
    service: ServiceSid,
    sid: RoleSid,
) -> sqlx::Result<Option<Role>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from roles
          where sid = $1 and service_sid = (select sid from services where sid = $2 for key share)
            for key share"
    ))
    .bind(sid)
    .bind(service)
    .fetch_optional(conn)
    .await
}

/// Lists a service's roles, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    conn: &mut PgConnection,
    service: ServiceSid,
    asked: &PageRequest<MomentKey>,
) -> sqlx::Result<Vec<Role>> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        columns!(),
        " from roles where service_sid = "
    ));
    query.push_bind(service);
    push_page(
        &mut query,
        ["date_created", "sid"],
        Order::Descending,
        asked,
    );
    query.build_query_as().fetch_all(conn).await
}

/// Replaces a role's permissions; none when there is no such role.
///
/// # Errors
/// As the database.
pub async fn update(
    conn: &mut PgConnection,
    service: ServiceSid,
    sid: RoleSid,
    permissions: &[String],
    now: Timestamp,
) -> sqlx::Result<Option<Role>> {
    sqlx::query_as(concat!(
        "update roles set permissions = $3, date_updated = $4 where sid = $1 and service_sid = $2 returning ",
        columns!()
    ))
    .bind(sid)
    .bind(service)
    .bind(permissions)
    .bind(now)
    .fetch_optional(conn)
    .await
}

/// Whether a user or participant holds the role, or it is one of its service's defaults.
///
/// # Errors
/// As the database.
pub async fn in_use(conn: &mut PgConnection, sid: RoleSid) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from users where role_sid = $1)
             or exists (select from participants where role_sid = $1)
             or exists (select from services
                         where $1 in (default_conversation_creator_role_sid, default_conversation_role_sid,
                                      default_chat_service_role_sid))",
    )
    .bind(sid)
    .fetch_one(conn)
    .await
}

/// Locks a role, so that nobody is given it meanwhile; answers whether it is there.
///
/// # Errors
/// As the database.
pub async fn lock(
    conn: &mut PgConnection,
    service: ServiceSid,
    sid: RoleSid,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from roles where sid = $1 and service_sid = $2 for update)",
    )
    .bind(sid)
    .bind(service)
    .fetch_one(conn)
    .await
}

/// Deletes a role.
///
/// # Errors
/// As the database.
pub async fn delete(conn: &mut PgConnection, sid: RoleSid) -> sqlx::Result<()> {
    sqlx::query("delete from roles where sid = $1")
        .bind(sid)
        .execute(conn)
        .await?;
    Ok(())
}

/// The permissions of a user of a service, by its own role; none when there is no such user.
///
/// # Errors
/// As the database.
pub async fn permissions(
    conn: &mut PgConnection,
    service: ServiceSid,
    user: UserSid,
) -> sqlx::Result<Option<Vec<String>>> {
    sqlx::query_scalar(
        "select coalesce((select r.permissions from roles r where r.sid = u.role_sid), '{}')
           from users u where u.sid = $1 and u.service_sid = $2",
    )
    .bind(user)
    .bind(service)
    .fetch_optional(conn)
    .await
}

/// Those of these users, each with a conversation, whose service role lacks a permission and who neither take part in the
/// conversation nor made it.
///
/// # Errors
/// As the database.
pub async fn list_strangers(
    conn: &mut PgConnection,
    users: &[UserSid],
    conversations: &[ConversationSid],
    permission: &str,
) -> sqlx::Result<Vec<(UserSid, ConversationSid)>> {
    sqlx::query_as(
        "select o.user_sid, o.conversation_sid
           from unnest($1::uuid[], $2::uuid[]) as o (user_sid, conversation_sid)
           left join users u on u.sid = o.user_sid
           left join roles r on r.sid = u.role_sid and $3 = any(r.permissions)
          where r.sid is null
            and not exists (select from memberships m
                             where m.user_sid = o.user_sid and m.conversation_sid = o.conversation_sid)
            and not exists (select from conversations c
                             where c.sid = o.conversation_sid and c.created_by = u.identity)",
    )
    .bind(users)
    .bind(conversations)
    .bind(permission)
    .fetch_all(conn)
    .await
}
