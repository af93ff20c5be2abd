//! Media: what is known of the files in the object store.

use sqlx::PgConnection;

use crate::domain::media::{Media, MediaState};
use crate::domain::{ConversationSid, Identity, MediaSid, MessageSid, ServiceSid, Timestamp};

macro_rules! columns {
    () => {
        "m.sid, m.account_sid, m.service_sid, m.state, m.category, m.author, m.filename, m.content_type, \
         m.sniffed_type, m.size, m.is_multipart_upstream, m.conversation_sid, m.message_sid, m.date_created, \
         m.date_uploaded, m.date_updated"
    };
}

/// Inserts the row of an upload.
///
/// # Errors
/// As the database.
pub async fn insert(conn: &mut PgConnection, new: &Media) -> sqlx::Result<()> {
    sqlx::query(
        "insert into media (sid, account_sid, service_sid, state, category, author, filename, content_type,
                            sniffed_type, size, is_multipart_upstream, conversation_sid, message_sid, date_created,
                            date_uploaded, date_updated)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
    )
    .bind(new.sid)
    .bind(new.account_sid)
    .bind(new.service_sid)
    .bind(new.state)
    .bind(new.category)
    .bind(&new.author)
    .bind(&new.filename)
    .bind(&new.content_type)
    .bind(&new.sniffed_type)
    .bind(new.size)
    .bind(new.is_multipart_upstream)
    .bind(new.conversation_sid)
    .bind(new.message_sid)
    .bind(new.date_created)
    .bind(new.date_uploaded)
    .bind(new.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Writes down that all bytes of an upload are there, unless it was given up meanwhile; answers whether it was not.
///
/// # Errors
/// As the database.
pub async fn set_ready(conn: &mut PgConnection, done: &Media) -> sqlx::Result<bool> {
    let written = sqlx::query(
        "update media
            set state = 'ready', filename = $2, content_type = $3, sniffed_type = $4, size = $5, category = $6,
                date_uploaded = $7, date_updated = $7
          where sid = $1 and state = 'uploading'",
    )
    .bind(done.sid)
    .bind(&done.filename)
    .bind(&done.content_type)
    .bind(&done.sniffed_type)
    .bind(done.size)
    .bind(done.category)
    .bind(done.date_uploaded)
    .execute(conn)
    .await?;
    Ok(written.rows_affected() == 1)
}

/// Finds media, whatever has become of them.
///
/// # Errors
/// As the database.
pub async fn find(conn: &mut PgConnection, sid: MediaSid) -> sqlx::Result<Option<Media>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from media m where m.sid = $1"
    ))
    .bind(sid)
    .fetch_optional(conn)
    .await
}

/// Finds media of a service whose bytes are there. A user sees what that identity uploaded, and what hangs on messages
/// of conversations in which it takes part.
///
/// # Errors
/// As the database.
pub async fn list_visible(
    conn: &mut PgConnection,
    service: ServiceSid,
    sids: &[MediaSid],
    to: Option<&Identity>,
) -> sqlx::Result<Vec<Media>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from media m
          where m.sid = any($1) and m.service_sid = $2 and m.state = 'ready'
            and ($3::text is null
                 or m.author = $3
                 or exists (select from participants p
                             where p.conversation_sid = m.conversation_sid and p.identity = $3))"
    ))
    .bind(sids)
    .bind(service)
    .bind(to)
    .fetch_all(conn)
    .await
}

/// Locks media of a service whose bytes are there, in SID order.
///
/// # Errors
/// As the database.
pub async fn lock(
    conn: &mut PgConnection,
    service: ServiceSid,
    sids: &[MediaSid],
) -> sqlx::Result<Vec<Media>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from media m
          where m.sid = any($1) and m.service_sid = $2 and m.state = 'ready'
          order by m.sid
            for update"
    ))
    .bind(sids)
    .bind(service)
    .fetch_all(conn)
    .await
}

/// Hangs media, whose rows are held, on a message.
///
/// # Errors
/// As the database.
pub async fn attach(
    conn: &mut PgConnection,
    sids: &[MediaSid],
    conversation: ConversationSid,
    message: MessageSid,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "update media set conversation_sid = $2, message_sid = $3, date_updated = $4 where sid = any($1)",
    )
    .bind(sids)
    .bind(conversation)
    .bind(message)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks the media of a message as removed, or of all messages of a conversation; answers how many there are.
///
/// # Errors
/// As the database.
pub async fn mark_removed(
    conn: &mut PgConnection,
    of: ConversationSid,
    message: Option<MessageSid>,
) -> sqlx::Result<u64> {
    let marked = sqlx::query(
        "update media set state = 'removed'
          where conversation_sid = $1 and ($2::uuid is null or message_sid = $2) and state <> 'removed'",
    )
    .bind(of)
    .bind(message)
    .execute(conn)
    .await?;
    Ok(marked.rows_affected())
}

/// Marks the media of a service that hang on no message as removed.
///
/// # Errors
/// As the database.
pub async fn mark_unattached_removed(conn: &mut PgConnection, of: ServiceSid) -> sqlx::Result<()> {
    sqlx::query(
        "update media set state = 'removed' where service_sid = $1 and message_sid is null",
    )
    .bind(of)
    .execute(conn)
    .await?;
    Ok(())
}

/// Marks one upload as removed if it is still in this state and hangs on no message; answers whether it was.
///
/// # Errors
/// As the database.
pub async fn give_up(
    conn: &mut PgConnection,
    sid: MediaSid,
    from: MediaState,
) -> sqlx::Result<bool> {
    let marked = sqlx::query(
        "update media set state = 'removed' where sid = $1 and state = $2 and message_sid is null",
    )
    .bind(sid)
    .bind(from)
    .execute(conn)
    .await?;
    Ok(marked.rows_affected() == 1)
}

/// Lists media of a conversation that are removed, at most `limit`.
///
/// # Errors
/// As the database.
pub async fn list_removed(
    conn: &mut PgConnection,
    of: ConversationSid,
    limit: i64,
) -> sqlx::Result<Vec<MediaSid>> {
    sqlx::query_scalar(
        "select sid from media where conversation_sid = $1 and state = 'removed' limit $2",
    )
    .bind(of)
    .bind(limit)
    .fetch_all(conn)
    .await
}

/// Forgets removed media, whose bytes are gone.
///
/// # Errors
/// As the database.
pub async fn delete_removed(conn: &mut PgConnection, sids: &[MediaSid]) -> sqlx::Result<()> {
    sqlx::query("delete from media where sid = any($1) and state = 'removed'")
        .bind(sids)
        .execute(conn)
        .await?;
    Ok(())
}
