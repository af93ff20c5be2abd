//! Conversations and their unique names.

mod list;

pub(super) use list::order_column;
pub use list::{count, list};

use sqlx::PgConnection;

use crate::domain::{
    Conversation, ConversationRef, ConversationSid, ServiceSid, Timestamp, UserSid,
};

macro_rules! columns {
    () => {
        "c.sid, c.account_sid, c.service_sid, c.messaging_service_sid, c.friendly_name, c.unique_name, c.attributes, \
         c.state, c.state_updated, c.inactive_timer, c.closed_timer, c.timers_start, c.email_address, c.email_name, \
         c.created_by, c.last_message_index, c.position, c.document_position, c.messages_position, \
         c.roster_position, c.membership_position, c.participants_count, c.channel_participants_count, c.active_at, \
         c.last_message_at, c.date_created, c.date_updated"
    };
}
pub(super) use columns;

/// Inserts a conversation, and the words it can be found by.
///
/// # Errors
/// As the database.
pub async fn insert(conn: &mut PgConnection, new: &Conversation) -> sqlx::Result<()> {
    sqlx::query(
        "with worded as (
             insert into conversation_words (conversation_sid, words)
             values ($1, words_in(coalesce($5, '') || ' ' || coalesce($6, '') || ' ' || $7))
         )
         insert into conversations (sid, account_sid, service_sid, messaging_service_sid, friendly_name, unique_name,
                                    attributes, state, state_updated, inactive_timer, closed_timer, timers_start,
                                    email_address, email_name, created_by, active_at, last_message_at, date_created,
                                    date_updated)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)",
    )
    .bind(new.sid)
    .bind(new.account_sid)
    .bind(new.service_sid)
    .bind(new.messaging_service_sid)
    .bind(&new.friendly_name)
    .bind(&new.unique_name)
    .bind(&new.attributes)
    .bind(new.state)
    .bind(new.state_updated)
    .bind(&new.inactive_timer)
    .bind(&new.closed_timer)
    .bind(new.timers_start)
    .bind(&new.email_address)
    .bind(&new.email_name)
    .bind(&new.created_by)
    .bind(new.active_at)
    .bind(new.last_message_at)
    .bind(new.date_created)
    .bind(new.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes the words that a changed conversation can be found by.
///
/// # Errors
/// As the database.
pub async fn reword(conn: &mut PgConnection, changed: &Conversation) -> sqlx::Result<()> {
    sqlx::query(
        "update conversation_words
            set words = words_in(coalesce($2, '') || ' ' || coalesce($3, '') || ' ' || $4)
          where conversation_sid = $1",
    )
    .bind(changed.sid)
    .bind(&changed.friendly_name)
    .bind(&changed.unique_name)
    .bind(&changed.attributes)
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a unique name; violates `conversation_names_unique_name_key` when another conversation has it.
///
/// # Errors
/// As the database.
pub async fn take_name(
    conn: &mut PgConnection,
    service: ServiceSid,
    name: &str,
    conversation: ConversationSid,
) -> sqlx::Result<()> {
    sqlx::query("insert into conversation_names (service_sid, unique_name, conversation_sid) values ($1, $2, $3)")
        .bind(service)
        .bind(name)
        .bind(conversation)
        .execute(conn)
        .await?;
    Ok(())
}

/// Gives a unique name free.
///
/// # Errors
/// As the database.
pub async fn free_name(
    conn: &mut PgConnection,
    service: ServiceSid,
    name: &str,
) -> sqlx::Result<()> {
    sqlx::query("delete from conversation_names where service_sid = $1 and unique_name = $2")
        .bind(service)
        .bind(name)
        .execute(conn)
        .await?;
    Ok(())
}

/// Finds a conversation of a service.
///
/// # Errors
/// As the database.
pub async fn find(
    conn: &mut PgConnection,
    service: ServiceSid,
    which: &ConversationRef,
) -> sqlx::Result<Option<Conversation>> {
    match which {
        ConversationRef::Sid(sid) => {
            sqlx::query_as(concat!(
                "select ",
                columns!(),
                " from conversations c where c.sid = $1 and c.service_sid = $2"
            ))
            .bind(sid)
            .bind(service)
            .fetch_optional(conn)
            .await
        }
        ConversationRef::UniqueName(name) => {
            sqlx::query_as(concat!(
                "select ",
                columns!(),
                " from conversation_names n
                  join conversations c on c.sid = n.conversation_sid
                 where n.unique_name = $1 and n.service_sid = $2"
            ))
            .bind(name)
            .bind(service)
            .fetch_optional(conn)
            .await
        }
    }
}

/// Finds the SID behind a unique name.
///
/// # Errors
/// As the database.
pub async fn find_sid(
    conn: &mut PgConnection,
    service: ServiceSid,
    unique_name: &str,
) -> sqlx::Result<Option<ConversationSid>> {
    sqlx::query_scalar("select conversation_sid from conversation_names where service_sid = $1 and unique_name = $2")
        .bind(service)
        .bind(unique_name)
        .fetch_optional(conn)
        .await
}

/// Loads conversations, in no order; those that are gone are missing.
///
/// # Errors
/// As the database.
pub async fn list_by_sids(
    conn: &mut PgConnection,
    sids: &[ConversationSid],
) -> sqlx::Result<Vec<Conversation>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from conversations c where c.sid = any($1)"
    ))
    .bind(sids)
    .fetch_all(conn)
    .await
}

/// A conversation with what a reader of its sync objects asks for, as one row of [`list_with_last`].
#[derive(Debug, sqlx::FromRow)]
pub struct WithLast {
    /// The conversation.
    #[sqlx(flatten)]
    pub conversation: Conversation,
    /// Whether the user takes part.
    pub takes_part: bool,
    /// The index of the newest message.
    pub last_index: Option<i64>,
    /// When the newest message was created.
    pub last_created: Option<Timestamp>,
}

/// Loads conversations of a service with their newest messages, and whether a user takes part, in no order; those that
/// are gone are missing. One statement is one snapshot.
///
/// # Errors
/// As the database.
pub async fn list_with_last(
    conn: &mut PgConnection,
    service: ServiceSid,
    user: Option<UserSid>,
    sids: &[ConversationSid],
) -> sqlx::Result<Vec<WithLast>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        ", exists (select from memberships where user_sid = $2 and conversation_sid = c.sid) as takes_part,
           m.index as last_index, m.date_created as last_created
           from unnest($3::uuid[]) as wanted (sid)
           join conversations c on c.sid = wanted.sid
           left join lateral (
                select index, date_created from messages
                 where conversation_sid = c.sid
                 order by index desc
                 limit 1) m on true
          where c.service_sid = $1"
    ))
    .bind(service)
    .bind(user)
    .bind(sids)
    .fetch_all(conn)
    .await
}

/// Locks a conversation and loads what it holds now.
///
/// # Errors
/// As the database.
pub async fn lock(
    conn: &mut PgConnection,
    sid: ConversationSid,
) -> sqlx::Result<Option<Conversation>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from conversations c where c.sid = $1 for update"
    ))
    .bind(sid)
    .fetch_optional(conn)
    .await
}

/// Writes the fields of a locked conversation that changes may touch; the counters are not among them.
///
/// # Errors
/// As the database.
pub async fn update(conn: &mut PgConnection, changed: &Conversation) -> sqlx::Result<()> {
    sqlx::query(
        "update conversations
            set messaging_service_sid = $2, friendly_name = $3, unique_name = $4, attributes = $5, state = $6,
                state_updated = $7, inactive_timer = $8, closed_timer = $9, timers_start = $10, email_address = $11,
                email_name = $12, active_at = $13, date_created = $14, date_updated = $15
          where sid = $1",
    )
    .bind(changed.sid)
    .bind(changed.messaging_service_sid)
    .bind(&changed.friendly_name)
    .bind(&changed.unique_name)
    .bind(&changed.attributes)
    .bind(changed.state)
    .bind(changed.state_updated)
    .bind(&changed.inactive_timer)
    .bind(&changed.closed_timer)
    .bind(changed.timers_start)
    .bind(&changed.email_address)
    .bind(&changed.email_name)
    .bind(changed.active_at)
    .bind(changed.date_created)
    .bind(changed.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Notes that a participant of a locked conversation is bound in another way, or may do other things, since a position.
///
/// # Errors
/// As the database.
pub async fn rebind(
    conn: &mut PgConnection,
    sid: ConversationSid,
    position: i64,
) -> sqlx::Result<()> {
    sqlx::query("update conversations set membership_position = $2 where sid = $1")
        .bind(sid)
        .bind(position)
        .execute(conn)
        .await?;
    Ok(())
}

/// Counts participants who came (positive) or went (negative).
///
/// # Errors
/// As the database.
pub async fn count_participants(
    conn: &mut PgConnection,
    sid: ConversationSid,
    all: i32,
    on_channels: i32,
) -> sqlx::Result<()> {
    sqlx::query(
        "update conversations
            set participants_count = participants_count + $2,
                channel_participants_count = channel_participants_count + $3
          where sid = $1",
    )
    .bind(sid)
    .bind(all)
    .bind(on_channels)
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes a conversation with everything in it.
///
/// # Errors
/// As the database.
pub async fn delete(conn: &mut PgConnection, sid: ConversationSid) -> sqlx::Result<()> {
    sqlx::query(
        "with unnamed as (
             delete from conversation_names n using conversations c
              where c.sid = $1 and n.service_sid = c.service_sid and n.unique_name = c.unique_name),
              freed as (delete from address_pairs where conversation_sid = $1),
              unlocated as (delete from participant_addresses where conversation_sid = $1),
              unworded as (delete from conversation_words where conversation_sid = $1),
              emptied as (delete from participants where conversation_sid = $1),
              unsaid as (delete from messages where conversation_sid = $1),
              unsent as (delete from receipts where conversation_sid = $1),
              unheard as (delete from scoped_webhooks where conversation_sid = $1),
              buried as (delete from tombstones where owner_sid = $1),
              forgotten as (delete from events where scope_sid = $1)
         delete from conversations where sid = $1",
    )
    .bind(sid)
    .execute(conn)
    .await?;
    Ok(())
}

/// The SIDs of some conversations of a service, at most `limit`, in no order.
///
/// # Errors
/// As the database.
pub async fn some_of(
    conn: &mut PgConnection,
    service: ServiceSid,
    limit: i64,
) -> sqlx::Result<Vec<ConversationSid>> {
    sqlx::query_scalar("select sid from conversations where service_sid = $1 limit $2")
        .bind(service)
        .bind(limit)
        .fetch_all(conn)
        .await
}
