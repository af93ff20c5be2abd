//! The key of stored secrets: whether a process has the right one.
//!
//! A wrong key is noticed by nothing else before somebody's credentials are refused, and what is sealed with it in the
//! meantime leaves a database with secrets of two keys. So a process that touches secrets asks before it does anything.

use crate::domain::Error;
use crate::domain::sealing::Sealing;
use crate::store::{self, Store};

/// Whose the check is, as every sealed text has an owner; and what is sealed.
const CHECK: &str = "the check of the secret key";

/// Whether this key opens what is sealed in the database. The first right key of a database is remembered.
///
/// A database from before there was a check may have secrets already: then the key must open the oldest account's auth
/// token.
///
/// # Errors
/// As the database.
pub async fn is_right(store: &Store, sealing: &Sealing) -> Result<bool, Error> {
    let mut conn = store.visit().await?;
    let check = match store::secret_key_checks::find(&mut conn).await? {
        Some(check) => check,
        None => {
            if let Some(oldest) = store::accounts::find_first(&mut conn).await?
                && sealing
                    .open(&oldest.account.sid.to_string(), &oldest.auth_token)
                    .is_err()
            {
                return Ok(false);
            }
            let sealed = sealing.seal(CHECK, CHECK)?;
            store::secret_key_checks::keep_first(&mut conn, &sealed).await?
        }
    };
    Ok(sealing.open(CHECK, &check).is_ok())
}
