//! Memberships: a user's own side of taking part.

use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::conversations::{self, order_column};
use super::{MomentKey, direction, push_page};
use crate::domain::conversations::Sorting;
use crate::domain::memberships::{FoundBy, MAX_UNREAD, Own, Participation, ParticipationKey};
use crate::domain::participants::{Membership, NotificationLevel};
use crate::domain::{ConversationSid, PageRequest, ParticipantSid, ServiceSid, UserSid};

macro_rules! select {
    () => {
        "select m.user_sid, m.conversation_sid, m.participant_sid, m.notification_level, m.created_position, \
                m.position, p.last_read_message_index \
           from memberships m \
           join participants p on p.conversation_sid = m.conversation_sid and p.sid = m.participant_sid "
    };
}

/// A membership to be written.
#[derive(Debug, Clone, Copy)]
pub struct NewMembership {
    /// The user.
    pub user: UserSid,
    /// The conversation.
    pub conversation: ConversationSid,
    /// The user's participant there.
    pub participant: ParticipantSid,
    /// Whether the identity was attached to a participant who was there before it.
    pub attached: bool,
}

/// Inserts a membership, whose position is taken. An older tombstone of it stays.
///
/// # Why it stays
/// A conversation tells nothing more to whoever leaves it, and a client asks for its news again only if it heard of that.
/// When its own news are read, the user may be back already: they must still tell of both, or it goes deaf.
///
/// # Errors
/// As the database.
pub async fn insert(
    conn: &mut PgConnection,
    new: NewMembership,
    position: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into memberships (user_sid, conversation_sid, participant_sid, attached, created_position, position)
         values ($1, $2, $3, $4, $5, $5)",
    )
    .bind(new.user)
    .bind(new.conversation)
    .bind(new.participant)
    .bind(new.attached)
    .bind(position)
    .execute(conn)
    .await?;
    Ok(())
}

/// Removes a membership and leaves a tombstone at the position taken for that, in place of an older one.
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

/// Lists memberships whose last change lies after a position and not behind another, and the conversations that were
/// left between them for the last time, be it that they were joined again behind that.
///
/// # Errors
/// As the database.
pub async fn since(
    conn: &mut PgConnection,
    user: UserSid,
    position: i64,
    until: i64,
) -> sqlx::Result<(Vec<Membership>, Vec<(ConversationSid, i64)>)> {
    let changed = sqlx::query_as(concat!(
        select!(),
        "where m.user_sid = $1 and m.position > $2 and m.position <= $3 order by m.position"
    ))
    .bind(user)
    .bind(position)
    .bind(until)
    .fetch_all(&mut *conn)
    .await?;
    let left = sqlx::query_as(
        "select subject_sid, position
           from tombstones
          where owner_sid = $1 and kind = 'membership' and position > $2 and position <= $3
          order by position",
    )
    .bind(user)
    .bind(position)
    .bind(until)
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

/// Begins a query of conversations as users have them, of memberships `m` with their `c` and `p`. What is unread is
/// counted up to a limit, by the index of messages, so each row costs a bounded piece of work.
fn own() -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        conversations::columns!(),
        ", m.user_sid, m.participant_sid, m.notification_level, p.last_read_message_index,
           case when p.last_read_message_index is not null then
               (select count(*)
                  from (select from messages x
                         where x.conversation_sid = c.sid and x.index > p.last_read_message_index
                         limit "
    ));
    query.push_bind(MAX_UNREAD);
    query.push(") above) end as unread_messages_count from ");
    query
}

const WITH_BOTH: &str = " join conversations c on c.sid = m.conversation_sid
                          join participants p on p.conversation_sid = m.conversation_sid and p.sid = m.participant_sid ";

/// Finds a conversation as a user has it.
///
/// # Errors
/// As the database.
pub async fn find_own(
    conn: &mut PgConnection,
    user: UserSid,
    conversation: ConversationSid,
) -> sqlx::Result<Option<Own>> {
    let mut query = own();
    query
        .push("memberships m")
        .push(WITH_BOTH)
        .push("where m.user_sid = ")
        .push_bind(user)
        .push(" and m.conversation_sid = ")
        .push_bind(conversation);
    query.build_query_as().fetch_optional(conn).await
}

/// Lists conversations as a user has them.
///
/// # Why no index has this order
/// It would have to be on `memberships`, and every message would move a row there for every user in the conversation.
/// Instead the user's conversations are gathered, of which at most a thousand are open, and the page is cut from them;
/// only what is on the page is counted.
///
/// # Errors
/// As the database.
pub async fn list_own(
    conn: &mut PgConnection,
    user: UserSid,
    sorting: Sorting,
    asked: &PageRequest<MomentKey>,
) -> sqlx::Result<Vec<Own>> {
    let moment = order_column(sorting.by);
    let mut query = own();
    query
        .push(
            "(select m.user_sid, m.participant_sid, m.notification_level, m.conversation_sid
                from memberships m
               cross join lateral (
                   select sid, active_at, last_message_at, date_created
                     from conversations
                    where sid = m.conversation_sid
                   -- One by one, by their key: with many memberships the whole table looks cheaper, and is not.
                   offset 0) c
               where m.user_sid = ",
        )
        .push_bind(user);
    push_page(&mut query, [moment, "c.sid"], sorting.order, asked);
    let direction = direction(sorting.order, asked);
    query.push(") m").push(WITH_BOTH).push(format_args!(
        "order by {moment} {direction}, c.sid {direction}"
    ));
    query.build_query_as().fetch_all(conn).await
}

/// How many conversations a user takes part in.
///
/// # Errors
/// As the database.
pub async fn count(conn: &mut PgConnection, user: UserSid) -> sqlx::Result<i64> {
    sqlx::query_scalar("select count(*) from memberships where user_sid = $1")
        .bind(user)
        .fetch_one(conn)
        .await
}

/// Lists where an identity or an address takes part in a service, by the conversation's SID.
///
/// # Errors
/// As the database.
pub async fn list_participations(
    conn: &mut PgConnection,
    service: ServiceSid,
    by: &FoundBy,
    asked: &PageRequest<ParticipationKey>,
) -> sqlx::Result<Vec<Participation>> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        conversations::columns!(),
        ", m.participant_sid, p.user_sid, p.identity, p.address, p.proxy_address, p.projected_address
           from (select m.conversation_sid, m.participant_sid from "
    ));
    // The page is cut from the index before anything is joined. A user has one membership a conversation.
    let keys: &[&str] = match by {
        FoundBy::Identity(identity) => {
            query
                .push("memberships m where not m.attached and m.user_sid = (select sid from users where service_sid = ")
                .push_bind(service)
                .push(" and identity = ")
                .push_bind(identity.clone())
                .push(")");
            &["m.conversation_sid"]
        }
        FoundBy::Address(address) => {
            query
                .push("participant_addresses m where m.service_sid = ")
                .push_bind(service)
                .push(" and m.address = ")
                .push_bind(address.clone());
            &["m.conversation_sid", "m.participant_sid"]
        }
    };
    let (compare, direction) = if asked.backwards() {
        ("<", "desc")
    } else {
        (">", "asc")
    };
    if let Some(from) = &asked.from {
        query
            .push(format_args!(
                " and (m.conversation_sid, m.participant_sid) {compare} ("
            ))
            .push_bind(from.edge.0)
            .push(", ")
            .push_bind(from.edge.1)
            .push(")");
    }
    let order: Vec<String> = keys
        .iter()
        .map(|key| format!("{key} {direction}"))
        .collect();
    query
        .push(format_args!(" order by {} limit ", order.join(", ")))
        .push_bind(asked.size.limit())
        .push(") m")
        .push(WITH_BOTH)
        .push(format_args!(
            "order by m.conversation_sid {direction}, m.participant_sid {direction}"
        ));
    query.build_query_as().fetch_all(conn).await
}
