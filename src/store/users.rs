//! Users.

use sqlx::{PgConnection, QueryBuilder};

use super::{MomentKey, Order, gather, push_page};
use crate::domain::{
    ConversationSid, Identity, PageRequest, Search, ServiceSid, User, UserRef, UserSid,
};

macro_rules! columns {
    () => {
        "sid, account_sid, service_sid, identity, friendly_name, attributes, role_sid, position, \
         conversations_position, friendly_name_position, attributes_position, is_online, is_notifiable, \
         reachability_position, date_created, date_updated"
    };
}

/// Inserts a user; answers whether the identity was free.
///
/// # Errors
/// As the database.
pub async fn insert(conn: &mut PgConnection, user: &User) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "insert into users (sid, account_sid, service_sid, identity, friendly_name, attributes, role_sid, date_created,
                            date_updated)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict on constraint users_service_sid_identity_key do nothing",
    )
    .bind(user.sid)
    .bind(user.account_sid)
    .bind(user.service_sid)
    .bind(&user.identity)
    .bind(&user.friendly_name)
    .bind(&user.attributes)
    .bind(user.role_sid)
    .bind(user.date_created)
    .bind(user.date_updated)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Finds a user of a service.
///
/// # Errors
/// As the database.
pub async fn find(
    conn: &mut PgConnection,
    service: ServiceSid,
    which: &UserRef,
) -> sqlx::Result<Option<User>> {
    match which {
        UserRef::Sid(sid) => {
            sqlx::query_as(concat!(
                "select ",
                columns!(),
                " from users where sid = $1 and service_sid = $2"
            ))
            .bind(sid)
            .bind(service)
            .fetch_optional(conn)
            .await
        }
        UserRef::Identity(identity) => {
            sqlx::query_as(concat!(
                "select ",
                columns!(),
                " from users where identity = $1 and service_sid = $2"
            ))
            .bind(identity)
            .bind(service)
            .fetch_optional(conn)
            .await
        }
    }
}

/// Loads users of a service, in no order; those that are gone are missing.
///
/// # Errors
/// As the database.
pub async fn list_by_sids(
    conn: &mut PgConnection,
    service: ServiceSid,
    sids: &[UserSid],
) -> sqlx::Result<Vec<User>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from users where sid = any($1) and service_sid = $2"
    ))
    .bind(sids)
    .bind(service)
    .fetch_all(conn)
    .await
}

/// Loads a user, of whatever service.
///
/// # Errors
/// As the database.
pub async fn load(conn: &mut PgConnection, sid: UserSid) -> sqlx::Result<Option<User>> {
    sqlx::query_as(concat!("select ", columns!(), " from users where sid = $1"))
        .bind(sid)
        .fetch_optional(conn)
        .await
}

/// Locks a user of a service and loads what it holds now.
///
/// # Errors
/// As the database.
pub async fn lock(conn: &mut PgConnection, sid: UserSid) -> sqlx::Result<Option<User>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from users where sid = $1 for update"
    ))
    .bind(sid)
    .fetch_optional(conn)
    .await
}

/// Locks the user of an identity and loads what it holds now.
///
/// # Errors
/// As the database.
pub async fn lock_identity(
    conn: &mut PgConnection,
    service: ServiceSid,
    identity: &Identity,
) -> sqlx::Result<Option<User>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from users where identity = $1 and service_sid = $2 for update"
    ))
    .bind(identity)
    .bind(service)
    .fetch_optional(conn)
    .await
}

/// Locks users in the order of their SIDs and loads what they hold now.
///
/// # Errors
/// As the database.
pub async fn lock_many(conn: &mut PgConnection, sids: &[UserSid]) -> sqlx::Result<Vec<User>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from users where sid = any($1) order by sid for update"
    ))
    .bind(sids)
    .fetch_all(conn)
    .await
}

/// Locks those who take part in any of these conversations, in the order of their SIDs.
///
/// # Errors
/// As the database.
pub async fn lock_members(
    conn: &mut PgConnection,
    conversations: &[ConversationSid],
) -> sqlx::Result<()> {
    sqlx::query(
        "select from users
          where sid in (select user_sid from participants where conversation_sid = any($1))
          order by sid
            for update",
    )
    .bind(conversations)
    .execute(conn)
    .await?;
    Ok(())
}

/// Lists a service's users, newest first; only those whose identity, name and attributes have all the words, if any
/// are wanted, which are gathered first as those of conversations are.
///
/// # Errors
/// As the database.
pub async fn list(
    conn: &mut PgConnection,
    service: ServiceSid,
    search: Option<&Search>,
    asked: &PageRequest<MomentKey>,
) -> sqlx::Result<Vec<User>> {
    let gathered = match search {
        Some(words) => gather::<User>(conn, "select users_with($1, $2)", words).await?,
        None => None,
    };
    let unmet = search.filter(|_| gathered.is_none());
    let mut query = QueryBuilder::new(concat!("select ", columns!(), " from "));
    match gathered {
        None => query.push("users"),
        Some(found) => query.push("unnest(").push_bind(found).push(concat!(
            ") as found (one) cross join lateral (select ",
            columns!(),
            " from users where sid = found.one offset 0) u"
        )),
    };
    query.push(" where service_sid = ").push_bind(service);
    if let Some(words) = unmet {
        query
            .push(
                " and words_in(identity || ' ' || coalesce(friendly_name, '') || ' ' || attributes)
                      @@ all_words(",
            )
            .push_bind(words.as_str().to_owned())
            .push(")");
    }
    push_page(
        &mut query,
        ["date_created", "sid"],
        Order::Descending,
        asked,
    );
    query
        .build_query_as()
        .persistent(search.is_none())
        .fetch_all(conn)
        .await
}

/// Writes the fields of a locked user that an update may change, with the positions of what differs.
///
/// # Errors
/// As the database.
pub async fn update(conn: &mut PgConnection, user: &User) -> sqlx::Result<()> {
    sqlx::query(
        "update users
            set friendly_name = $2, attributes = $3, role_sid = $4, friendly_name_position = $5,
                attributes_position = $6, date_updated = $7
          where sid = $1",
    )
    .bind(user.sid)
    .bind(&user.friendly_name)
    .bind(&user.attributes)
    .bind(user.role_sid)
    .bind(user.friendly_name_position)
    .bind(user.attributes_position)
    .bind(user.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Shows locked users, whose positions are taken, as online or not; looks whether each can be pushed to.
///
/// # Errors
/// As the database.
pub async fn set_online(
    conn: &mut PgConnection,
    sids: &[UserSid],
    is_online: bool,
) -> sqlx::Result<()> {
    sqlx::query(
        "update users u
            set is_online = $2, reachability_position = position,
                is_notifiable = exists (select from bindings b
                                         where b.service_sid = u.service_sid and b.identity = u.identity)
          where sid = any($1)",
    )
    .bind(sids)
    .bind(is_online)
    .execute(conn)
    .await?;
    Ok(())
}

/// Shows a locked user, whose position is taken, as one who can be pushed to or not.
///
/// # Errors
/// As the database.
pub async fn set_notifiable(
    conn: &mut PgConnection,
    sid: UserSid,
    is_notifiable: bool,
) -> sqlx::Result<()> {
    sqlx::query(
        "update users set is_notifiable = $2, reachability_position = position where sid = $1",
    )
    .bind(sid)
    .bind(is_notifiable)
    .execute(conn)
    .await?;
    Ok(())
}

/// Forgets who is online of a service's users, of at most `limit` of them; answers of how many.
///
/// # Errors
/// As the database.
pub async fn forget_reachability(
    conn: &mut PgConnection,
    service: ServiceSid,
    limit: i64,
) -> sqlx::Result<u64> {
    let done = sqlx::query(
        "with held as (
             select sid from users
              where service_sid = $1 and is_online is not null
              order by sid
              limit $2
                for update
         )
         update users u set is_online = null, is_notifiable = null
           from held
          where u.sid = held.sid",
    )
    .bind(service)
    .bind(limit)
    .execute(conn)
    .await?;
    Ok(done.rows_affected())
}

/// Deletes a user with the tombstones and events that only the user could ask for.
///
/// # Errors
/// As the database.
pub async fn delete(conn: &mut PgConnection, sid: UserSid) -> sqlx::Result<()> {
    sqlx::query(
        "with forgotten as (delete from events where scope_sid = $1),
              buried as (delete from tombstones where owner_sid = $1),
              left_behind as (delete from memberships where user_sid = $1)
         delete from users where sid = $1",
    )
    .bind(sid)
    .execute(conn)
    .await?;
    Ok(())
}
