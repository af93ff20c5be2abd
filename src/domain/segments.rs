//! How a text travels by SMS: its alphabet, and how many parts it takes (3GPP TS 23.038 and 23.040).
//!
//! One character outside the GSM alphabet turns the whole message into UCS-2. A part of a longer text gives up room for
//! the header that joins the parts, and neither an escape and its character nor a surrogate pair is cut.

use serde::{Deserialize, Serialize};

/// The basic alphabet.
const BASIC: &str = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// Characters that take an escape and so count twice.
const EXTENDED: &str = "\u{c}^{}\\[~]|€";

/// The alphabet of a text message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Septets: 160 in one part, 153 in each of several.
    Gsm7,
    /// 16-bit units: 70 in one part, 67 in each of several.
    Ucs2,
}

impl Encoding {
    /// The word by which it is stored and printed.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Gsm7 => "gsm7",
            Self::Ucs2 => "ucs2",
        }
    }

    /// The alphabet that a text needs.
    #[must_use]
    pub fn of(text: &str) -> Self {
        if text
            .chars()
            .all(|c| BASIC.contains(c) || EXTENDED.contains(c))
        {
            Self::Gsm7
        } else {
            Self::Ucs2
        }
    }

    /// How many units a character takes.
    fn units(self, c: char) -> usize {
        match self {
            Self::Gsm7 => 1 + usize::from(EXTENDED.contains(c)),
            Self::Ucs2 => c.len_utf16(),
        }
    }

    const fn room(self, alone: bool) -> usize {
        match (self, alone) {
            (Self::Gsm7, true) => 160,
            (Self::Gsm7, false) => 153,
            (Self::Ucs2, true) => 70,
            (Self::Ucs2, false) => 67,
        }
    }
}

/// How many parts a text takes; an empty one takes one.
#[must_use]
pub fn count(text: &str) -> usize {
    let encoding = Encoding::of(text);
    let total: usize = text.chars().map(|c| encoding.units(c)).sum();
    if total <= encoding.room(true) {
        return 1;
    }
    let (mut parts, mut used) = (1, 0);
    for c in text.chars() {
        let units = encoding.units(c);
        if used + units > encoding.room(false) {
            parts += 1;
            used = 0;
        }
        used += units;
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn counts_as_phones_do() {
        for (text, encoding, parts) in [
            (String::new(), Encoding::Gsm7, 1),
            ("a".repeat(160), Encoding::Gsm7, 1),
            ("a".repeat(161), Encoding::Gsm7, 2),
            ("a".repeat(306), Encoding::Gsm7, 2),
            ("a".repeat(307), Encoding::Gsm7, 3),
            ("€".repeat(80), Encoding::Gsm7, 1),
            // 76 fit in 153 septets, because none is cut.
            ("€".repeat(153), Encoding::Gsm7, 3),
            ("я".repeat(70), Encoding::Ucs2, 1),
            ("я".repeat(71), Encoding::Ucs2, 2),
            ("😀".repeat(35), Encoding::Ucs2, 1),
            ("😀".repeat(36), Encoding::Ucs2, 2),
        ] {
            assert_eq!(
                (Encoding::of(&text), count(&text)),
                (encoding, parts),
                "{text}"
            );
        }
        assert_eq!(
            BASIC.chars().count(),
            127,
            "the basic alphabet without the escape"
        );
    }

    proptest! {
        #[test]
        fn a_longer_text_never_takes_fewer_parts(text in "\\PC{0,400}") {
            let longer = format!("{text}a");
            prop_assert_eq!(Encoding::of(&longer), Encoding::of(&text));
            prop_assert!(count(&longer) >= count(&text));
        }
    }
}
