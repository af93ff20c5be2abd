//! How many sockets there may be: on this node, of one user, of one account.
//!
//! # Why per node
//! Counting over all nodes would put a shared counter between every client and its conversation. The limit of the node
//! protects its memory, which is its own; the others stop a page that opens sockets without end, which a limit on each
//! node does as well.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

use serde::Deserialize;

use crate::domain::{AccountSid, SocketLimit, Timestamp, UserSid};

/// For how long a client is sent away that a socket more or less of its own side would let in.
const WAIT: Duration = Duration::from_secs(10);

/// The limits; 0 is none.
#[derive(Debug, Clone, Deserialize)]
pub struct Limits {
    pub max_sockets: usize,
    pub max_unsigned_sockets: usize,
    pub max_sockets_per_user: usize,
    pub max_sockets_per_account: usize,
    pub max_new_sockets_per_account: usize,
}

/// Why a socket is not even opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// The node has as many as it may have.
    Node,
    /// As many as may be have not said yet who they are.
    Unsigned,
}

impl Full {
    /// Its name in metrics and in the log.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Unsigned => "unsigned",
        }
    }
}

/// Why somebody is sent away, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotNow {
    /// What is exhausted.
    pub limit: SocketLimit,
    /// When to come back.
    pub after: Duration,
}

/// The sockets there are.
#[derive(Debug, Default)]
pub struct Counts {
    open: usize,
    unsigned: usize,
    users: HashMap<UserSid, usize>,
    accounts: HashMap<AccountSid, usize>,
    /// Who of each account came in this second, let in or not.
    second: i64,
    came: HashMap<AccountSid, usize>,
}

const fn within(limit: usize, count: usize) -> bool {
    limit == 0 || count < limit
}

impl Counts {
    /// How many there are.
    pub const fn open(&self) -> usize {
        self.open
    }

    /// Counts a new socket, of which it is not known yet whose it is.
    pub const fn enter(&mut self, limits: &Limits) -> Result<(), Full> {
        if !within(limits.max_sockets, self.open) {
            return Err(Full::Node);
        }
        if !within(limits.max_unsigned_sockets, self.unsigned) {
            return Err(Full::Unsigned);
        }
        self.open += 1;
        self.unsigned += 1;
        Ok(())
    }

    /// Counts a socket as somebody's.
    pub fn sign_in(
        &mut self,
        limits: &Limits,
        account: AccountSid,
        user: UserSid,
        now: Timestamp,
    ) -> Result<(), NotNow> {
        self.check_rate(limits.max_new_sockets_per_account, account, now)?;
        let full = |limit| NotNow { limit, after: WAIT };
        if !within(
            limits.max_sockets_per_account,
            count(&self.accounts, account),
        ) {
            return Err(full(SocketLimit::Account));
        }
        if !within(limits.max_sockets_per_user, count(&self.users, user)) {
            return Err(full(SocketLimit::User));
        }
        *self.accounts.entry(account).or_default() += 1;
        *self.users.entry(user).or_default() += 1;
        self.unsigned -= 1;
        Ok(())
    }

    /// Sends away whoever comes beyond the rate; each for as many seconds as those before it will take.
    fn check_rate(&mut self, most: usize, of: AccountSid, now: Timestamp) -> Result<(), NotNow> {
        if most == 0 {
            return Ok(());
        }
        if self.second != now.timestamp() {
            self.second = now.timestamp();
            self.came.clear();
        }
        let before = self.came.entry(of).or_default();
        let seconds = *before / most;
        *before += 1;
        if seconds == 0 {
            return Ok(());
        }
        let after = Duration::from_secs(u64::try_from(seconds).unwrap_or(u64::MAX)).min(WAIT);
        let limit = SocketLimit::AccountRate;
        Err(NotNow { limit, after })
    }

    /// Counts a socket no more; whose it was, if that was known.
    pub fn leave(&mut self, whose: Option<(AccountSid, UserSid)>) {
        self.open -= 1;
        match whose {
            None => self.unsigned -= 1,
            Some((account, user)) => {
                less(&mut self.accounts, account);
                less(&mut self.users, user);
            }
        }
    }
}

fn count<K: Eq + Hash>(counts: &HashMap<K, usize>, key: K) -> usize {
    counts.get(&key).copied().unwrap_or(0)
}

/// Counts one less, and forgets who has none.
fn less<K: Eq + Hash>(counts: &mut HashMap<K, usize>, key: K) {
    if let Some(left) = counts.get_mut(&key) {
        *left -= 1;
        if *left == 0 {
            counts.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::TimeDelta;
    use uuid::Uuid;

    const NONE: Limits = Limits {
        max_sockets: 0,
        max_unsigned_sockets: 0,
        max_sockets_per_user: 0,
        max_sockets_per_account: 0,
        max_new_sockets_per_account: 0,
    };

    fn account(n: u128) -> AccountSid {
        AccountSid::from_uuid(Uuid::from_u128(n))
    }

    fn user(n: u128) -> UserSid {
        UserSid::from_uuid(Uuid::from_u128(n))
    }

    fn come(counts: &mut Counts, limits: &Limits, a: u128, u: u128) -> Option<SocketLimit> {
        counts.enter(limits).expect("the node has room");
        let come = counts.sign_in(limits, account(a), user(u), Timestamp::UNIX_EPOCH);
        if come.is_err() {
            counts.leave(None);
        }
        come.err().map(|refusal| refusal.limit)
    }

    #[test]
    fn whoever_leaves_makes_room() {
        let limits = Limits {
            max_sockets_per_user: 2,
            max_sockets_per_account: 3,
            ..NONE
        };
        let mut counts = Counts::default();
        assert_eq!(come(&mut counts, &limits, 1, 1), None);
        assert_eq!(come(&mut counts, &limits, 1, 1), None);
        assert_eq!(come(&mut counts, &limits, 1, 1), Some(SocketLimit::User));
        assert_eq!(come(&mut counts, &limits, 1, 2), None);
        assert_eq!(come(&mut counts, &limits, 1, 3), Some(SocketLimit::Account));
        assert_eq!(come(&mut counts, &limits, 2, 4), None);
        counts.leave(Some((account(1), user(1))));
        assert_eq!(come(&mut counts, &limits, 1, 1), None);
        for whose in [(1, 1), (1, 1), (1, 2), (2, 4)] {
            counts.leave(Some((account(whose.0), user(whose.1))));
        }
        assert_eq!(counts.open(), 0);
        assert!(counts.users.is_empty() && counts.accounts.is_empty());
    }

    #[test]
    fn strangers_are_few() {
        let limits = Limits {
            max_sockets: 3,
            max_unsigned_sockets: 2,
            ..NONE
        };
        let mut counts = Counts::default();
        assert_eq!(come(&mut counts, &limits, 1, 1), None);
        assert_eq!(counts.enter(&limits), Ok(()));
        assert_eq!(counts.enter(&limits), Ok(()));
        assert_eq!(counts.enter(&limits), Err(Full::Node));
        counts.leave(Some((account(1), user(1))));
        assert_eq!(counts.enter(&limits), Err(Full::Unsigned));
    }

    #[test]
    fn who_comes_too_fast_waits_for_those_before() {
        let limits = Limits {
            max_new_sockets_per_account: 2,
            ..NONE
        };
        let mut counts = Counts::default();
        let mut waits = |n: u128, now| {
            counts.enter(&limits).expect("the node has room");
            let come = counts.sign_in(&limits, account(n), user(1), now);
            come.err().map(|refusal| refusal.after.as_secs())
        };
        let now = Timestamp::UNIX_EPOCH;
        let seconds: Vec<_> = (0..6).map(|_| waits(1, now)).collect();
        assert_eq!(seconds, [None, None, Some(1), Some(1), Some(2), Some(2)]);
        assert_eq!(waits(2, now), None);
        assert_eq!(waits(1, now + TimeDelta::seconds(1)), None);
    }
}
