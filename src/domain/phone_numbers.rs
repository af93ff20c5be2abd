//! Numbers that an account says are its own.

use super::accounts::AccountSid;
use super::addresses::{Address, Channel};
use super::errors::{Error, Invalid};
use super::sids::{Kind, Sid};
use super::time::Timestamp;

/// The SID of a number.
pub type PhoneNumberSid = Sid<PhoneNumber>;

/// A number of an account.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct PhoneNumber {
    /// Its SID.
    pub sid: PhoneNumberSid,
    /// Whose it is.
    pub account_sid: AccountSid,
    /// The number, E.164.
    pub phone_number: Address,
    /// A name for people.
    pub friendly_name: String,
    /// When it was declared.
    pub date_created: Timestamp,
    /// When it was last changed.
    pub date_updated: Timestamp,
}

impl Kind for PhoneNumber {
    const PREFIX: &'static str = "PN";
}

/// Reads a number: E.164, without a channel's prefix.
///
/// # Errors
/// [`Invalid::PhoneNumber`].
pub fn number(text: &str) -> Result<Address, Error> {
    Address::parse(text)
        .filter(|address| address.channel() == Channel::Sms)
        .ok_or_else(|| Invalid::PhoneNumber.into())
}

/// What narrows a list of numbers.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those of exactly this name.
    pub friendly_name: Option<String>,
    /// Only those that are like this SQL pattern.
    pub pattern: Option<String>,
}

/// The SQL pattern of a part of a number, in which `*` stands for any digit (API reference of the list).
#[must_use]
pub fn pattern(part: &str) -> String {
    let wildcards: String = part
        .chars()
        .flat_map(|c| match c {
            '*' => [None, Some('_')],
            '\\' | '%' | '_' => [Some('\\'), Some(c)],
            c => [None, Some(c)],
        })
        .flatten()
        .collect();
    format!("%{wildcards}%")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_has_no_channel() {
        assert!(number("+15558675310").is_ok());
        for text in [
            "",
            "15558675310",
            "whatsapp:+15558675310",
            "a@example.com",
            "+1 555 867",
        ] {
            assert!(number(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_star_is_one_digit_and_nothing_else_is_special() {
        assert_eq!(pattern("+1555*"), "%+1555_%");
        assert_eq!(pattern(r"%_\"), r"%\%\_\\%");
    }
}
