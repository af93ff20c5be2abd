//! Address configurations.

use sqlx::types::Json;
use sqlx::{PgConnection, QueryBuilder};

use super::{MomentKey, Order, push_page};
use crate::domain::address_configurations::{
    AddressConfiguration, AddressConfigurationRef, AddressConfigurationSid,
};
use crate::domain::{AccountSid, PageRequest};

macro_rules! columns {
    () => {
        "sid, account_sid, type, address, friendly_name, address_country, auto_creation, date_created, date_updated"
    };
}

/// Inserts an address configuration; answers whether the address had none.
///
/// # Errors
/// As the database.
pub async fn insert(conn: &mut PgConnection, new: &AddressConfiguration) -> sqlx::Result<bool> {
    let done = sqlx::query(
        "insert into address_configurations (sid, account_sid, type, address, friendly_name, address_country,
                                             auto_creation, date_created, date_updated)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         on conflict on constraint address_configurations_address_key do nothing",
    )
    .bind(new.sid)
    .bind(new.account_sid)
    .bind(&new.kind)
    .bind(&new.address)
    .bind(&new.friendly_name)
    .bind(&new.address_country)
    .bind(Json(&new.auto_creation))
    .bind(new.date_created)
    .bind(new.date_updated)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Finds an address configuration.
///
/// # Errors
/// As the database.
pub async fn find(
    conn: &mut PgConnection,
    account: AccountSid,
    which: &AddressConfigurationRef,
) -> sqlx::Result<Option<AddressConfiguration>> {
    match which {
        AddressConfigurationRef::Sid(sid) => {
            sqlx::query_as(concat!(
                "select ",
                columns!(),
                " from address_configurations where sid = $1 and account_sid = $2"
            ))
            .bind(sid)
            .bind(account)
            .fetch_optional(conn)
            .await
        }
        AddressConfigurationRef::Address(address) => {
            sqlx::query_as(concat!(
                "select ",
                columns!(),
                " from address_configurations where address = $1 and account_sid = $2"
            ))
            .bind(address)
            .bind(account)
            .fetch_optional(conn)
            .await
        }
    }
}

/// Locks an address configuration and loads what it holds now.
///
/// # Errors
/// As the database.
pub async fn lock(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: AddressConfigurationSid,
) -> sqlx::Result<Option<AddressConfiguration>> {
    sqlx::query_as(concat!(
        "select ",
        columns!(),
        " from address_configurations where sid = $1 and account_sid = $2 for update"
    ))
    .bind(sid)
    .bind(account)
    .fetch_optional(conn)
    .await
}

/// Lists an account's address configurations, of one type if it is given, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    conn: &mut PgConnection,
    account: AccountSid,
    kind: Option<&str>,
    asked: &PageRequest<MomentKey>,
) -> sqlx::Result<Vec<AddressConfiguration>> {
    let mut query = QueryBuilder::new(concat!(
        "select ",
        columns!(),
        " from address_configurations where account_sid = "
    ));
    query.push_bind(account);
    if let Some(kind) = kind {
        query.push(" and type = ").push_bind(kind);
    }
    push_page(
        &mut query,
        ["date_created", "sid"],
        Order::Descending,
        asked,
    );
    query.build_query_as().fetch_all(conn).await
}

/// Writes the fields of a locked address configuration that changes may touch.
///
/// # Errors
/// As the database.
pub async fn update(conn: &mut PgConnection, changed: &AddressConfiguration) -> sqlx::Result<()> {
    sqlx::query(
        "update address_configurations
            set friendly_name = $2, auto_creation = $3, date_updated = $4
          where sid = $1",
    )
    .bind(changed.sid)
    .bind(&changed.friendly_name)
    .bind(Json(&changed.auto_creation))
    .bind(changed.date_updated)
    .execute(conn)
    .await?;
    Ok(())
}

/// Deletes an address configuration; answers whether it was there.
///
/// # Errors
/// As the database.
pub async fn delete(
    conn: &mut PgConnection,
    account: AccountSid,
    sid: AddressConfigurationSid,
) -> sqlx::Result<bool> {
    let done =
        sqlx::query("delete from address_configurations where sid = $1 and account_sid = $2")
            .bind(sid)
            .bind(account)
            .execute(conn)
            .await?;
    Ok(done.rows_affected() == 1)
}
