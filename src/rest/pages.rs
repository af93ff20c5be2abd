//! Page parameters in, `meta` out.

use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer, de::DeserializeOwned};

use super::form::Fields;
use crate::domain::{Cursor, Error, Invalid, ListKind, Page, PageRequest, PageSize};

/// The lists of the API: their names, and how much fits on a page.
pub mod lists {
    use crate::domain::ListKind;

    const fn list(key: &'static str, max_size: u16) -> ListKind {
        ListKind {
            key,
            default_size: 50,
            max_size,
        }
    }

    /// Services.
    pub const SERVICES: ListKind = list("services", 100);
    /// Conversations.
    pub const CONVERSATIONS: ListKind = list("conversations", 100);
    /// Participants.
    pub const PARTICIPANTS: ListKind = list("participants", 100);
    /// Messages.
    pub const MESSAGES: ListKind = list("messages", 100);
    /// Receipts.
    pub const RECEIPTS: ListKind = list("delivery_receipts", 50);
    /// Users.
    pub const USERS: ListKind = list("users", 50);
    /// Roles.
    pub const ROLES: ListKind = list("roles", 50);
    /// Push credentials.
    pub const CREDENTIALS: ListKind = list("credentials", 100);
    /// Bindings.
    pub const BINDINGS: ListKind = list("bindings", 100);
    /// Address configurations.
    pub const ADDRESS_CONFIGURATIONS: ListKind = list("address_configurations", 50);
    /// A user's conversations, and a participant's.
    pub const OWN_CONVERSATIONS: ListKind = list("conversations", 50);
    /// Content templates.
    pub const CONTENTS: ListKind = list("contents", 1000);
    /// Messaging Services.
    pub const MESSAGING_SERVICES: ListKind = list("services", 1000);
    /// Phone numbers of a Messaging Service.
    pub const SENDERS_PHONE_NUMBERS: ListKind = list("phone_numbers", 1000);
    /// Short codes of a Messaging Service.
    pub const SENDERS_SHORT_CODES: ListKind = list("short_codes", 1000);
    /// Alpha senders of a Messaging Service.
    pub const SENDERS_ALPHA: ListKind = list("alpha_senders", 1000);
    /// Channel senders of a Messaging Service.
    pub const SENDERS_CHANNEL: ListKind = list("senders", 1000);
    /// Webhooks of one conversation.
    pub const SCOPED_WEBHOOKS: ListKind = ListKind {
        key: "webhooks",
        default_size: 5,
        max_size: 5,
    };
    /// API keys of IAM.
    pub const API_KEYS: ListKind = list("keys", OLD_MAX_SIZE);

    /// The most rows on a page of the API of 2010, and of IAM.
    pub const OLD_MAX_SIZE: u16 = 1000;

    /// A list of the API of 2010.
    pub const fn old(key: &'static str) -> ListKind {
        list(key, OLD_MAX_SIZE)
    }
}

/// What stays as it is in a value of a printed query.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// A list that a caller asks for.
#[derive(Debug)]
pub struct Asked<K> {
    /// What is read.
    pub page: PageRequest<K>,
    kind: ListKind,
    url: String,
    filters: String,
    token: Option<String>,
    number: i64,
}

impl<K: Serialize + DeserializeOwned> Asked<K> {
    /// Reads the page parameters of a list at `url`. `filters` are the parameters that narrow or order it.
    ///
    /// # Errors
    /// 20422 for a page size that is none, or a token of another list.
    pub fn read(
        kind: ListKind,
        url: String,
        query: &mut Fields,
        filters: &[(&str, Option<String>)],
    ) -> Result<Self, Error> {
        let size = query.take("PageSize");
        Self::read_sized(kind, url, size, query, filters)
    }

    fn read_sized(
        kind: ListKind,
        url: String,
        size: Option<String>,
        query: &mut Fields,
        filters: &[(&str, Option<String>)],
    ) -> Result<Self, Error> {
        let filters: String = filters
            .iter()
            .filter_map(|(name, value)| Some((name, value.as_ref()?)))
            .map(|(name, value)| {
                let plain = |text| utf8_percent_encode(text, PLAIN);
                format!("{}={}&", plain(name), plain(value))
            })
            .collect();
        let size = PageSize::parse(size.as_deref(), kind)?;
        let token = query.take_filled("PageToken");
        let number = query
            .take("Page")
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
        // A token is good under the host it is used at, whatever that is: the path and what narrows the list count.
        let path = url
            .split_once("://")
            .and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]))
            .unwrap_or(&url);
        let from = token
            .as_deref()
            .map(|token| Cursor::parse(token, &format!("{path}?{filters}")))
            .transpose()?;
        Ok(Self {
            page: PageRequest { size, from },
            kind,
            url,
            filters,
            token,
            number,
        })
    }

    /// Reads the page parameters of a list of the API of 2010 at `path`, which answers print without a host.
    ///
    /// # Errors
    /// As [`Asked::read`]; 20007 for a page size above 1000, which the other lists cut (error dictionary).
    pub fn read_old(
        key: &'static str,
        path: String,
        query: &mut Fields,
        filters: &[(&str, Option<String>)],
    ) -> Result<Self, Error> {
        let size = query.take("PageSize");
        let wish = size.as_deref().and_then(|text| text.parse::<u128>().ok());
        if wish.is_some_and(|wish| wish > lists::OLD_MAX_SIZE.into()) {
            return Err(Invalid::PageSizeTooLarge.into());
        }
        Self::read_sized(lists::old(key), path, size, query, filters)
    }

    /// The answer: the items, each turned into what is printed, and `meta`.
    pub fn answer<T, V: Serialize>(self, page: Page<T, K>, view: impl Fn(T) -> V) -> Listed<V> {
        let items = page.items;
        let meta = self.meta(page.previous, page.next);
        Listed {
            items: items.into_iter().map(view).collect(),
            meta,
        }
    }

    /// The answer in the style of the API of 2010.
    pub fn answer_old<T, V: Serialize>(
        self,
        page: Page<T, K>,
        view: impl Fn(T) -> V,
    ) -> OldListed<V> {
        let items: Vec<V> = page.items.into_iter().map(view).collect();
        OldListed {
            meta: self.meta(page.previous, page.next),
            items,
        }
    }

    fn meta(self, previous: Option<Cursor<K>>, next: Option<Cursor<K>>) -> Meta {
        let path = self
            .url
            .split_once("://")
            .and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
        let list = format!("{}?{}", path.unwrap_or(&self.url), self.filters);
        let size = self.page.size.get();
        let url = |number: i64, token: Option<&str>| {
            let token = token
                .map(|token| format!("&PageToken={token}"))
                .unwrap_or_default();
            format!(
                "{}?{}PageSize={size}&Page={number}{token}",
                self.url, self.filters
            )
        };
        let at =
            |cursor: Option<Cursor<K>>, number| cursor.map(|c| url(number, Some(&c.token(&list))));
        Meta {
            page: self.number,
            page_size: size,
            first_page_url: url(0, None),
            previous_page_url: at(previous, self.number.saturating_sub(1).max(0)),
            url: url(self.number, self.token.as_deref()),
            next_page_url: at(next, self.number.saturating_add(1)),
            key: self.kind.key,
            total: None,
        }
    }
}

/// A page of a list: 200, the array under its name, and `meta` with all its members.
#[derive(Debug)]
pub struct Listed<V> {
    items: Vec<V>,
    meta: Meta,
}

#[derive(Debug, Serialize)]
struct Meta {
    page: i64,
    page_size: u16,
    first_page_url: String,
    previous_page_url: Option<String>,
    url: String,
    next_page_url: Option<String>,
    key: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<i64>,
}

impl<V> Listed<V> {
    /// The same, telling how many rows all pages have, if that was asked for.
    pub fn with_total(mut self, total: Option<i64>) -> Self {
        self.meta.total = total;
        self
    }
}

impl<V: Serialize> Serialize for Listed<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry(self.meta.key, &self.items)?;
        map.serialize_entry("meta", &self.meta)?;
        map.end()
    }
}

impl<V: Serialize> IntoResponse for Listed<V> {
    fn into_response(self) -> Response {
        axum::Json(self).into_response()
    }
}

/// A page of a list of the API of 2010: 200, the array under its name, and where the page lies beside it.
#[derive(Debug)]
pub struct OldListed<V> {
    items: Vec<V>,
    meta: Meta,
}

impl<V: Serialize> Serialize for OldListed<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let meta = &self.meta;
        let start = meta.page.max(0).saturating_mul(meta.page_size.into());
        let count = i64::try_from(self.items.len()).unwrap_or(i64::MAX);
        let end = start.saturating_add(count.saturating_sub(1).max(0));
        let mut map = serializer.serialize_map(Some(9))?;
        map.serialize_entry(meta.key, &self.items)?;
        map.serialize_entry("page", &meta.page)?;
        map.serialize_entry("page_size", &meta.page_size)?;
        map.serialize_entry("start", &start)?;
        map.serialize_entry("end", &end)?;
        map.serialize_entry("uri", &meta.url)?;
        map.serialize_entry("first_page_uri", &meta.first_page_url)?;
        map.serialize_entry("next_page_uri", &meta.next_page_url)?;
        map.serialize_entry("previous_page_uri", &meta.previous_page_url)?;
        map.end()
    }
}

impl<V: Serialize> IntoResponse for OldListed<V> {
    fn into_response(self) -> Response {
        axum::Json(self).into_response()
    }
}
