//! Pages of lists: keyset cursors, so that no row is seen twice or skipped while others come and go.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use uuid::Uuid;

use super::errors::{Error, Invalid};
use super::time::{self, Timestamp};

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Smallest key first.
    Ascending,
    /// Largest key first.
    Descending,
}

/// The key of lists in the order of a moment: the moment, and the SID that makes it unique.
pub type MomentKey = (Timestamp, Uuid);

/// The longest search, in characters (our choice).
const MAX_SEARCH_CHARACTERS: usize = 256;

/// Words that all must occur in what is searched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search(String);

impl Search {
    /// Reads the parameter `Search`.
    ///
    /// # Errors
    /// When it is longer than 256 characters.
    pub fn parse(text: String) -> Result<Self, Error> {
        if text.chars().count() > MAX_SEARCH_CHARACTERS {
            return Err(Invalid::Parameter {
                name: "Search",
                wants: "at most 256 characters",
            }
            .into());
        }
        Ok(Self(text))
    }

    /// The text as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// How many items a caller wants at once: at least one, cut to the list's published maximum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSize(u16);

/// What kind of list is read: its name in answers and how much of it fits on a page.
#[derive(Debug, Clone, Copy)]
pub struct ListKind {
    /// The name of the array in an answer.
    pub key: &'static str,
    /// Items on a page unless the caller asks for another number.
    pub default_size: u16,
    /// The most items on a page; larger wishes are cut to it, as the libraries' `limit` expects.
    pub max_size: u16,
}

impl PageSize {
    /// Reads the parameter `PageSize`.
    ///
    /// # Errors
    /// When it is no whole number of at least one.
    pub fn parse(text: Option<&str>, of: ListKind) -> Result<Self, Error> {
        let Some(text) = text else {
            return Ok(Self(of.default_size));
        };
        let refusal = Invalid::Parameter {
            name: "PageSize",
            wants: "a whole number of at least 1",
        };
        if text.is_empty() || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(refusal.into());
        }
        // No number is too large to be cut.
        let wish = text.parse().unwrap_or(u64::MAX).min(u64::from(of.max_size));
        match u16::try_from(wish) {
            Ok(size) if size > 0 => Ok(Self(size)),
            _ => Err(refusal.into()),
        }
    }

    /// A size that is known to be in bounds.
    #[must_use]
    pub const fn of(size: u16) -> Self {
        Self(if size == 0 { 1 } else { size })
    }

    /// The number of items.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }

    /// What a query asks for: one row more, which only tells that there is more.
    #[must_use]
    pub fn limit(self) -> i64 {
        i64::from(self.0) + 1
    }
}

/// Which way a page lies from its anchor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Toward {
    /// Behind the anchor, in the list's order.
    Next,
    /// Before the anchor, in the list's order.
    Previous,
}

/// Where a page begins: the sort key of the row at the edge, and the direction from there.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<K> {
    /// The sort key of the row at the edge; the row itself is not on the page.
    pub edge: K,
    /// The direction.
    pub toward: Toward,
}

impl<K: Serialize + DeserializeOwned> Cursor<K> {
    /// Prints the cursor as a page token: `PA` for behind the edge, `PB` for before it, then the key, opaque.
    ///
    /// `list` names the list with everything that filters it: a token is unknown in any other.
    #[must_use]
    pub fn token(&self, list: &str) -> String {
        let prefix = match self.toward {
            Toward::Next => "PA",
            Toward::Previous => "PB",
        };
        let key = serde_json::to_vec(&(fingerprint(list), &self.edge)).unwrap_or_default();
        format!("{prefix}{}", URL_SAFE_NO_PAD.encode(key))
    }

    /// Reads a page token of the same list.
    ///
    /// # Errors
    /// When the token was not made for this list.
    pub fn parse(token: &str, list: &str) -> Result<Self, Error> {
        let read = || {
            let toward = match token.get(..2)? {
                "PA" => Toward::Next,
                "PB" => Toward::Previous,
                _ => return None,
            };
            let key = URL_SAFE_NO_PAD.decode(token.get(2..)?).ok()?;
            let (of, edge): (u32, Value) = serde_json::from_slice(&key).ok()?;
            if of != fingerprint(list) || !can_be_stored(&edge) {
                return None;
            }
            let edge = serde_json::from_value(edge).ok()?;
            Some(Self { edge, toward })
        };
        read().ok_or_else(|| {
            Invalid::Parameter {
                name: "PageToken",
                wants: "a token from this list's meta",
            }
            .into()
        })
    }
}

/// Whether a key can be compared with what is stored: whoever looks into a token can make one with a moment that no
/// database knows.
fn can_be_stored(key: &Value) -> bool {
    match key {
        Value::Array(parts) => parts.iter().all(can_be_stored),
        Value::String(text) => text.parse::<Timestamp>().is_err() || time::parse(text).is_some(),
        _ => true,
    }
}

/// Tells lists apart; collisions only let a token of another list pass, whose key is then just a position.
fn fingerprint(list: &str) -> u32 {
    // FNV-1a: stable over versions and nodes, unlike the standard library's hasher.
    list.bytes().fold(0x811c_9dc5, |hash, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// What a caller wants of a list.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest<K> {
    /// How many items.
    pub size: PageSize,
    /// Where the page begins; none for the first page.
    pub from: Option<Cursor<K>>,
}

impl<K> PageRequest<K> {
    /// The first page.
    #[must_use]
    pub const fn first(size: PageSize) -> Self {
        Self { size, from: None }
    }

    /// Whether rows are read against the list's order.
    #[must_use]
    pub fn backwards(&self) -> bool {
        self.from
            .as_ref()
            .is_some_and(|from| from.toward == Toward::Previous)
    }
}

/// One page of a list, and how to ask for the next and the previous one.
#[derive(Debug, Clone)]
pub struct Page<T, K> {
    /// The items, in the list's order.
    pub items: Vec<T>,
    /// Where the next page begins; none at the end.
    pub next: Option<Cursor<K>>,
    /// Where the previous page begins; none at the start.
    pub previous: Option<Cursor<K>>,
}

impl<T, K> Page<T, K> {
    /// The only page of a list that has nothing in it.
    #[must_use]
    pub const fn empty() -> Self {
        Self {
            items: Vec::new(),
            next: None,
            previous: None,
        }
    }

    /// Builds a page from rows of a query that asked for [`PageSize::limit`] rows from the cursor on, in the
    /// direction of the cursor.
    pub fn from_rows(mut rows: Vec<T>, asked: &PageRequest<K>, key: impl Fn(&T) -> K) -> Self {
        let size = usize::from(asked.size.get());
        let more = rows.len() > size;
        rows.truncate(size);
        let backwards = asked.backwards();
        if backwards {
            rows.reverse();
        }
        // The page we came from lies on the other side; on the first page there is none.
        let (before, behind) = match asked.from {
            None => (false, more),
            Some(_) if backwards => (more, true),
            Some(_) => (true, more),
        };
        let edge = |row: Option<&T>, there: bool, toward| {
            row.filter(|_| there).map(|row| Cursor {
                edge: key(row),
                toward,
            })
        };
        Self {
            previous: edge(rows.first(), before, Toward::Previous),
            next: edge(rows.last(), behind, Toward::Next),
            items: rows,
        }
    }

    /// The same where a query looked through a limited number of rows only: when they were not enough to fill the
    /// page, it goes on behind the last of them. Such a page may be empty and still have a next one.
    pub fn from_some_rows(
        rows: Vec<T>,
        asked: &PageRequest<K>,
        looked_until: Option<K>,
        key: impl Fn(&T) -> K,
    ) -> Self {
        let full = rows.len() > usize::from(asked.size.get());
        let mut page = Self::from_rows(rows, asked, key);
        if let Some(edge) = looked_until.filter(|_| !full) {
            let backwards = asked.backwards();
            let (side, toward) = if backwards {
                (&mut page.previous, Toward::Previous)
            } else {
                (&mut page.next, Toward::Next)
            };
            *side = Some(Cursor { edge, toward });
        }
        page
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LIST: ListKind = ListKind {
        key: "rows",
        default_size: 50,
        max_size: 100,
    };

    /// Reads from a sorted list as a query would.
    fn query(rows: &[u32], asked: &PageRequest<u32>) -> Vec<u32> {
        let limit = usize::try_from(asked.size.limit()).unwrap_or_default();
        match asked.from {
            None => rows.iter().copied().take(limit).collect(),
            Some(Cursor {
                edge,
                toward: Toward::Next,
            }) => rows
                .iter()
                .copied()
                .filter(|row| *row > edge)
                .take(limit)
                .collect(),
            Some(Cursor {
                edge,
                toward: Toward::Previous,
            }) => rows
                .iter()
                .rev()
                .copied()
                .filter(|row| *row < edge)
                .take(limit)
                .collect(),
        }
    }

    proptest! {
        #[test]
        fn walking_there_and_back_visits_each_row_once(
            rows in prop::collection::btree_set(any::<u32>(), 0..60), size in 1_u16..20,
        ) {
            let rows: Vec<u32> = rows.into_iter().collect();
            let mut seen: Vec<u32> = Vec::new();
            let mut asked = PageRequest::first(PageSize::of(size));
            let mut last = Page::from_rows(query(&rows, &asked), &asked, |row| *row);
            seen.extend(&last.items);
            while let Some(next) = last.next {
                asked.from = Some(next);
                last = Page::from_rows(query(&rows, &asked), &asked, |row| *row);
                seen.extend(&last.items);
            }
            prop_assert_eq!(&seen, &rows);
            let mut back = last.items;
            back.reverse();
            while let Some(previous) = last.previous {
                asked.from = Some(previous);
                last = Page::from_rows(query(&rows, &asked), &asked, |row| *row);
                back.extend(last.items.iter().rev());
            }
            back.reverse();
            prop_assert_eq!(&back, &rows);
        }

        #[test]
        fn random_tokens_are_refused(token in "\\PC{0,40}") {
            prop_assert!(Cursor::<u64>::parse(&token, "list").is_err());
        }
    }

    #[test]
    fn a_token_belongs_to_its_list() {
        let token = Cursor {
            edge: 7_u64,
            toward: Toward::Next,
        }
        .token("messages of A");
        assert_eq!(
            Cursor::<u64>::parse(&token, "messages of A")
                .ok()
                .map(|c| c.edge),
            Some(7)
        );
        assert!(Cursor::<u64>::parse(&token, "messages of B").is_err());
    }

    #[test]
    fn sizes_are_cut_not_refused() {
        let size = |text| PageSize::parse(Some(text), LIST).ok().map(PageSize::get);
        assert_eq!(size("500"), Some(100));
        assert_eq!(size("99999999999999999999999999"), Some(100));
        assert_eq!(size("1"), Some(1));
        for refused in ["0", "-1", "", "x", "1.5", "+5"] {
            assert_eq!(size(refused), None, "{refused}");
        }
    }
}
