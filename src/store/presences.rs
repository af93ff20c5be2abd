//! Presences: which nodes users are connected to.
//!
//! Statements that change many rows lock them first, in the order of the users: nodes change each other's rows.

use sqlx::{FromRow, PgConnection};

use crate::domain::presence::NodeSid;
use crate::domain::{Timestamp, UserSid};

/// Writes down that a node lives; answers whether it was believed to.
///
/// # Errors
/// As the database.
pub async fn see_node(
    conn: &mut PgConnection,
    node: NodeSid,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let seen = sqlx::query("update presence_nodes set seen_at = $2 where node_sid = $1")
        .bind(node)
        .bind(now)
        .execute(&mut *conn)
        .await?;
    if seen.rows_affected() == 1 {
        return Ok(true);
    }
    sqlx::query("insert into presence_nodes (node_sid, seen_at) values ($1, $2)")
        .bind(node)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(false)
}

/// Forgets all nodes, so that each writes down anew who is connected to it.
///
/// # Errors
/// As the database.
pub async fn forget_nodes(conn: &mut PgConnection) -> sqlx::Result<()> {
    sqlx::query("delete from presence_nodes")
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes down that users are connected to a node.
///
/// # Errors
/// As the database.
pub async fn begin(conn: &mut PgConnection, node: NodeSid, users: &[UserSid]) -> sqlx::Result<()> {
    sqlx::query(
        "insert into presences (user_sid, node_sid)
         select one, $1 from unnest($2::uuid[]) as one order by one
         on conflict on constraint presences_pkey do update set offline_at = null",
    )
    .bind(node)
    .bind(users)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes down that users are connected to a node no longer, and until when that is not seen.
///
/// # Errors
/// As the database.
pub async fn end(
    conn: &mut PgConnection,
    node: NodeSid,
    users: &[UserSid],
    offline_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "with held as (
             select user_sid from presences
              where node_sid = $1 and user_sid = any($2)
              order by user_sid
                for update
         )
         update presences p set offline_at = $3
           from held
          where p.user_sid = held.user_sid and p.node_sid = $1",
    )
    .bind(node)
    .bind(users)
    .bind(offline_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends all presences at one node, and forgets the node.
///
/// # Errors
/// As the database.
pub async fn end_all(
    conn: &mut PgConnection,
    node: NodeSid,
    offline_at: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "with gone as (delete from presence_nodes where node_sid = $1),
              held as (
             select user_sid from presences
              where node_sid = $1 and offline_at is null
              order by user_sid
                for update
         )
         update presences p set offline_at = $2
           from held
          where p.user_sid = held.user_sid and p.node_sid = $1",
    )
    .bind(node)
    .bind(offline_at)
    .execute(conn)
    .await?;
    Ok(())
}

/// What is to be done about users who may be offline.
#[derive(Debug, FromRow)]
pub struct Due {
    /// Whether anybody is written down at all.
    pub in_use: bool,
    /// Users whose grace has ended.
    pub ended: Vec<UserSid>,
}

/// Ends all presences at nodes that were last seen before `seen_after`, forgets these nodes, and lists users whose
/// grace has ended, at most `limit` of them.
///
/// # Why one statement
/// Every node asks this every second where anybody is written down, mostly in vain.
///
/// # Errors
/// As the database.
pub async fn due(
    conn: &mut PgConnection,
    seen_after: Timestamp,
    offline_at: Timestamp,
    now: Timestamp,
    limit: i64,
) -> sqlx::Result<Due> {
    sqlx::query_as(
        "with gone as (delete from presence_nodes where seen_at < $1 returning node_sid),
              held as (
             select p.user_sid, p.node_sid
               from presences p
               join gone on gone.node_sid = p.node_sid
              where p.offline_at is null
              order by p.user_sid
                for update of p
         ),
              ended as (
             update presences p set offline_at = $2
               from held
              where p.user_sid = held.user_sid and p.node_sid = held.node_sid
         )
         select exists (select from presence_nodes) or exists (select from presences) as in_use,
                array(select user_sid from presences where offline_at <= $3 order by offline_at limit $4) as ended",
    )
    .bind(seen_after)
    .bind(offline_at)
    .bind(now)
    .bind(limit)
    .fetch_one(conn)
    .await
}

/// Deletes the presences of users whose grace has ended; answers which of the users are connected nowhere now. The
/// users must be locked.
///
/// # Errors
/// As the database.
pub async fn delete_ended(
    conn: &mut PgConnection,
    users: &[UserSid],
    now: Timestamp,
) -> sqlx::Result<Vec<UserSid>> {
    sqlx::query("delete from presences where user_sid = any($1) and offline_at <= $2")
        .bind(users)
        .bind(now)
        .execute(&mut *conn)
        .await?;
    sqlx::query_scalar(
        "select one from unnest($1::uuid[]) as one
          where not exists (select from presences where user_sid = one)",
    )
    .bind(users)
    .fetch_all(conn)
    .await
}
