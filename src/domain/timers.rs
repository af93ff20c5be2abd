//! Timers that turn a conversation inactive and closed.

use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::errors::{Error, Invalid};
use super::time::Timestamp;

/// An ISO 8601 duration as it was given, checked once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema, sqlx::Type)]
#[serde(transparent)]
#[sqlx(transparent)]
pub struct Timer(String);

/// The shortest inactive timer (API reference of conversations).
const SHORTEST_INACTIVE: TimeDelta = TimeDelta::minutes(1);
/// The shortest closed timer (API reference of conversations).
const SHORTEST_CLOSED: TimeDelta = TimeDelta::minutes(10);
/// No timer runs longer than this; longer ones are cut, so that its end stays a date that can be printed.
const LONGEST: TimeDelta = TimeDelta::days(365_000);

impl Timer {
    /// Reads `Timers.Inactive`.
    ///
    /// # Errors
    /// Malformed, or under a minute.
    pub fn inactive(text: String) -> Result<Self, Error> {
        match read(&text) {
            None => Err(Invalid::InactiveTimerMalformed.into()),
            Some(length) if length < SHORTEST_INACTIVE => {
                Err(Invalid::InactiveTimerTooShort.into())
            }
            Some(_) => Ok(Self(text)),
        }
    }

    /// Reads `Timers.Closed`.
    ///
    /// # Errors
    /// Malformed, or under ten minutes.
    pub fn closed(text: String) -> Result<Self, Error> {
        match read(&text) {
            None => Err(Invalid::ClosedTimerMalformed.into()),
            Some(length) if length < SHORTEST_CLOSED => Err(Invalid::ClosedTimerTooShort.into()),
            Some(_) => Ok(Self(text)),
        }
    }

    /// When the timer ends if it starts at `start`.
    #[must_use]
    pub fn end(&self, start: Timestamp) -> Timestamp {
        read(&self.0)
            .and_then(|length| start.checked_add_signed(length))
            .unwrap_or(start)
    }
}

/// Reads an ISO 8601 duration of whole numbers. A year counts 365 days and a month 30.
fn read(text: &str) -> Option<TimeDelta> {
    let mut rest = text.strip_prefix('P')?;
    let mut units: &[(char, i64)] = &[
        ('Y', 31_536_000),
        ('M', 2_592_000),
        ('W', 604_800),
        ('D', 86_400),
    ];
    let mut seconds = 0_i64;
    let (mut parts, mut parts_of_time, mut in_time) = (0, 0, false);
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T').filter(|_| !in_time) {
            (rest, in_time) = (time, true);
            units = &[('H', 3600), ('M', 60), ('S', 1)];
            continue;
        }
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .filter(|n| (1..=15).contains(n))?;
        let (number, unit) = rest.split_at(digits);
        let unit = unit.chars().next()?;
        // Units come in falling order, each once.
        let place = units.iter().position(|(name, _)| *name == unit)?;
        let amount = number.parse::<i64>().ok()?.checked_mul(units[place].1)?;
        seconds = seconds.checked_add(amount)?;
        units = &units[place + 1..];
        rest = &rest[digits + 1..];
        parts += 1;
        parts_of_time += i32::from(in_time);
    }
    if parts == 0 || (in_time && parts_of_time == 0) {
        return None;
    }
    Some(
        TimeDelta::try_seconds(seconds)
            .unwrap_or(LONGEST)
            .min(LONGEST),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_durations() {
        for (text, seconds) in [
            ("PT1M", 60),
            ("PT1H30M", 5400),
            ("P30D", 30 * 86_400),
            ("P1DT1S", 86_401),
            ("P1W", 604_800),
            ("PT90S", 90),
        ] {
            assert_eq!(read(text), Some(TimeDelta::seconds(seconds)), "{text}");
        }
        for text in [
            "", "P", "PT", "P1DT", "1M", "PT1", "PTM", "PT1M1H", "PT1M1M", "P1H", "PT-1M",
            "PT1.5M", "P1D ", "PTT1M",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn short_timers_are_refused() {
        assert!(matches!(
            Timer::inactive("PT59S".to_owned()),
            Err(Error::Invalid(Invalid::InactiveTimerTooShort))
        ));
        assert!(matches!(
            Timer::closed("PT9M".to_owned()),
            Err(Error::Invalid(Invalid::ClosedTimerTooShort))
        ));
        assert!(Timer::closed("PT10M".to_owned()).is_ok());
    }

    proptest! {
        #[test]
        fn never_panics(text in "P[0-9YMWDTHS]{0,40}") {
            if let Ok(timer) = Timer::inactive(text) {
                prop_assert!(timer.end(Timestamp::UNIX_EPOCH) > Timestamp::UNIX_EPOCH);
            }
        }
    }
}
