//! Accounts and their Messaging Services.

use sqlx::{PgConnection, QueryBuilder};

use super::{MomentKey, Order, push_page};
use crate::domain::{
    Account, AccountSid, AccountStatus, MessagingServiceSid, PageRequest, Timestamp,
};

macro_rules! columns {
    () => {
        "sid, friendly_name, owner_account_sid, status, default_chat_service_sid, default_messaging_service_sid, default_inactive_timer, \
         default_closed_timer, date_created, date_updated"
    };
}

/// An account with its sealed auth token.
#[derive(Debug, sqlx::FromRow)]
pub struct AccountRow {
    /// The account.
    #[sqlx(flatten)]
    pub account: Account,
    /// The sealed auth token.
    pub auth_token: Vec<u8>,
}

/// Finds an account.
///
/// # Errors
/// As the database.
pub async fn find(conn: &mut PgConnection, sid: AccountSid) -> sqlx::Result<Option<AccountRow>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        ", auth_token from accounts where sid = $1"
    ))
    .bind(sid)
    .fetch_optional(conn)
    .await
}

/// Finds the oldest account: the one that verbs mean when they name none.
///
/// # Errors
/// As the database.
pub async fn find_first(conn: &mut PgConnection) -> sqlx::Result<Option<AccountRow>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        ", auth_token from accounts order by date_created, sid limit 1"
    ))
    .fetch_optional(conn)
    .await
}

/// Inserts an account; answers whether it was new.
///
/// # Errors
/// As the database.
pub async fn insert(
    conn: &mut PgConnection,
    account: &Account,
    auth_token: &[u8],
) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "insert into accounts (sid, friendly_name, owner_account_sid, status, auth_token, default_chat_service_sid,
                               default_messaging_service_sid, date_created, date_updated)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $8)
         on conflict do nothing",
    )
    .bind(account.sid)
    .bind(&account.friendly_name)
    .bind(account.owner_account_sid)
    .bind(account.status)
    .bind(auth_token)
    .bind(account.default_chat_service_sid)
    .bind(account.default_messaging_service_sid)
    .bind(account.date_created)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// What narrows a list of accounts.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those of exactly this name.
    pub friendly_name: Option<String>,
    /// Only those of this status.
    pub status: Option<AccountStatus>,
}

/// Lists an account and its subaccounts, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    conn: &mut PgConnection,
    of: &Account,
    filter: &Filter,
    asked: &PageRequest<MomentKey>,
) -> sqlx::Result<Vec<AccountRow>> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        columns!(),
        ", auth_token from accounts where "
    ));
    // A subaccount has none of its own: its list is itself.
    let key = match of.owner_account_sid {
        Some(_) => "sid = ",
        None => "coalesce(owner_account_sid, sid) = ",
    };
    query.push(key).push_bind(of.sid);
    if let Some(name) = &filter.friendly_name {
        query.push(" and friendly_name = ").push_bind(name.clone());
    }
    if let Some(status) = filter.status {
        query.push(" and status = ").push_bind(status);
    }
    push_page(
        &mut query,
        ["date_created", "sid"],
        Order::Descending,
        asked,
    );
    query.build_query_as().fetch_all(conn).await
}

/// Changes what is given of an account that is not closed; none when there is no such account.
///
/// # Errors
/// As the database.
pub async fn update(
    conn: &mut PgConnection,
    sid: AccountSid,
    friendly_name: Option<&str>,
    status: Option<AccountStatus>,
    now: Timestamp,
) -> sqlx::Result<Option<AccountRow>> {
    sqlx::query_as(concat!(
        "update accounts
            set friendly_name = coalesce($2, friendly_name), status = coalesce($3, status), date_updated = $4
          where sid = $1 and status <> 'closed'
         returning ",
        columns!(),
        ", auth_token"
    ))
    .bind(sid)
    .bind(friendly_name)
    .bind(status)
    .bind(now)
    .fetch_optional(conn)
    .await
}

/// Locks an account and loads what it holds now.
///
/// # Errors
/// As the database.
pub async fn lock(conn: &mut PgConnection, sid: AccountSid) -> sqlx::Result<Option<Account>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from accounts where sid = $1 for update"
    ))
    .bind(sid)
    .fetch_optional(conn)
    .await
}

/// Writes the configuration of a locked account.
///
/// # Errors
/// As the database.
pub async fn update_defaults(conn: &mut PgConnection, changed: &Account) -> sqlx::Result<()> {
    sqlx::query(
        "update accounts
            set default_chat_service_sid = $2, default_messaging_service_sid = $3, default_inactive_timer = $4,
                default_closed_timer = $5, date_updated = $6
          where sid = $1",
    )
    .bind(changed.sid)
    .bind(changed.default_chat_service_sid)
    .bind(changed.default_messaging_service_sid)
    .bind(&changed.default_inactive_timer)
    .bind(&changed.default_closed_timer)
    .bind(changed.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Gives an account another auth token.
///
/// # Errors
/// As the database.
pub async fn set_auth_token(
    conn: &mut PgConnection,
    sid: AccountSid,
    auth_token: &[u8],
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query("update accounts set auth_token = $2, date_updated = $3 where sid = $1")
        .bind(sid)
        .bind(auth_token)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(())
}

/// Whether an account has this Messaging Service.
///
/// # Errors
/// As the database.
pub async fn has_messaging_service(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: MessagingServiceSid,
) -> sqlx::Result<bool> {
    sqlx::query_scalar(
        "select exists (select from messaging_services where sid = $1 and account_sid = $2)",
    )
    .bind(sid)
    .bind(account)
    .fetch_one(conn)
    .await
}
