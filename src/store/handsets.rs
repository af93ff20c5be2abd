//! Virtual handsets and their threads.

use sqlx::PgConnection;
use uuid::Uuid;

use crate::domain::handsets::{Handset, HandsetMessage, HandsetState};
use crate::domain::{AccountSid, Address, ReceiptStatus, Timestamp};

macro_rules! columns {
    () => {
        "id, address, proxy_address, direction, text, media, status, segments, encoding, at, conversation_sid, \
         message_sid, receipt_sid"
    };
}

macro_rules! handset {
    () => {
        "h.address, h.name, h.state, (select count(*) from handset_messages m
             where m.account_sid = h.account_sid and m.address = h.address and m.direction = 'received' and m.shown
               and m.status is distinct from 'read') as unread"
    };
}

/// Notes that a handset is in use; it comes into being by that. Answers its state.
///
/// # Errors
/// As the database.
pub async fn touch(
    conn: &mut PgConnection,
    account: AccountSid,
    address: &Address,
    now: Timestamp,
) -> sqlx::Result<HandsetState> {
    sqlx::query_scalar(
        "insert into handsets (account_sid, address, used_at) values ($1, $2, $3)
         on conflict on constraint handsets_pkey do update set used_at = excluded.used_at
         returning state",
    )
    .bind(account)
    .bind(address)
    .bind(now)
    .fetch_one(conn)
    .await
}

/// Names a handset, or sets its state; what is none stays.
///
/// # Errors
/// As the database.
pub async fn put(
    conn: &mut PgConnection,
    account: AccountSid,
    address: &Address,
    name: Option<&str>,
    state: Option<HandsetState>,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "insert into handsets (account_sid, address, name, state, used_at)
         values ($1, $2, $3, coalesce($4, 'on'), $5)
         on conflict on constraint handsets_pkey do update
             set name = coalesce($3, handsets.name), state = coalesce($4, handsets.state), used_at = $5",
    )
    .bind(account)
    .bind(address)
    .bind(name)
    .bind(state)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Finds a handset.
///
/// # Errors
/// As the database.
pub async fn find(
    conn: &mut PgConnection,
    account: AccountSid,
    address: &Address,
) -> sqlx::Result<Option<Handset>> {
    sqlx::query_as(concat!(
        "select ",
        handset!(),
        " from handsets h where h.account_sid = $1 and h.address = $2"
    ))
    .bind(account)
    .bind(address)
    .fetch_optional(conn)
    .await
}

/// Lists an account's handsets, last used first; at most a thousand, for people to look at.
///
/// # Errors
/// As the database.
pub async fn list(conn: &mut PgConnection, account: AccountSid) -> sqlx::Result<Vec<Handset>> {
    sqlx::query_as(concat!(
        "select ",
        handset!(),
        " from handsets h where h.account_sid = $1 order by h.used_at desc, h.address limit 1000"
    ))
    .bind(account)
    .fetch_all(conn)
    .await
}

/// Forgets all handsets of an account with their threads.
///
/// # Errors
/// As the database.
pub async fn clear(conn: &mut PgConnection, account: AccountSid) -> sqlx::Result<()> {
    sqlx::query("delete from handsets where account_sid = $1")
        .bind(account)
        .execute(conn)
        .await?;
    Ok(())
}

/// Adds a message to a handset's thread; answers whether its id was new. It is shown when it was sent by the handset, and
/// otherwise once it is on its way.
///
/// # Errors
/// As the database.
pub async fn insert_message(
    conn: &mut PgConnection,
    account: AccountSid,
    new: &HandsetMessage,
    shown: bool,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "insert into handset_messages (id, account_sid, address, proxy_address, direction, text, media, status, segments,
                                       encoding, shown, at, conversation_sid, message_sid, receipt_sid)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
         on conflict on constraint handset_messages_pkey do nothing",
    )
    .bind(new.id)
    .bind(account)
    .bind(&new.address)
    .bind(&new.proxy_address)
    .bind(new.direction)
    .bind(&new.text)
    .bind(&new.media)
    .bind(new.status)
    .bind(new.segments)
    .bind(&new.encoding)
    .bind(shown)
    .bind(new.at)
    .bind(new.conversation_sid)
    .bind(new.message_sid)
    .bind(new.receipt_sid)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Forgets all but the newest `retain` messages of a handset.
///
/// # Errors
/// As the database.
pub async fn trim(
    conn: &mut PgConnection,
    account: AccountSid,
    address: &Address,
    retain: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "delete from handset_messages
          where account_sid = $1 and address = $2
            and (at, id) < (select at, id from handset_messages
                             where account_sid = $1 and address = $2
                             order by at desc, id desc
                            offset $3 limit 1)",
    )
    .bind(account)
    .bind(address)
    .bind(retain - 1)
    .execute(conn)
    .await?;
    Ok(())
}

/// Lists a handset's thread, oldest first; with one proxy address, or all.
///
/// # Errors
/// As the database.
pub async fn thread(
    conn: &mut PgConnection,
    account: AccountSid,
    address: &Address,
    proxy_address: Option<&Address>,
) -> sqlx::Result<Vec<HandsetMessage>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from handset_messages
          where account_sid = $1 and address = $2 and shown and ($3 is null or proxy_address = $3)
          order by at, id"
    ))
    .bind(account)
    .bind(address)
    .bind(proxy_address)
    .fetch_all(conn)
    .await
}

/// Finds a message of an account's handsets, with the state of its handset.
///
/// # Errors
/// As the database.
pub async fn find_message(
    conn: &mut PgConnection,
    account: Option<AccountSid>,
    id: Uuid,
) -> sqlx::Result<Option<(AccountSid, HandsetMessage)>> {
    #[derive(sqlx::FromRow)]
    struct Row {
        account_sid: AccountSid,
        #[sqlx(flatten)]
        message: HandsetMessage,
    }
    let row: Option<Row> = sqlx::query_as(concat!(
        "select account_sid, ",
        columns!(),
        " from handset_messages where id = $1 and ($2 is null or account_sid = $2) for update"
    ))
    .bind(id)
    .bind(account)
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| (row.account_sid, row.message)))
}

/// Writes the status of a message, which is shown from then on.
///
/// # Errors
/// As the database.
pub async fn set_status(
    conn: &mut PgConnection,
    id: Uuid,
    status: ReceiptStatus,
) -> sqlx::Result<()> {
    sqlx::query("update handset_messages set status = $2, shown = true where id = $1")
        .bind(id)
        .bind(status)
        .execute(conn)
        .await?;
    Ok(())
}

/// The received messages of a handset that are not delivered yet: those that waited until it is switched on.
///
/// # Errors
/// As the database.
pub async fn waiting(
    conn: &mut PgConnection,
    account: AccountSid,
    address: &Address,
) -> sqlx::Result<Vec<Uuid>> {
    sqlx::query_scalar(
        "select id from handset_messages
          where account_sid = $1 and address = $2 and direction = 'received' and status = 'sent'
          order by at, id",
    )
    .bind(account)
    .bind(address)
    .fetch_all(conn)
    .await
}
