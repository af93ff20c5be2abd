//! The event log: append, and the positions of many.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::{ConversationSid, Event, Timestamp, UserSid};

/// Takes the conversation's next position for an event and appends the event.
///
/// The update holds the conversation's row until the transaction ends; that puts the events of one conversation in
/// order, without gaps, across all nodes.
///
/// # Errors
/// As the database; [`sqlx::Error::RowNotFound`] when the conversation is gone.
pub async fn append(
    conn: &mut PgConnection,
    to: ConversationSid,
    event: &Event,
    now: Timestamp,
) -> sqlx::Result<i64> {
    let touches = event.touches();
    sqlx::query_scalar(
        "with taken as (
             update conversations
                set position = position + 1,
                    document_position = case when $2 then position + 1 else document_position end,
                    messages_position = case when $3 then position + 1 else messages_position end,
                    roster_position = case when $4 then position + 1 else roster_position end,
                    membership_position = case when $5 then position + 1 else membership_position end
              where sid = $1
          returning position
         )
         insert into events (scope_sid, position, kind, subject_sid, payload, at)
         select $1, position, $6, $7, $8, $9 from taken
         returning position",
    )
    .bind(to)
    .bind(touches.document)
    .bind(touches.messages)
    .bind(touches.roster)
    .bind(touches.membership)
    .bind(event.kind())
    .bind(event.subject())
    .bind(payload(event))
    .bind(now)
    .fetch_one(conn)
    .await
}

/// Takes the user's next position for an event and appends the event; none when the user is gone. Comes after the
/// conversation's, if both change.
///
/// # Errors
/// As the database.
pub async fn append_for_user(
    conn: &mut PgConnection,
    to: UserSid,
    event: &Event,
    now: Timestamp,
) -> sqlx::Result<Option<i64>> {
    let own_conversations = matches!(
        event,
        Event::MembershipAdded { .. }
            | Event::MembershipUpdated { .. }
            | Event::MembershipRemoved { .. }
    );
    sqlx::query_scalar(
        "with taken as (
             update users
                set position = position + 1,
                    conversations_position = case when $2 then position + 1 else conversations_position end
              where sid = $1
          returning position
         )
         insert into events (scope_sid, position, kind, subject_sid, payload, at)
         select $1, position, $3, $4, null, $5 from taken
         returning position",
    )
    .bind(to)
    .bind(own_conversations)
    .bind(event.kind())
    .bind(event.subject())
    .bind(now)
    .fetch_optional(conn)
    .await
}

/// Takes the next position of each of many users for an event and appends it to each log; answers the positions. The
/// users must be locked, in the order of their SIDs.
///
/// # Errors
/// As the database.
pub async fn append_for_users(
    conn: &mut PgConnection,
    to: &[UserSid],
    event: &Event,
    now: Timestamp,
) -> sqlx::Result<Vec<(UserSid, i64)>> {
    sqlx::query_as(
        "with taken as (
             update users set position = position + 1 where sid = any($1) returning sid, position
         )
         insert into events (scope_sid, position, kind, subject_sid, payload, at)
         select sid, position, $2, $3, null, $4 from taken
         returning scope_sid, position",
    )
    .bind(to)
    .bind(event.kind())
    .bind(event.subject())
    .bind(now)
    .fetch_all(conn)
    .await
}

/// What the rows no longer tell.
fn payload(event: &Event) -> Option<serde_json::Value> {
    match event {
        Event::ConversationStateUpdated { .. }
        | Event::MessageRemoved { .. }
        | Event::ParticipantRemoved { .. }
        | Event::ReceiptUpdated { .. } => serde_json::to_value(event).ok(),
        _ => None,
    }
}

/// The position of a scope, as one row of [`positions`].
#[derive(Debug, Clone, Copy, sqlx::FromRow)]
pub struct PositionOf {
    /// The conversation or user, without its prefix.
    pub sid: Uuid,
    /// Its newest position.
    pub position: i64,
}

/// Reads the positions of many conversations and users at once. Scopes that are gone are missing.
///
/// # Errors
/// As the database.
pub async fn positions(
    conn: &mut PgConnection,
    conversations: &[ConversationSid],
    users: &[UserSid],
) -> sqlx::Result<Vec<PositionOf>> {
    sqlx::query_as(
        "select sid, position from conversations where sid = any($1)
         union all
         select sid, position from users where sid = any($2)",
    )
    .bind(conversations)
    .bind(users)
    .fetch_all(conn)
    .await
}

/// Forgets events older than `before`, at most `limit` of them; answers how many.
///
/// # Errors
/// As the database.
pub async fn forget(conn: &mut PgConnection, before: Timestamp, limit: i64) -> sqlx::Result<u64> {
    sqlx::query(
        "delete from events
          where ctid = any(array(select ctid from events where at < $1 limit $2))",
    )
    .bind(before)
    .bind(limit)
    .execute(conn)
    .await
    .map(|done| done.rows_affected())
}
