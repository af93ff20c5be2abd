//! Senders: which Messaging Service an address belongs to.

use sqlx::{PgConnection, QueryBuilder};
use uuid::Uuid;

use super::{MomentKey, Order, push_page};
use crate::domain::senders::{Sender, SenderKind};
use crate::domain::{AccountSid, MessagingServiceSid, PageRequest, Timestamp};

macro_rules! columns {
    () => {
        "sid, account_sid, messaging_service_sid, kind, address, date_created, date_updated"
    };
}

/// Puts an address into a Messaging Service, unless it is in one. Answers it as it is then; none when it was in one, or
/// when the account has another address of this SID.
///
/// An address that the account knows keeps its SID.
///
/// # Errors
/// As the database; the constraint `senders_messaging_service_sid_fkey` when the Messaging Service is gone.
pub async fn put(conn: &mut PgConnection, new: &Sender) -> sqlx::Result<Option<Sender>> {
    sqlx::query_as(concat!(
        "with moved as (
             update senders
                set messaging_service_sid = $3, date_created = $6, date_updated = $7
              where account_sid = $2 and address = $5 and messaging_service_sid is null
          returning ",
        columns!(),
        "), made as (
             insert into senders (sid, account_sid, messaging_service_sid, kind, address, date_created, date_updated)
             select $1, $2, $3, $4, $5, $6, $7
              where not exists (select from moved)
                 on conflict do nothing
          returning ",
        columns!(),
        ")
         select ",
        columns!(),
        " from moved union all select ",
        columns!(),
        " from made"
    ))
    .bind(new.sid)
    .bind(new.account_sid)
    .bind(new.messaging_service_sid)
    .bind(new.kind)
    .bind(&new.address)
    .bind(new.date_created)
    .bind(new.date_updated)
    .fetch_optional(conn)
    .await
}

/// Finds an address that the account knows, in a Messaging Service or not.
///
/// # Errors
/// As the database.
pub async fn find_by_address(
    conn: &mut PgConnection,
    account: AccountSid,
    address: &str,
) -> sqlx::Result<Option<Sender>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from senders where account_sid = $1 and address = $2"
    ))
    .bind(account)
    .bind(address)
    .fetch_optional(conn)
    .await
}

/// Finds an address that the account knows by its SID, in a Messaging Service or not.
///
/// # Errors
/// As the database.
pub async fn find(
    conn: &mut PgConnection,
    account: AccountSid,
    kind: SenderKind,
    sid: Uuid,
) -> sqlx::Result<Option<Sender>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from senders where account_sid = $1 and sid = $2 and kind = $3"
    ))
    .bind(account)
    .bind(sid)
    .bind(kind)
    .fetch_optional(conn)
    .await
}

/// Lists the senders of one kind of a Messaging Service, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    conn: &mut PgConnection,
    of: MessagingServiceSid,
    kind: SenderKind,
    asked: &PageRequest<MomentKey>,
) -> sqlx::Result<Vec<Sender>> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        columns!(),
        " from senders where messaging_service_sid = "
    ));
    query.push_bind(of).push(" and kind = ").push_bind(kind);
    push_page(
        &mut query,
        ["date_created", "sid"],
        Order::Descending,
        asked,
    );
    query.build_query_as().fetch_all(conn).await
}

/// Takes a sender out of its Messaging Service; answers whether it was in it.
///
/// # Errors
/// As the database.
pub async fn take_out(
    conn: &mut PgConnection,
    account: AccountSid,
    of: MessagingServiceSid,
    kind: SenderKind,
    sid: Uuid,
    now: Timestamp,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "update senders
            set messaging_service_sid = null, date_updated = $5
          where account_sid = $1 and sid = $2 and kind = $3 and messaging_service_sid = $4",
    )
    .bind(account)
    .bind(sid)
    .bind(kind)
    .bind(of)
    .bind(now)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
