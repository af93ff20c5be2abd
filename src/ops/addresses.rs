//! Whose an address is.

use sqlx::PgConnection;

use super::{Core, Simulator};
use crate::domain::{AccountSid, Error, Invalid};
use crate::store;

/// Checks that an address is the account's own: a sender of one of its Messaging Services, or a number that it declared.
/// The simulator owns whatever nobody else does.
///
/// # Errors
/// `refusal`.
pub(super) async fn own(
    conn: &mut PgConnection,
    core: &Core,
    account: AccountSid,
    address: &str,
    refusal: Invalid,
) -> Result<(), Error> {
    if core.simulator == Simulator::On || store::addresses::is_own(conn, account, address).await? {
        Ok(())
    } else {
        Err(refusal.into())
    }
}
