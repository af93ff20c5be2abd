//! Participants.

use sqlx::postgres::PgRow;
use sqlx::{FromRow, PgConnection, QueryBuilder, Row as _};

use super::{MomentKey, Order, push_page};
use crate::domain::{
    ConversationSid, PageRequest, Participant, ParticipantRef, ParticipantSid, ServiceSid, UserSid,
};

macro_rules! columns {
    () => {
        "sid, conversation_sid, identity, user_sid, address, proxy_address, projected_address, role_sid, attributes, \
         last_read_message_index, last_read_timestamp, created_position, position, date_created, date_updated"
    };
}

/// Inserts a participant, and where its address takes part; violates `participants_identity_key` when the identity takes part already.
///
/// # Errors
/// As the database.
pub async fn insert(conn: &mut PgConnection, new: &Participant) -> sqlx::Result<()> {
    sqlx::query(
        "with located as (
             insert into participant_addresses (service_sid, address, conversation_sid, participant_sid)
             select c.service_sid, $5, $1, $2 from conversations c where c.sid = $1 and $5 is not null
         )
         insert into participants (conversation_sid, sid, identity, user_sid, address, proxy_address,
                                   projected_address, role_sid, attributes, created_position, position, date_created,
                                   date_updated)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)",
    )
    .bind(new.conversation_sid)
    .bind(new.sid)
    .bind(&new.identity)
    .bind(new.user_sid)
    .bind(&new.address)
    .bind(&new.proxy_address)
    .bind(&new.projected_address)
    .bind(new.role_sid)
    .bind(&new.attributes)
    .bind(new.created_position)
    .bind(new.position)
    .bind(new.date_created)
    .bind(new.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Whether a participant of this SID takes part or once took part.
///
/// # Errors
/// As the database.
pub async fn was_added(
    conn: &mut PgConnection,
    to: ConversationSid,
    sid: ParticipantSid,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from participants where conversation_sid = $1 and sid = $2)
             or exists (select from tombstones
                         where owner_sid = $1 and kind = 'participant' and subject_sid = $2)",
    )
    .bind(to)
    .bind(sid)
    .fetch_one(conn)
    .await
}

/// Finds a participant of a conversation.
///
/// # Errors
/// As the database.
pub async fn find(
    conn: &mut PgConnection,
    of: ConversationSid,
    which: &ParticipantRef,
) -> sqlx::Result<Option<Participant>> {
    match which {
        ParticipantRef::Sid(sid) => {
            sqlx::query_as(concat!(
                "select ",
                columns!(),
                " from participants where conversation_sid = $1 and sid = $2"
            ))
            .bind(of)
            .bind(sid)
            .fetch_optional(conn)
            .await
        }
        ParticipantRef::Identity(identity) => {
            sqlx::query_as(concat!(
                "select ",
                columns!(),
                " from participants where conversation_sid = $1 and identity = $2"
            ))
            .bind(of)
            .bind(identity)
            .fetch_optional(conn)
            .await
        }
    }
}

/// Lists a conversation's participants, oldest first.
///
/// # Errors
/// As the database.
pub async fn list(
    conn: &mut PgConnection,
    of: ConversationSid,
    asked: &PageRequest<MomentKey>,
) -> sqlx::Result<Vec<Participant>> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        columns!(),
        " from participants where conversation_sid = "
    ));
    query.push_bind(of);
    push_page(&mut query, ["date_created", "sid"], Order::Ascending, asked);
    query.build_query_as().fetch_all(conn).await
}

/// Lists participants in the order of their SIDs, from `from` on (inclusive), at most `limit`; against the order when
/// `descending`.
///
/// # Errors
/// As the database.
pub async fn list_by_sid(
    conn: &mut PgConnection,
    of: ConversationSid,
    from: Option<ParticipantSid>,
    descending: bool,
    limit: i64,
) -> sqlx::Result<Vec<Participant>> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        columns!(),
        " from participants where conversation_sid = "
    ));
    query.push_bind(of);
    let (compare, order) = if descending {
        ("<=", "desc")
    } else {
        (">=", "asc")
    };
    if let Some(from) = from {
        query
            .push(format_args!(" and sid {compare} "))
            .push_bind(from);
    }
    query
        .push(format_args!(" order by sid {order} limit "))
        .push_bind(limit);
    query.build_query_as().fetch_all(conn).await
}

/// Lists the first participants of many conversations by their SIDs, at most `limit` of each.
///
/// # Errors
/// As the database.
pub async fn list_first_of_many(
    conn: &mut PgConnection,
    of: &[ConversationSid],
    limit: i64,
) -> sqlx::Result<Vec<Participant>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from unnest($1::uuid[]) as c (of)
          cross join lateral (
                select * from participants where conversation_sid = c.of order by sid limit $2) p
          order by conversation_sid, sid"
    ))
    .bind(of)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// Lists all participants of a conversation: those whose memberships end with it.
///
/// # Errors
/// As the database.
pub async fn list_all(
    conn: &mut PgConnection,
    of: ConversationSid,
) -> sqlx::Result<Vec<Participant>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from participants where conversation_sid = $1 order by sid"
    ))
    .bind(of)
    .fetch_all(conn)
    .await
}

/// Lists the participants that messages are sent to on a channel.
///
/// # Errors
/// As the database.
pub async fn list_to_relay(
    conn: &mut PgConnection,
    of: ConversationSid,
) -> sqlx::Result<Vec<Participant>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from participants
          where conversation_sid = $1 and address is not null and proxy_address is not null
          order by sid"
    ))
    .bind(of)
    .fetch_all(conn)
    .await
}

/// Lists participants that changed after a position, and the SIDs and positions of those removed after it.
///
/// # Errors
/// As the database.
pub async fn since(
    conn: &mut PgConnection,
    of: ConversationSid,
    position: i64,
    until: i64,
) -> sqlx::Result<(Vec<Participant>, Vec<(ParticipantSid, i64)>)> {
    let changed = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from participants where conversation_sid = $1 and position > $2"
    ))
    .bind(of)
    .bind(position)
    .fetch_all(&mut *conn)
    .await?;
    let removed = sqlx::query_as(
        "select subject_sid, position
           from tombstones
          where owner_sid = $1 and kind = 'participant' and position > $2 and position <= $3",
    )
    .bind(of)
    .bind(position)
    .bind(until)
    .fetch_all(conn)
    .await?;
    Ok((changed, removed))
}

/// Finds a user's participant.
///
/// # Errors
/// As the database.
pub async fn find_by_user(
    conn: &mut PgConnection,
    of: ConversationSid,
    user: UserSid,
) -> sqlx::Result<Option<Participant>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from participants
          where conversation_sid = $1
            and sid = (select participant_sid from memberships where user_sid = $2 and conversation_sid = $1)"
    ))
    .bind(of)
    .bind(user)
    .fetch_optional(conn)
    .await
}

/// What a user is in a conversation, and may do there.
#[derive(Debug)]
pub struct Standing {
    /// The user's participant; none when the user takes no part.
    pub participant: Option<Participant>,
    /// The permissions of the user's role and of the participant's.
    pub permissions: Vec<String>,
}

impl FromRow<'_, PgRow> for Standing {
    fn from_row(row: &PgRow) -> sqlx::Result<Self> {
        let takes_part = row.try_get::<Option<ParticipantSid>, _>("sid")?.is_some();
        Ok(Self {
            participant: takes_part.then(|| Participant::from_row(row)).transpose()?,
            permissions: row.try_get("permissions")?,
        })
    }
}

/// Finds out how a user of a service stands in a conversation; none when there is no such user.
///
/// # Errors
/// As the database.
pub async fn find_standing(
    conn: &mut PgConnection,
    service: ServiceSid,
    of: ConversationSid,
    user: UserSid,
) -> sqlx::Result<Option<Standing>> {
    sqlx::query_as(concat!(
        "select p.*, array(select unnest(r.permissions) from roles r where r.sid in (u.role_sid, p.role_sid)) as permissions
           from users u
           left join lateral (
               select ",
        columns!(),
        "        from participants
                where conversation_sid = $1
                  and sid = (select participant_sid from memberships where user_sid = $2 and conversation_sid = $1)
                ) p on true
          where u.sid = $2 and u.service_sid = $3"
    ))
    .bind(of)
    .bind(user)
    .bind(service)
    .fetch_optional(conn)
    .await
}

/// As much of how a user stands in a conversation as decides what the user may do there.
#[derive(Debug, FromRow)]
pub struct Footing {
    /// Who made the conversation.
    pub created_by: String,
    /// The conversation's membership position.
    pub membership_position: i64,
    /// Whether the user takes part.
    pub takes_part: bool,
    /// The permissions of the user's role and of the participant's.
    pub permissions: Vec<String>,
}

/// Finds out how users of services stand in conversations, in the order asked; none where the service has no such user or
/// no such conversation.
///
/// # Errors
/// As the database.
pub async fn list_footings(
    conn: &mut PgConnection,
    asked: &[(ServiceSid, UserSid, ConversationSid)],
) -> sqlx::Result<Vec<Option<Footing>>> {
    let rows = sqlx::query(
        "select a.nth, c.created_by, c.membership_position, m.user_sid is not null as takes_part,
                array(select unnest(r.permissions) from roles r where r.sid in (u.role_sid, p.role_sid)) as permissions
           from unnest($1::uuid[], $2::uuid[], $3::uuid[]) with ordinality as a (service_sid, user_sid, conversation_sid, nth)
           join users u on u.sid = a.user_sid and u.service_sid = a.service_sid
           join conversations c on c.sid = a.conversation_sid and c.service_sid = a.service_sid
           left join memberships m on m.user_sid = u.sid and m.conversation_sid = c.sid
           left join participants p on p.conversation_sid = c.sid and p.sid = m.participant_sid",
    )
    .bind(asked.iter().map(|(service, ..)| *service).collect::<Vec<_>>())
    .bind(asked.iter().map(|(_, user, _)| *user).collect::<Vec<_>>())
    .bind(asked.iter().map(|(.., conversation)| *conversation).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let mut footings: Vec<Option<Footing>> = asked.iter().map(|_| None).collect();
    for row in rows {
        let nth: i64 = row.try_get("nth")?;
        let place = usize::try_from(nth - 1).unwrap_or_default();
        footings[place] = Some(Footing::from_row(&row)?);
    }
    Ok(footings)
}

/// Finds the participant whose identity or address an author is.
///
/// # Errors
/// As the database.
pub async fn find_author(
    conn: &mut PgConnection,
    of: ConversationSid,
    author: &str,
) -> sqlx::Result<Option<ParticipantSid>> {
    sqlx::query_scalar(
        "select sid from participants
          where conversation_sid = $1 and $2 in (identity, address, projected_address)
          order by sid
          limit 1",
    )
    .bind(of)
    .bind(author)
    .fetch_optional(conn)
    .await
}

/// Writes the fields of a participant that changes may touch, and the position of the change.
///
/// # Errors
/// As the database.
pub async fn update(conn: &mut PgConnection, changed: &Participant) -> sqlx::Result<()> {
    sqlx::query(
        "update participants
            set identity = $3, user_sid = $4, proxy_address = $5, projected_address = $6, role_sid = $7,
                attributes = $8, last_read_message_index = $9, last_read_timestamp = $10, position = $11,
                date_created = $12, date_updated = $13
          where conversation_sid = $1 and sid = $2",
    )
    .bind(changed.conversation_sid)
    .bind(changed.sid)
    .bind(&changed.identity)
    .bind(changed.user_sid)
    .bind(&changed.proxy_address)
    .bind(&changed.projected_address)
    .bind(changed.role_sid)
    .bind(&changed.attributes)
    .bind(changed.last_read_message_index)
    .bind(changed.last_read_timestamp)
    .bind(changed.position)
    .bind(changed.date_created)
    .bind(changed.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes a participant and leaves a tombstone at the position taken for that.
///
/// # Errors
/// As the database.
pub async fn delete(
    conn: &mut PgConnection,
    of: ConversationSid,
    sid: ParticipantSid,
    position: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "with gone as (
             delete from participants where conversation_sid = $1 and sid = $2
         ),
              unlocated as (
             delete from participant_addresses where conversation_sid = $1 and participant_sid = $2
         )
         insert into tombstones (owner_sid, kind, subject_sid, position) values ($1, 'participant', $2, $3)",
    )
    .bind(of)
    .bind(sid)
    .bind(position)
    .execute(conn)
    .await?;
    Ok(())
}
