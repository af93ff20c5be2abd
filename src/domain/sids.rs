//! SIDs: the identifiers of all resources.
//!
//! Two capital letters tell the kind, 32 hex digits the one (the format of the published API). A SID is
//! stored as a `uuid`. Ours are version 7, so that SIDs sort by creation and inserts stay at the end of an
//! index; a SID made elsewhere (an import) is accepted as it is.
//!
//! # Why a type per kind
//! A message's SID in the place of a conversation's does not compile, and a wrong prefix does not parse, so no
//! statement ever looks up a thing by the SID of another kind.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;
use std::sync::{LazyLock, Mutex, PoisonError};

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::timestamp::context::ContextV7;
use uuid::{NoContext, Uuid};

use super::time::Timestamp;

/// A kind of resource that has SIDs.
pub trait Kind {
    /// The two capital letters in front of the digits.
    const PREFIX: &'static str;
}

/// The identifier of one resource of kind `K`.
pub struct Sid<K> {
    id: Uuid,
    kind: PhantomData<fn() -> K>,
}

/// The text is no SID of the wanted kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotASid;

impl fmt::Display for NotASid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a SID of this kind")
    }
}

impl std::error::Error for NotASid {}

/// Keeps SIDs made within one millisecond in the order they were made.
static ORDER: LazyLock<Mutex<ContextV7>> = LazyLock::new(|| Mutex::new(ContextV7::new()));

impl<K> Sid<K> {
    /// Makes a new SID for something that comes to exist at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        let (seconds, nanos) = (
            u64::try_from(now.timestamp()).unwrap_or_default(),
            now.timestamp_subsec_nanos(),
        );
        let order = ORDER.lock().unwrap_or_else(PoisonError::into_inner);
        let time = uuid::Timestamp::from_unix(&*order, seconds, nanos);
        Self::from_uuid(Uuid::new_v7(time))
    }

    /// The smallest SID that can be made at `now`; ranges over creation times begin with it.
    #[must_use]
    pub fn first_at(now: Timestamp) -> Self {
        let seconds = u64::try_from(now.timestamp()).unwrap_or_default();
        let time = uuid::Timestamp::from_unix(NoContext, seconds, now.timestamp_subsec_nanos());
        Self::from_uuid(
            uuid::Builder::from_unix_timestamp_millis(millis(time), &[0; 10]).into_uuid(),
        )
    }

    /// Gives a stored id its kind back.
    #[must_use]
    pub const fn from_uuid(id: Uuid) -> Self {
        Self {
            id,
            kind: PhantomData,
        }
    }

    /// The id as it is stored.
    #[must_use]
    pub const fn uuid(self) -> Uuid {
        self.id
    }
}

fn millis(time: uuid::Timestamp) -> u64 {
    let (seconds, nanos) = time.to_unix();
    seconds * 1000 + u64::from(nanos / 1_000_000)
}

impl<K: Kind> Sid<K> {
    /// Whether a text has the shape of this kind's SIDs; names of that shape are refused (our names share
    /// the URL's slot with SIDs).
    #[must_use]
    pub fn has_shape(text: &str) -> bool {
        text.parse::<Self>().is_ok()
    }
}

impl<K: Kind> FromStr for Sid<K> {
    type Err = NotASid;

    fn from_str(text: &str) -> Result<Self, NotASid> {
        let hex = text
            .strip_prefix(K::PREFIX)
            .filter(|hex| hex.len() == 32)
            .ok_or(NotASid)?;
        Uuid::try_parse(hex)
            .map(Self::from_uuid)
            .map_err(|_| NotASid)
    }
}

impl<K: Kind> fmt::Display for Sid<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", K::PREFIX, self.id.simple())
    }
}

impl<K: Kind> fmt::Debug for Sid<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K> Clone for Sid<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Sid<K> {}

impl<K> PartialEq for Sid<K> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl<K> Eq for Sid<K> {}

impl<K> PartialOrd for Sid<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Sid<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.id.cmp(&other.id)
    }
}

impl<K> Hash for Sid<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id.hash(state);
    }
}

impl<K: Kind> Serialize for Sid<K> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Sid<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(D::Error::custom)
    }
}

impl<K: Kind> schemars::JsonSchema for Sid<K> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("{}_sid", K::PREFIX).into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let pattern = format!("^{}[0-9a-fA-F]{{32}}$", K::PREFIX);
        schemars::json_schema!({ "type": "string", "pattern": pattern })
    }
}

impl<K> sqlx::Type<sqlx::Postgres> for Sid<K> {
    fn type_info() -> sqlx::postgres::PgTypeInfo {
        <Uuid as sqlx::Type<sqlx::Postgres>>::type_info()
    }
}

impl<K> sqlx::postgres::PgHasArrayType for Sid<K> {
    fn array_type_info() -> sqlx::postgres::PgTypeInfo {
        <Uuid as sqlx::postgres::PgHasArrayType>::array_type_info()
    }
}

impl<K> sqlx::Encode<'_, sqlx::Postgres> for Sid<K> {
    fn encode_by_ref(
        &self,
        buf: &mut sqlx::postgres::PgArgumentBuffer,
    ) -> Result<sqlx::encode::IsNull, sqlx::error::BoxDynError> {
        <Uuid as sqlx::Encode<sqlx::Postgres>>::encode_by_ref(&self.id, buf)
    }
}

impl<'r, K> sqlx::Decode<'r, sqlx::Postgres> for Sid<K> {
    fn decode(value: sqlx::postgres::PgValueRef<'r>) -> Result<Self, sqlx::error::BoxDynError> {
        <Uuid as sqlx::Decode<sqlx::Postgres>>::decode(value).map(Self::from_uuid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Conversation, Message};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_sid_prints_and_parses_to_itself(id in any::<u128>()) {
            let sid = Sid::<Message>::from_uuid(Uuid::from_u128(id));
            prop_assert_eq!(sid.to_string().parse(), Ok(sid));
            prop_assert_eq!(sid.to_string().to_uppercase().parse(), Ok(sid));
            prop_assert_eq!(sid.to_string().parse::<Sid<Conversation>>(), Err(NotASid));
        }

        #[test]
        fn no_other_text_is_a_sid(text in "\\PC*") {
            prop_assert_eq!(Sid::<Message>::has_shape(&text), text.len() == 34
                && text.starts_with("IM")
                && text[2..].bytes().all(|b| b.is_ascii_hexdigit()));
        }
    }

    #[test]
    fn sids_sort_by_creation() {
        let now = Timestamp::UNIX_EPOCH + chrono::TimeDelta::days(20_000);
        let sids: Vec<Sid<Message>> = (0..1000).map(|_| Sid::new(now)).collect();
        assert!(sids.is_sorted());
        assert!(Sid::first_at(now) < sids[0]);
    }
}
