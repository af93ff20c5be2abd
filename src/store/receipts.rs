//! Delivery receipts, and the names providers give to messages.

use sqlx::{PgConnection, QueryBuilder};

use super::{MomentKey, Order, push_page};
use crate::domain::{
    ConversationSid, MessageSid, MessagingServiceSid, PageRequest, Receipt, ReceiptSid, Timestamp,
};

macro_rules! columns {
    () => {
        "sid, conversation_sid, message_sid, participant_sid, channel_message_sid, status, error_code, date_created, \
         date_updated"
    };
}

/// Inserts the receipts of one message.
///
/// # Errors
/// As the database.
pub async fn insert(conn: &mut PgConnection, receipts: &[Receipt]) -> sqlx::Result<()> {
    let mut query = QueryBuilder::new(
        "insert into receipts (conversation_sid, message_sid, sid, participant_sid, channel_message_sid, status,
                               error_code, date_created, date_updated) ",
    );
    query.push_values(receipts, |mut row, receipt| {
        row.push_bind(receipt.conversation_sid)
            .push_bind(receipt.message_sid)
            .push_bind(receipt.sid)
            .push_bind(receipt.participant_sid)
            .push_bind(&receipt.channel_message_sid)
            .push_bind(receipt.status)
            .push_bind(receipt.error_code)
            .push_bind(receipt.date_created)
            .push_bind(receipt.date_updated);
    });
    query.build().execute(conn).await?;
    Ok(())
}

/// Finds a receipt.
///
/// # Errors
/// As the database.
pub async fn find(
    conn: &mut PgConnection,
    conversation: ConversationSid,
    message: MessageSid,
    sid: ReceiptSid,
) -> sqlx::Result<Option<Receipt>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from receipts where conversation_sid = $1 and message_sid = $2 and sid = $3"
    ))
    .bind(conversation)
    .bind(message)
    .bind(sid)
    .fetch_optional(conn)
    .await
}

/// Lists a message's receipts, oldest first.
///
/// # Errors
/// As the database.
pub async fn list(
    conn: &mut PgConnection,
    conversation: ConversationSid,
    message: MessageSid,
    asked: &PageRequest<MomentKey>,
) -> sqlx::Result<Vec<Receipt>> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        columns!(),
        " from receipts where conversation_sid = "
    ));
    query
        .push_bind(conversation)
        .push(" and message_sid = ")
        .push_bind(message);
    push_page(&mut query, ["date_created", "sid"], Order::Ascending, asked);
    query.build_query_as().fetch_all(conn).await
}

/// Writes the status of a receipt whose conversation is held.
///
/// # Errors
/// As the database.
pub async fn update(conn: &mut PgConnection, changed: &Receipt) -> sqlx::Result<()> {
    sqlx::query(
        "update receipts
            set status = $4, error_code = $5, date_updated = $6
          where conversation_sid = $1 and message_sid = $2 and sid = $3",
    )
    .bind(changed.conversation_sid)
    .bind(changed.message_sid)
    .bind(changed.sid)
    .bind(changed.status)
    .bind(changed.error_code)
    .bind(changed.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Remembers what a provider calls an inbound message; answers whether that is new.
///
/// # Errors
/// As the database.
pub async fn remember_inbound(
    conn: &mut PgConnection,
    via: MessagingServiceSid,
    provider_id: &str,
    conversation: ConversationSid,
    message: MessageSid,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "insert into provider_messages (messaging_service_sid, direction, provider_id, conversation_sid, message_sid,
                                        date_created)
         values ($1, 'in', $2, $3, $4, $5)
         on conflict on constraint provider_messages_pkey do nothing",
    )
    .bind(via)
    .bind(provider_id)
    .bind(conversation)
    .bind(message)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
