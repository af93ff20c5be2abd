//! Why there is no room for another socket.

use std::fmt;

use super::{Published, published};

/// A limit on sockets of clients: the codes of the error dictionary's chapter on client connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SocketLimit {
    /// As many as one user may have. The dictionary has no code for users; its general one for too many is taken.
    User,
    /// As many as one account may have.
    Account,
    /// As many new ones of one account as there may be in a second.
    AccountRate,
}

impl SocketLimit {
    /// Its name in metrics and in the log.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Account => "account",
            Self::AccountRate => "account_rate",
        }
    }

    pub(super) const fn published(self) -> Published {
        match self {
            Self::User => published(429, 51001),
            Self::Account => published(429, 51124),
            Self::AccountRate => published(429, 51201),
        }
    }
}

impl fmt::Display for SocketLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::User => "Too many connections of this user",
            Self::Account => "Too many connections of this account",
            Self::AccountRate => "Too many new connections of this account",
        })
    }
}
