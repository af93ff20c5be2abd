//! Creations that come with a key: done once, answered the same way again.
//!
//! # Promise
//! Of requests with one key, one at a time is under way, and after one succeeded none is done again for a day. Only
//! when the server dies between a change and the note of its answer may a repeat, a minute later, do it again: the two
//! are different transactions, because a door notes the answer and knows nothing of the change.

use super::Core;
use crate::domain::idempotency::{self, Answer, Fingerprint, Key};
use crate::domain::{AccountSid, Error, Timestamp};
use crate::store;

/// How many keys are forgotten in one statement.
const FORGOTTEN_AT_ONCE: i64 = 10_000;

/// What is to be done with a request.
#[derive(Debug)]
pub enum Begun {
    /// It is to be done, and its end told.
    Now(Claim),
    /// It was done before: this is the answer.
    Before(Answer),
}

/// A key that is taken by a request under way.
#[derive(Debug)]
#[must_use]
pub struct Claim {
    account: AccountSid,
    key: Key,
    taken: Timestamp,
}

impl Claim {
    /// Whose secret the answer is, for sealing: answers hold what must not lie about, such as the secret of a new key.
    fn owner(account: AccountSid, key: &Key) -> String {
        format!("{account} {}", key.as_str())
    }
}

/// Begins a request that came with a key.
///
/// # Errors
/// [`Error::KeyOfOtherRequest`], [`Error::RequestUnderWay`].
pub async fn begin(
    core: &Core,
    account: AccountSid,
    key: Key,
    request: Fingerprint,
) -> Result<Begun, Error> {
    let mut conn = core.store.visit().await?;
    let taken = core.clock.now();
    if store::idempotency::take(&mut conn, account, &key, request, taken).await? {
        return Ok(Begun::Now(Claim {
            account,
            key,
            taken,
        }));
    }
    // Freed in between: whoever freed it is gone, but the caller cannot tell that from one who is still at it.
    let held = store::idempotency::find(&mut conn, account, &key)
        .await?
        .ok_or(Error::RequestUnderWay)?;
    if held.request != request.as_bytes() {
        return Err(Error::KeyOfOtherRequest);
    }
    let (Some(status), Some(sealed)) = (held.status, held.answer) else {
        return Err(Error::RequestUnderWay);
    };
    Ok(Begun::Before(Answer {
        status: status.unsigned_abs(),
        body: core.sealing.open(&Claim::owner(account, &key), &sealed)?,
    }))
}

/// Notes the answer of a request that succeeded.
///
/// # Errors
/// As the database.
pub async fn keep(core: &Core, claim: Claim, answer: &Answer) -> Result<(), Error> {
    let owner = Claim::owner(claim.account, &claim.key);
    let sealed = core.sealing.seal(&owner, &answer.body)?;
    let status = i16::try_from(answer.status).map_err(Error::internal)?;
    let mut conn = core.store.visit().await?;
    let (account, key, taken) = (claim.account, &claim.key, claim.taken);
    store::idempotency::keep(&mut conn, account, key, taken, status, &sealed).await?;
    Ok(())
}

/// Gives the key of a request free that was refused, or failed.
///
/// # Errors
/// As the database.
pub async fn free(core: &Core, claim: Claim) -> Result<(), Error> {
    let mut conn = core.store.visit().await?;
    store::idempotency::free(&mut conn, claim.account, &claim.key, claim.taken).await?;
    Ok(())
}

/// Forgets keys whose day is over; answers how many.
///
/// # Errors
/// As the database.
pub async fn forget(core: &Core) -> Result<u64, Error> {
    let before = idempotency::forgotten_before(core.clock.now());
    let mut total = 0;
    loop {
        let mut conn = core.store.visit().await?;
        let count = store::idempotency::forget(&mut conn, before, FORGOTTEN_AT_ONCE).await?;
        total += count;
        if count < FORGOTTEN_AT_ONCE.unsigned_abs() {
            return Ok(total);
        }
    }
}
