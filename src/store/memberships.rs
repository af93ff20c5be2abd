//! Memberships: a user's own side of taking part.

use sqlx::{PgConnection, QueryBuilder};

use crate::domain::participants::{Membership, NotificationLevel};
use crate::domain::{ConversationSid, ParticipantSid, UserSid};

macro_rules! select {
    () => {
        "select m.user_sid, m.conversation_sid, m.participant_sid, m.notification_level, m.created_position, \
                m.position, p.last_read_message_index \
           from memberships m \
           join participants p on p.conversation_sid = m.conversation_sid and p.sid = m.participant_sid "
    };
}

/// Inserts a membership, whose position is taken; an older tombstone of it goes.
///
/// # Errors
/// As the database.
pub async fn insert(
    conn: &mut PgConnection,
    user: UserSid,
    conversation: ConversationSid,
    participant: ParticipantSid,
    position: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "with risen as (
             delete from tombstones where owner_sid = $1 and kind = 'membership' and subject_sid = $2
         )
         insert into memberships (user_sid, conversation_sid, participant_sid, created_position, position)
         values ($1, $2, $3, $4, $4)",
    )
    .bind(user)
    .bind(conversation)
    .bind(participant)
    .bind(position)
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes a membership and leaves a tombstone at the position taken for that.
///
/// # Errors
/// As the database.
pub async fn delete(
    conn: &mut PgConnection,
    user: UserSid,
    conversation: ConversationSid,
    position: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "with gone as (
             delete from memberships where user_sid = $1 and conversation_sid = $2
         )
         insert into tombstones (owner_sid, kind, subject_sid, position)
         values ($1, 'membership', $2, $3)
         on conflict on constraint tombstones_pkey do update set position = excluded.position",
    )
    .bind(user)
    .bind(conversation)
    .bind(position)
    .execute(conn)
    .await?;
    Ok(())
}

/// Finds a membership.
///
/// # Errors
/// As the database.
pub async fn find(
    conn: &mut PgConnection,
    user: UserSid,
    conversation: ConversationSid,
) -> sqlx::Result<Option<Membership>> {
    sqlx::query_as(concat!(
        select!(),
        "where m.user_sid = $1 and m.conversation_sid = $2"
    ))
    .bind(user)
    .bind(conversation)
    .fetch_optional(conn)
    .await
}

/// Writes a new level, if one is given, and the position of the change (which may be the read horizon's).
///
/// # Errors
/// As the database.
pub async fn update(
    conn: &mut PgConnection,
    user: UserSid,
    conversation: ConversationSid,
    level: Option<NotificationLevel>,
    position: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "update memberships
            set notification_level = coalesce($3, notification_level), position = $4
          where user_sid = $1 and conversation_sid = $2",
    )
    .bind(user)
    .bind(conversation)
    .bind(level)
    .bind(position)
    .execute(conn)
    .await?;
    Ok(())
}

/// Lists what a user's own map holds: memberships in the order of the conversations' SIDs, from `from` on
/// (inclusive), at most `limit`; against the order when `descending`.
///
/// # Errors
/// As the database.
pub async fn list(
    conn: &mut PgConnection,
    user: UserSid,
    from: Option<ConversationSid>,
    descending: bool,
    limit: i64,
) -> sqlx::Result<Vec<Membership>> {
    let mut query = QueryBuilder::new(concat!(select!(), "where m.user_sid = "));
    query.push_bind(user);
    let (compare, order) = if descending {
        ("<=", "desc")
    } else {
        (">=", "asc")
    };
    if let Some(from) = from {
        query
            .push(format_args!(" and m.conversation_sid {compare} "))
            .push_bind(from);
    }
    query
        .push(format_args!(" order by m.conversation_sid {order} limit "))
        .push_bind(limit);
    query.build_query_as().fetch_all(conn).await
}

/// Lists memberships that changed after a position, and the conversations that were left after it.
///
/// # Errors
/// As the database.
pub async fn since(
    conn: &mut PgConnection,
    user: UserSid,
    position: i64,
) -> sqlx::Result<(Vec<Membership>, Vec<(ConversationSid, i64)>)> {
    let changed = sqlx::query_as(concat!(
        select!(),
        "where m.user_sid = $1 and m.position > $2 order by m.position"
    ))
    .bind(user)
    .bind(position)
    .fetch_all(&mut *conn)
    .await?;
    let left = sqlx::query_as(
        "select subject_sid, position
           from tombstones
          where owner_sid = $1 and kind = 'membership' and position > $2
          order by position",
    )
    .bind(user)
    .bind(position)
    .fetch_all(conn)
    .await?;
    Ok((changed, left))
}

/// How many conversations that are not closed a user takes part in.
///
/// # Errors
/// As the database.
pub async fn count_open(conn: &mut PgConnection, user: UserSid) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select count(*)
           from memberships m
           join conversations c on c.sid = m.conversation_sid
          where m.user_sid = $1 and c.state <> 'closed'",
    )
    .bind(user)
    .fetch_one(conn)
    .await
}
