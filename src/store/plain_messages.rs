//! Plain messages.

use sqlx::{PgConnection, QueryBuilder};

use super::{MomentKey, Order, push_page};
use crate::domain::plain_messages::{Filter, PlainMessage, PlainMessageSid};
use crate::domain::{AccountSid, MessagingServiceSid, PageRequest, ReceiptStatus, Timestamp};

macro_rules! columns {
    () => {
        "sid, account_sid, messaging_service_sid, direction, from_address, to_address, body, media_urls, segments, \
         status, error_code, date_created, date_sent, date_updated"
    };
}

/// Inserts a message.
///
/// # Errors
/// As the database.
pub async fn insert(conn: &mut PgConnection, message: &PlainMessage) -> sqlx::Result<()> {
    sqlx::query(
        "insert into plain_messages (sid, account_sid, messaging_service_sid, direction, from_address, to_address, body,
                                     media_urls, segments, status, error_code, date_created, date_sent, date_updated)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
    )
    .bind(message.sid)
    .bind(message.account_sid)
    .bind(message.messaging_service_sid)
    .bind(&message.direction)
    .bind(&message.from_address)
    .bind(&message.to_address)
    .bind(&message.body)
    .bind(&message.media_urls)
    .bind(message.segments)
    .bind(message.status)
    .bind(message.error_code)
    .bind(message.date_created)
    .bind(message.date_sent)
    .bind(message.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Finds a message; of an account, or of any.
///
/// # Errors
/// As the database.
pub async fn find(
    conn: &mut PgConnection,
    account: Option<AccountSid>,
    sid: PlainMessageSid,
) -> sqlx::Result<Option<PlainMessage>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from plain_messages where sid = $1 and ($2 is null or account_sid = $2)"
    ))
    .bind(sid)
    .bind(account)
    .fetch_optional(conn)
    .await
}

/// Locks a message.
///
/// # Errors
/// As the database.
pub async fn lock(
    conn: &mut PgConnection,
    sid: PlainMessageSid,
) -> sqlx::Result<Option<PlainMessage>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from plain_messages where sid = $1 for update"
    ))
    .bind(sid)
    .fetch_optional(conn)
    .await
}

/// Writes how far a message has come. The first status but a failure tells when it left.
///
/// # Errors
/// As the database.
pub async fn set_status(
    conn: &mut PgConnection,
    sid: PlainMessageSid,
    status: ReceiptStatus,
    error_code: i32,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "update plain_messages
            set status = $2, error_code = $3, date_updated = $4,
                date_sent = case when $2 = 'failed' then date_sent else coalesce(date_sent, $4) end
          where sid = $1",
    )
    .bind(sid)
    .bind(status)
    .bind(error_code)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(())
}

/// Lists an account's messages, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    conn: &mut PgConnection,
    account: AccountSid,
    filter: &Filter,
    asked: &PageRequest<MomentKey>,
) -> sqlx::Result<Vec<PlainMessage>> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        columns!(),
        " from plain_messages where account_sid = "
    ));
    query.push_bind(account);
    if let Some(to) = &filter.to {
        query.push(" and to_address = ").push_bind(to.clone());
    }
    if let Some(from) = &filter.from {
        query.push(" and from_address = ").push_bind(from.clone());
    }
    if let Some(from) = filter.sent_from {
        query.push(" and date_sent >= ").push_bind(from);
    }
    if let Some(before) = filter.sent_before {
        query.push(" and date_sent < ").push_bind(before);
    }
    push_page(
        &mut query,
        ["date_created", "sid"],
        Order::Descending,
        asked,
    );
    query.build_query_as().fetch_all(conn).await
}

/// The addresses that a Messaging Service sends from, oldest first.
///
/// # Errors
/// As the database.
pub async fn senders(
    conn: &mut PgConnection,
    service: MessagingServiceSid,
) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar(
        "select address from senders
          where messaging_service_sid = $1 and kind in ('phone_number', 'channel_sender')
          order by date_created, sid
          limit 500",
    )
    .bind(service)
    .fetch_all(conn)
    .await
}
