//! Who holds a pair of addresses, and whose an address is.

use sqlx::PgConnection;

use crate::domain::addresses::AddressPair;
use crate::domain::{AccountSid, ConversationSid, ParticipantSid};

/// Where a pair of addresses is bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::FromRow)]
pub struct Holder {
    /// The conversation.
    pub conversation_sid: ConversationSid,
    /// The participant.
    pub participant_sid: ParticipantSid,
}

/// Whether an address is an account's own: a number that it declared, or a sender that it has, in a Messaging Service
/// or taken out of one.
///
/// # Errors
/// As the database.
pub async fn is_own(
    conn: &mut PgConnection,
    account: AccountSid,
    address: &str,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from senders where account_sid = $1 and address = $2)
             or exists (select from phone_numbers where account_sid = $1 and phone_number = $2)",
    )
    .bind(account)
    .bind(address)
    .fetch_one(conn)
    .await
}

/// Finds the open conversation that holds a pair.
///
/// # Errors
/// As the database.
pub async fn find_holder(
    conn: &mut PgConnection,
    account: AccountSid,
    pair: &AddressPair,
) -> sqlx::Result<Option<Holder>> {
    sqlx::query_as(
        "select conversation_sid, participant_sid
           from address_pairs
          where account_sid = $1 and address = $2 and proxy_address = $3",
    )
    .bind(account)
    .bind(&pair.address)
    .bind(&pair.proxy_address)
    .fetch_optional(conn)
    .await
}

/// Takes a pair for a participant; answers the holder when somebody has it. Waits for one who is about to take it.
///
/// # Errors
/// As the database; [`sqlx::Error::RowNotFound`] when the holder vanished between two looks (the caller may repeat).
pub async fn take(
    conn: &mut PgConnection,
    account: AccountSid,
    pair: &AddressPair,
    holder: Holder,
) -> sqlx::Result<Option<Holder>> {
    let taken = sqlx::query(
        "insert into address_pairs (account_sid, address, proxy_address, conversation_sid, participant_sid)
         values ($1, $2, $3, $4, $5)
         on conflict on constraint address_pairs_pair_key do nothing",
    )
    .bind(account)
    .bind(&pair.address)
    .bind(&pair.proxy_address)
    .bind(holder.conversation_sid)
    .bind(holder.participant_sid)
    .execute(&mut *conn)
    .await?;
    if taken.rows_affected() == 1 {
        return Ok(None);
    }
    find_holder(conn, account, pair)
        .await?
        .ok_or(sqlx::Error::RowNotFound)
        .map(Some)
}

/// Gives free what one participant holds.
///
/// # Errors
/// As the database.
pub async fn free(conn: &mut PgConnection, holder: Holder) -> sqlx::Result<()> {
    sqlx::query("delete from address_pairs where conversation_sid = $1 and participant_sid = $2")
        .bind(holder.conversation_sid)
        .bind(holder.participant_sid)
        .execute(conn)
        .await?;
    Ok(())
}

/// Gives free what a conversation holds, when it closes.
///
/// # Errors
/// As the database.
pub async fn free_all(conn: &mut PgConnection, of: ConversationSid) -> sqlx::Result<()> {
    sqlx::query("delete from address_pairs where conversation_sid = $1")
        .bind(of)
        .execute(conn)
        .await?;
    Ok(())
}
