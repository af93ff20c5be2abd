//! Idempotency keys: a creation that is sent twice, because its answer was lost, is done once.
//!
//! The key is the caller's word for one creation. What is remembered is the answer of one that succeeded; a refusal
//! changed nothing, so the key is free again and the corrected request may come with it (our choice).

use chrono::TimeDelta;
use sha2::{Digest as _, Sha256};
use uuid::Builder;

use super::errors::{Error, Invalid};
use super::sids::{Kind, Sid};
use super::time::Timestamp;
use super::users::UserSid;

/// The header that carries the key.
pub const HEADER: &str = "Idempotency-Key";

/// The longest key, in characters (our choice).
const MAX_CHARACTERS: usize = 255;

/// A caller's name for one creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key(String);

impl Key {
    /// Reads the header.
    ///
    /// # Errors
    /// When it is empty, longer than 255 characters, or has others than printable ASCII.
    pub fn parse(bytes: &[u8]) -> Result<Self, Error> {
        let printable = bytes.iter().all(|byte| (b' '..=b'~').contains(byte));
        match std::str::from_utf8(bytes) {
            Ok(text) if printable && (1..=MAX_CHARACTERS).contains(&text.len()) => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(Invalid::Parameter {
                name: HEADER,
                wants: "1 to 255 printable ASCII characters",
            }
            .into()),
        }
    }

    /// The text of the key.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What tells one request from another: a digest of where it goes and what it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// The fingerprint of a request: its parts, such as operation and path, and its body.
    #[must_use]
    pub fn of(parts: &[&str], body: &[u8]) -> Self {
        let mut digest = Sha256::new();
        for part in parts {
            // Lengths keep what ends one part from beginning the next.
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.update(body);
        Self(digest.finalize().into())
    }

    /// The digest.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// The SID of what a user creates under a name of its own: the same whenever and wherever it is asked for again, so that
/// a unique index finds the repeat, and different for every user.
#[must_use]
pub fn repeatable<K: Kind>(user: UserSid, name: &str) -> Sid<K> {
    let digest = Fingerprint::of(&[&user.to_string()], name.as_bytes());
    let [bytes, _] = [&digest.0[..16], &digest.0[16..]];
    let mut id = [0; 16];
    id.copy_from_slice(bytes);
    Sid::from_uuid(Builder::from_custom_bytes(id).into_uuid())
}

/// An answer that is given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body, a JSON text.
    pub body: String,
}

/// From which moment on a key of an earlier one is forgotten: a day (our choice; callers repeat within minutes).
#[must_use]
pub fn forgotten_before(now: Timestamp) -> Timestamp {
    now - TimeDelta::hours(24)
}

/// From which moment on a request that began earlier and has not ended is taken for dead: a minute. None runs so long;
/// its server crashed.
#[must_use]
pub fn dead_before(now: Timestamp) -> Timestamp {
    now - TimeDelta::minutes(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_printable_and_short() {
        for good in ["x", "a key", &"k".repeat(255)] {
            assert!(Key::parse(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in ["", "a\tb", "ł", &"k".repeat(256)] {
            assert!(Key::parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }

    #[test]
    fn fingerprints_differ_in_every_part() {
        let one = Fingerprint::of(&["Create", "/v1"], b"x");
        assert_eq!(one, Fingerprint::of(&["Create", "/v1"], b"x"));
        for other in [
            Fingerprint::of(&["Create/", "v1"], b"x"),
            Fingerprint::of(&["Create", "/v1x"], b""),
            Fingerprint::of(&["Create", "/v1"], b"y"),
        ] {
            assert_ne!(one, other);
        }
    }
}
