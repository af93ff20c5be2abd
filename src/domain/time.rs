//! Time as an input.
//!
//! Nobody but [`SystemClock`] reads the machine's clock, so a test decides what time it is and a rule that
//! depends on time can be tested without waiting.

use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, NaiveDate, NaiveDateTime, SubsecRound, TimeDelta, Utc};

/// A moment, in UTC.
pub type Timestamp = DateTime<Utc>;

/// Tells what time it is.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Timestamp;
}

/// The machine's clock, cut to microseconds, which is what Postgres keeps: a value that was written and one
/// that was read back are equal.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Utc::now().trunc_subsecs(6)
    }
}

/// A clock that stands still until it is moved; for tests.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// A clock that shows `now`.
    #[must_use]
    pub const fn new(now: Timestamp) -> Self {
        Self(Mutex::new(now))
    }

    /// Moves the clock forward.
    pub fn advance(&self, by: TimeDelta) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) += by;
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Prints a moment as the API does: UTC, whole seconds, `2015-07-30T20:00:00Z`. twilio-python does not parse
/// a fraction.
#[must_use]
pub fn print(moment: Timestamp) -> String {
    moment.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Reads a moment as the official libraries write it: RFC 3339 with any offset and fraction, a time without a
/// zone (twilio-java drops it; it means UTC), or a bare date.
#[must_use]
pub fn parse(text: &str) -> Option<Timestamp> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return stored(moment.with_timezone(&Utc));
    }
    if let Ok(moment) = text.parse::<NaiveDateTime>() {
        return stored(moment.and_utc());
    }
    let date = text.parse::<NaiveDate>().ok()?;
    stored(date.and_hms_opt(0, 0, 0)?.and_utc())
}

/// Keeps what a four-digit year can print and Postgres can store.
fn stored(moment: Timestamp) -> Option<Timestamp> {
    use chrono::Datelike as _;
    (1..=9999)
        .contains(&moment.year())
        .then(|| moment.trunc_subsecs(6))
}

/// For `#[serde(with = "…")]`: moments printed by [`print()`].
pub mod whole_seconds {
    use super::Timestamp;
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    /// Writes the moment with whole seconds.
    ///
    /// # Errors
    /// As the serializer.
    pub fn serialize<S: Serializer>(moment: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&moment.format("%Y-%m-%dT%H:%M:%SZ"))
    }

    /// Reads a moment in any form that [`super::parse`] knows.
    ///
    /// # Errors
    /// When the text is no moment.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(from)?;
        super::parse(&text).ok_or_else(|| D::Error::custom("not a date and time"))
    }

    /// The same for a moment that may be missing.
    pub mod option {
        use super::Timestamp;
        use serde::{Serialize as _, Serializer};

        /// Writes the moment, or null.
        ///
        /// # Errors
        /// As the serializer.
        pub fn serialize<S: Serializer>(
            moment: &Option<Timestamp>,
            to: S,
        ) -> Result<S::Ok, S::Error> {
            moment.map(super::super::print).serialize(to)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_the_official_libraries_send() {
        for text in [
            "2024-01-02T03:04:05Z",
            "2024-01-02T03:04:05.000Z",
            "2024-01-02T05:04:05+02:00",
            "2024-01-02T03:04:05",
        ] {
            assert_eq!(
                parse(text).map(print).as_deref(),
                Some("2024-01-02T03:04:05Z"),
                "{text}"
            );
        }
        assert_eq!(
            parse("2024-01-02").map(print).as_deref(),
            Some("2024-01-02T00:00:00Z")
        );
    }

    #[test]
    fn refuses_everything_else() {
        for text in [
            "",
            "yesterday",
            "2024-13-01",
            "1704164645",
            "2024-01-02T25:00:00Z",
            "+12024-01-02T00:00:00Z",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
