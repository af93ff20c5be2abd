//! Messages.

mod insert;

pub use insert::{Hold, NewMessage, Written, insert, settle};

use sqlx::{PgConnection, Postgres, QueryBuilder};

use super::Order;
use crate::domain::memberships::LastMessage;
use crate::domain::{ConversationSid, Message, MessageSid, PageRequest, Search, Timestamp};

macro_rules! columns {
    () => {
        "m.sid, m.conversation_sid, m.index, m.author, m.body, m.subject, m.attributes, m.media, \
         m.content_sid, m.participant_sid, \
         m.last_updated_by, m.created_position, m.position, m.date_created, m.date_updated, \
         case when m.receipts_count > 0 then array(
             select r.status from receipts r
              where r.conversation_sid = m.conversation_sid and r.message_sid = m.sid) end as receipts"
    };
}

/// Finds a message of a conversation.
///
/// # Errors
/// As the database.
pub async fn find(
    conn: &mut PgConnection,
    of: ConversationSid,
    sid: MessageSid,
) -> sqlx::Result<Option<Message>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from messages m where m.conversation_sid = $1 and m.sid = $2"
    ))
    .bind(of)
    .bind(sid)
    .fetch_optional(conn)
    .await
}

/// Whether a message of this SID is there or once was.
///
/// # Errors
/// As the database.
pub async fn was_written(
    conn: &mut PgConnection,
    to: ConversationSid,
    sid: MessageSid,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from messages where conversation_sid = $1 and sid = $2)
             or exists (select from tombstones
                         where owner_sid = $1 and kind = 'message' and subject_sid = $2)",
    )
    .bind(to)
    .bind(sid)
    .fetch_one(conn)
    .await
}

/// Finds the newest message of a conversation.
///
/// # Errors
/// As the database.
pub async fn find_last(
    conn: &mut PgConnection,
    of: ConversationSid,
) -> sqlx::Result<Option<Message>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from messages m where m.conversation_sid = $1 order by m.index desc limit 1"
    ))
    .bind(of)
    .fetch_optional(conn)
    .await
}

/// What lists tell of the newest message of each of many conversations.
///
/// # Errors
/// As the database.
pub async fn list_last(
    conn: &mut PgConnection,
    of: &[ConversationSid],
) -> sqlx::Result<Vec<(ConversationSid, LastMessage)>> {
    let rows: Vec<LastRow> = sqlx::query_as(
        "select c.sid as conversation_sid, m.sid, m.index, m.author, m.body, m.date_created
           from unnest($1::uuid[]) as c (sid)
          cross join lateral (
                select sid, index, author, body, date_created from messages
                 where conversation_sid = c.sid
                 order by index desc
                 limit 1) m",
    )
    .bind(of)
    .fetch_all(conn)
    .await?;
    Ok(rows
        .into_iter()
        .map(|row| (row.conversation_sid, row.last))
        .collect())
}

#[derive(sqlx::FromRow)]
struct LastRow {
    conversation_sid: ConversationSid,
    #[sqlx(flatten)]
    last: LastMessage,
}

/// The index and creation of the newest message of each of many conversations.
///
/// # Errors
/// As the database.
pub async fn find_last_of_many(
    conn: &mut PgConnection,
    of: &[ConversationSid],
) -> sqlx::Result<Vec<(ConversationSid, i64, Timestamp)>> {
    sqlx::query_as(
        "select c.sid, m.index, m.date_created
           from unnest($1::uuid[]) as c (sid)
          cross join lateral (
                select index, date_created from messages
                 where conversation_sid = c.sid
                 order by index desc
                 limit 1) m",
    )
    .bind(of)
    .fetch_all(conn)
    .await
}

/// Lists a conversation's messages by index.
///
/// # Errors
/// As the database.
pub async fn list(
    conn: &mut PgConnection,
    of: ConversationSid,
    order: Order,
    asked: &PageRequest<i64>,
) -> sqlx::Result<Vec<Message>> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        columns!(),
        " from messages m where m.conversation_sid = "
    ));
    query.push_bind(of);
    push_page(&mut query, order, asked, asked.size.limit());
    query.build_query_as().fetch_all(conn).await
}

/// How many messages a page of a search looks through.
const SEARCHED_AT_ONCE: i64 = 2000;

/// Lists a conversation's messages that have all the words, by index; answers also up to where it looked, if there may
/// be more behind that.
///
/// # Why no index of words
/// Every message would have to be written there too, which costs more than writing the message itself. A search reads
/// the messages in the order of the list instead, a limited number for each page, so that no conversation is too long
/// to be searched.
///
/// # Errors
/// As the database.
pub async fn search(
    conn: &mut PgConnection,
    of: ConversationSid,
    words: &Search,
    order: Order,
    asked: &PageRequest<i64>,
) -> sqlx::Result<(Vec<Message>, Option<i64>)> {
    let mut looked = QueryBuilder::new(
        "select count(*), min(index), max(index)
           from (select m.index from messages m where m.conversation_sid = ",
    );
    looked.push_bind(of);
    push_page(&mut looked, order, asked, SEARCHED_AT_ONCE);
    looked.push(") looked");
    let (count, first, last): (i64, Option<i64>, Option<i64>) =
        looked.build_query_as().fetch_one(&mut *conn).await?;
    let (Some(first), Some(last)) = (first, last) else {
        return Ok((Vec::new(), None));
    };
    let mut query = QueryBuilder::new(concat!(
        "select ",
        columns!(),
        " from messages m where m.conversation_sid = "
    ));
    query
        .push_bind(of)
        .push(" and m.index >= ")
        .push_bind(first)
        .push(" and m.index <= ")
        .push_bind(last)
        .push(" and words_in(coalesce(m.body, '') || ' ' || m.attributes) @@ all_words(")
        .push_bind(words.as_str().to_owned())
        .push(")");
    push_page(&mut query, order, asked, asked.size.limit());
    let rows = query.build_query_as().fetch_all(conn).await?;
    let edge = if falling(order, asked) { first } else { last };
    Ok((rows, (count == SEARCHED_AT_ONCE).then_some(edge)))
}

/// Whether the largest index is read first.
fn falling(order: Order, asked: &PageRequest<i64>) -> bool {
    (order == Order::Descending) != asked.backwards()
}

/// Ends a query on messages `m` with what lies behind the cursor, in its direction.
fn push_page(
    query: &mut QueryBuilder<Postgres>,
    order: Order,
    asked: &PageRequest<i64>,
    limit: i64,
) {
    let falling = falling(order, asked);
    if let Some(from) = &asked.from {
        query
            .push(if falling {
                " and m.index < "
            } else {
                " and m.index > "
            })
            .push_bind(from.edge);
    }
    query
        .push(if falling {
            " order by m.index desc limit "
        } else {
            " order by m.index limit "
        })
        .push_bind(limit);
}

/// Lists a conversation's messages by index, from `from` on (inclusive), at most `limit`, and ends before that with the
/// message that fills `bytes`. Answers, too, whether messages within the limit were left out for that.
///
/// # Errors
/// As the database.
pub async fn list_from(
    conn: &mut PgConnection,
    of: ConversationSid,
    from: Option<i64>,
    order: Order,
    limit: i64,
    bytes: i64,
) -> sqlx::Result<(Vec<Message>, bool)> {
    let (compare, direction) = match order {
        Order::Ascending => (">=", "asc"),
        Order::Descending => ("<=", "desc"),
    };
    let mut query = QueryBuilder::new(concat!("select ", columns!(), ", m.there"));
    // Lengths of texts are known without reading them, so what is left out costs next to nothing.
    query.push(format_args!(
        " from (select *, count(*) over () as there,
                       sum(coalesce(octet_length(body), 0) + octet_length(attributes)
                           + coalesce(octet_length(subject), 0) + coalesce(octet_length(media::text), 0))
                       over (order by index {direction} rows between unbounded preceding and 1 preceding)
                       as bytes_before
                  from (select * from messages where conversation_sid = "
    ));
    query.push_bind(of);
    if let Some(from) = from {
        query
            .push(format_args!(" and index {compare} "))
            .push_bind(from);
    }
    query
        .push(format_args!(" order by index {direction} limit "))
        .push_bind(limit)
        .push(") a) m where coalesce(m.bytes_before, 0) < ")
        .push_bind(bytes)
        .push(format_args!(" order by m.index {direction}"));
    let rows: Vec<RowOfMany> = query.build_query_as().fetch_all(conn).await?;
    let there = rows.first().map_or(0, |row| row.there);
    let cut = i64::try_from(rows.len()).is_ok_and(|count| count < there);
    Ok((rows.into_iter().map(|row| row.message).collect(), cut))
}

#[derive(sqlx::FromRow)]
struct RowOfMany {
    #[sqlx(flatten)]
    message: Message,
    /// How many rows there were before some were left out.
    there: i64,
}

/// Lists the messages that were added or changed after a position, in the order of their changes; `since_index` is a
/// bound from below for the index of what was added (a message takes a position, so no more were added than
/// positions were taken).
///
/// # Errors
/// As the database.
pub async fn since(
    conn: &mut PgConnection,
    of: ConversationSid,
    position: i64,
    until: i64,
    since_index: i64,
) -> sqlx::Result<(Vec<Message>, Vec<(i64, i64)>)> {
    let changed = sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from messages m
          where m.conversation_sid = $1 and m.position > $2 and m.position <= $4
            and m.position <> m.created_position and m.created_position <= $2
         union all
         (select ",
        columns!(),
        " from messages m
           where m.conversation_sid = $1 and m.index >= $3 and m.created_position > $2
           order by m.index
           limit $4 - $2)"
    ))
    .bind(of)
    .bind(position)
    .bind(since_index)
    .bind(until)
    .fetch_all(&mut *conn)
    .await?;
    let removed = sqlx::query_as(
        "select index, position
           from tombstones
          where owner_sid = $1 and kind = 'message' and position > $2 and position <= $3",
    )
    .bind(of)
    .bind(position)
    .bind(until)
    .fetch_all(conn)
    .await?;
    Ok((changed, removed))
}

/// How many messages lie above an index, counted up to `most`.
///
/// # Errors
/// As the database.
pub async fn count_above(
    conn: &mut PgConnection,
    of: ConversationSid,
    index: i64,
    most: i64,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "select count(*)
           from (select from messages where conversation_sid = $1 and index > $2 limit $3) as above",
    )
    .bind(of)
    .bind(index)
    .bind(most)
    .fetch_one(conn)
    .await
}

/// Writes the fields of a message that an edit may touch, and the position of the change.
///
/// # Errors
/// As the database.
pub async fn update(conn: &mut PgConnection, changed: &Message) -> sqlx::Result<()> {
    sqlx::query(
        "update messages
            set author = $3, body = $4, subject = $5, attributes = $6, participant_sid = $7, last_updated_by = $8,
                position = $9, date_created = $10, date_updated = $11
          where conversation_sid = $1 and index = $2",
    )
    .bind(changed.conversation_sid)
    .bind(changed.index)
    .bind(&changed.author)
    .bind(&changed.body)
    .bind(&changed.subject)
    .bind(&changed.attributes)
    .bind(changed.participant_sid)
    .bind(&changed.last_updated_by)
    .bind(changed.position)
    .bind(changed.date_created)
    .bind(changed.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes down that a message has receipts.
///
/// # Errors
/// As the database.
pub async fn count_receipts(
    conn: &mut PgConnection,
    of: ConversationSid,
    index: i64,
    receipts: i16,
) -> sqlx::Result<()> {
    sqlx::query(
        "update messages set receipts_count = $3 where conversation_sid = $1 and index = $2",
    )
    .bind(of)
    .bind(index)
    .bind(receipts)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes the position of a change that is not in the message's row: of one of its receipts.
///
/// # Errors
/// As the database.
pub async fn touch(
    conn: &mut PgConnection,
    of: ConversationSid,
    sid: MessageSid,
    position: i64,
) -> sqlx::Result<()> {
    sqlx::query("update messages set position = $3 where conversation_sid = $1 and sid = $2")
        .bind(of)
        .bind(sid)
        .bind(position)
        .execute(conn)
        .await?;
    Ok(())
}

/// Deletes a message with its receipts, and leaves a tombstone at the position taken for that.
///
/// # Errors
/// As the database.
pub async fn delete(conn: &mut PgConnection, gone: &Message, position: i64) -> sqlx::Result<()> {
    sqlx::query(
        "with unsaid as (delete from messages where conversation_sid = $1 and index = $3),
              unsent as (delete from receipts where conversation_sid = $1 and message_sid = $2)
         insert into tombstones (owner_sid, kind, subject_sid, index, position) values ($1, 'message', $2, $3, $4)",
    )
    .bind(gone.conversation_sid)
    .bind(gone.sid)
    .bind(gone.index)
    .bind(position)
    .execute(conn)
    .await?;
    Ok(())
}
