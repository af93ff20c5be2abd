//! Numbers that an account says are its own.

use sqlx::{PgConnection, QueryBuilder};

use super::{MomentKey, Order, push_page};
use crate::domain::phone_numbers::{Filter, PhoneNumber, PhoneNumberSid};
use crate::domain::{AccountSid, PageRequest};

macro_rules! columns {
    () => {
        "sid, account_sid, phone_number, friendly_name, date_created, date_updated"
    };
}

/// Inserts a number.
///
/// # Errors
/// As the database; the constraint `phone_numbers_phone_number_key` when the account has the number already.
pub async fn insert(conn: &mut PgConnection, number: &PhoneNumber) -> sqlx::Result<()> {
    sqlx::query(
        "insert into phone_numbers (sid, account_sid, phone_number, friendly_name, date_created, date_updated)
         values ($1, $2, $3, $4, $5, $6)",
    )
    .bind(number.sid)
    .bind(number.account_sid)
    .bind(&number.phone_number)
    .bind(&number.friendly_name)
    .bind(number.date_created)
    .bind(number.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Finds a number of an account.
///
/// # Errors
/// As the database.
pub async fn find(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: PhoneNumberSid,
) -> sqlx::Result<Option<PhoneNumber>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from phone_numbers where sid = $1 and account_sid = $2"
    ))
    .bind(sid)
    .bind(account)
    .fetch_optional(conn)
    .await
}

/// Lists an account's numbers, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    conn: &mut PgConnection,
    account: AccountSid,
    filter: &Filter,
    asked: &PageRequest<MomentKey>,
) -> sqlx::Result<Vec<PhoneNumber>> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        columns!(),
        " from phone_numbers where account_sid = "
    ));
    query.push_bind(account);
    if let Some(name) = &filter.friendly_name {
        query.push(" and friendly_name = ").push_bind(name.clone());
    }
    if let Some(pattern) = &filter.pattern {
        query
            .push(" and phone_number like ")
            .push_bind(pattern.clone());
    }
    push_page(
        &mut query,
        ["date_created", "sid"],
        Order::Descending,
        asked,
    );
    query.build_query_as().fetch_all(conn).await
}

/// Deletes a number, and with it the sender that it is of a Messaging Service; answers whether it was there.
///
/// # Errors
/// As the database.
pub async fn delete(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: PhoneNumberSid,
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "with gone as (delete from senders where account_sid = $2 and sid = $1 and kind = 'phone_number')
         delete from phone_numbers where sid = $1 and account_sid = $2",
    )
    .bind(sid)
    .bind(account)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}
