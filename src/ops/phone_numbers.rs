//! Numbers that an account says are its own.

use super::Core;
use crate::domain::phone_numbers::{Filter, PhoneNumber, PhoneNumberSid};
use crate::domain::{AccountSid, Address, Error, MomentKey, Page, PageRequest};
use crate::store::{self, OnConstraint as _};

/// Declares that a number is the account's own. Without a name it is called by the number.
///
/// # Errors
/// [`Error::NumberOwned`].
pub async fn create(
    core: &Core,
    account: AccountSid,
    phone_number: Address,
    friendly_name: Option<String>,
) -> Result<PhoneNumber, Error> {
    let now = core.clock.now();
    let number = PhoneNumber {
        sid: PhoneNumberSid::new(now),
        account_sid: account,
        friendly_name: friendly_name.unwrap_or_else(|| phone_number.as_str().to_owned()),
        phone_number,
        date_created: now,
        date_updated: now,
    };
    let mut conn = core.store.visit().await?;
    store::phone_numbers::insert(&mut conn, &number)
        .await
        .on_constraint("phone_numbers_phone_number_key", || Error::NumberOwned)?;
    Ok(number)
}

/// Fetches a number.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn fetch(
    core: &Core,
    account: AccountSid,
    sid: PhoneNumberSid,
) -> Result<PhoneNumber, Error> {
    let mut conn = core.store.visit().await?;
    store::phone_numbers::find(&mut conn, account, sid)
        .await?
        .ok_or(Error::NotFound)
}

/// Lists an account's numbers, newest first.
///
/// # Errors
/// As the database.
pub async fn list(
    core: &Core,
    account: AccountSid,
    filter: &Filter,
    asked: &PageRequest<MomentKey>,
) -> Result<Page<PhoneNumber, MomentKey>, Error> {
    let mut conn = core.store.visit().await?;
    let rows = store::phone_numbers::list(&mut conn, account, filter, asked).await?;
    Ok(Page::from_rows(rows, asked, |number| {
        (number.date_created, number.sid.uuid())
    }))
}

/// Gives a number up. Conversations that use it keep it as it is.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn remove(core: &Core, account: AccountSid, sid: PhoneNumberSid) -> Result<(), Error> {
    let mut conn = core.store.visit().await?;
    if store::phone_numbers::delete(&mut conn, account, sid).await? {
        Ok(())
    } else {
        Err(Error::NotFound)
    }
}
