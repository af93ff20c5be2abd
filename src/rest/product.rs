//! Which product a request is for: one listener serves several, whose paths overlap.
//!
//! The first rule that applies decides: a prefix in the path (`/messaging/v1/Services`), the first label of a mapped
//! host (`messaging.convoke.example.com`), the shape of the path; whatever is left is for Conversations. Prefixes and
//! labels are the labels of the published hosts, so that a program's base address needs nothing but another host.

/// A product of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Product {
    /// Conversations v1.
    Conversations,
    /// Messaging v1: Messaging Services and their senders.
    Messaging,
    /// Media.
    Mcs,
    /// The API of 2010: accounts, keys, numbers, plain messages.
    Api,
    /// Content templates.
    Content,
    /// API keys.
    Iam,
    /// Programmable Chat, which is not served; its paths are absent.
    Chat,
    /// IP Messaging, which is not served; its paths are absent.
    IpMessaging,
}

use Product as P;

const ALL: [Product; 8] = [
    P::Conversations,
    P::Messaging,
    P::Mcs,
    P::Api,
    P::Content,
    P::Iam,
    P::Chat,
    P::IpMessaging,
];

/// The sub-resources of `/v1/Services/{sid}` that only Messaging has.
const SENDERS: [&str; 4] = [
    "PhoneNumbers",
    "ShortCodes",
    "AlphaSenders",
    "ChannelSenders",
];

impl Product {
    /// The prefix of its paths, which is also where its routes are mounted.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Conversations => "/conversations",
            Self::Messaging => "/messaging",
            Self::Mcs => "/mcs",
            Self::Api => "/api",
            Self::Content => "/content",
            Self::Iam => "/iam",
            Self::Chat => "/chat",
            Self::IpMessaging => "/ip-messaging",
        }
    }

    /// What is put before the names of its operations where all stand in one document.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Conversations => "",
            Self::Messaging => "Messaging",
            Self::Mcs => "Mcs",
            Self::Api => "Api",
            Self::Content => "Content",
            Self::Iam => "Iam",
            Self::Chat => "Chat",
            Self::IpMessaging => "IpMessaging",
        }
    }

    /// The title of its part of the documentation.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Conversations => "Conversations",
            Self::Messaging => "Messaging Services",
            Self::Mcs => "Media",
            Self::Api => "Accounts, keys, numbers, plain messages (2010-04-01)",
            Self::Content => "Content templates",
            Self::Iam => "API keys (IAM)",
            Self::Chat | Self::IpMessaging => "",
        }
    }

    pub(super) fn of_label(label: &str) -> Option<Self> {
        ALL.into_iter()
            .find(|product| product.prefix().strip_prefix('/') == Some(label))
    }
}

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destination<'a> {
    /// The product.
    pub product: Product,
    /// The path within the product.
    pub path: &'a str,
    /// Whether the path named the product: then printed URLs do so too.
    pub prefixed: bool,
}

/// Finds the product of a request to `host` for `path`. `domains` are those whose first labels name products. None when
/// host and prefix name different ones.
#[must_use]
pub fn find<'a>(
    method: &str,
    host: &str,
    path: &'a str,
    domains: &[String],
) -> Option<Destination<'a>> {
    let by_host = of_host(host, domains);
    if let Some((product, rest)) = of_prefix(path) {
        if by_host.is_some_and(|named| named != product) {
            return None;
        }
        return Some(Destination {
            product,
            path: rest,
            prefixed: true,
        });
    }
    Some(Destination {
        product: by_host.unwrap_or_else(|| of_shape(method, path)),
        path,
        prefixed: false,
    })
}

/// The product that the path begins with, however often (twilio-ruby repeats it on second pages).
fn of_prefix(path: &str) -> Option<(Product, &str)> {
    let product = Product::of_label(path.strip_prefix('/')?.split('/').next()?)?;
    let mut rest = path;
    while let Some(shorter) = rest
        .strip_prefix(product.prefix())
        .filter(|shorter| shorter.starts_with('/'))
    {
        rest = shorter;
    }
    (rest.len() < path.len()).then_some((product, rest))
}

fn of_host(host: &str, domains: &[String]) -> Option<Product> {
    let host = host.split(':').next()?;
    let (label, rest) = host.split_once('.')?;
    let mapped = domains.iter().any(|domain| {
        rest.eq_ignore_ascii_case(domain)
            // Between the product and this domain may stand an edge and a region.
            || (domain == "twilio.com" && rest.to_ascii_lowercase().ends_with(".twilio.com"))
    });
    if mapped {
        Product::of_label(&label.to_ascii_lowercase())
    } else {
        None
    }
}

fn of_shape(method: &str, path: &str) -> Product {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    match segments.as_slice() {
        ["2010-04-01", ..] => P::Api,
        ["v1", "Content", ..] => P::Content,
        ["v1", "Keys", ..] => P::Iam,
        ["v2", "Services", ..] => P::Chat,
        ["v1", "Services", _, "Media" | "MediaSet", ..] => P::Mcs,
        ["v1", "Services", sid, ..] if sid.starts_with("MG") => P::Messaging,
        ["v1", "Services", _] if method == "POST" => P::Messaging,
        ["v1", "Services", _, word, ..] if SENDERS.contains(word) => P::Messaging,
        _ => P::Conversations,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(method: &str, host: &str, path: &str) -> Option<(Product, String)> {
        let domains = ["convoke.example.com".to_owned(), "twilio.com".to_owned()];
        find(method, host, path, &domains).map(|found| (found.product, found.path.to_owned()))
    }

    #[test]
    fn prefix_then_host_then_shape() {
        for (method, host, path, wanted, rest) in [
            ("GET", "h", "/v1/Services", P::Conversations, "/v1/Services"),
            (
                "GET",
                "h",
                "/messaging/v1/Services",
                P::Messaging,
                "/v1/Services",
            ),
            (
                "GET",
                "h",
                "/messaging/messaging/v1/Services",
                P::Messaging,
                "/v1/Services",
            ),
            (
                "GET",
                "messaging.convoke.example.com:8443",
                "/v1/Services",
                P::Messaging,
                "/v1/Services",
            ),
            ("GET", "mcs.us1.twilio.com", "/v1/x", P::Mcs, "/v1/x"),
            (
                "GET",
                "conversations.sydney.au1.twilio.com",
                "/v1/Keys",
                P::Conversations,
                "/v1/Keys",
            ),
            (
                "GET",
                "messaging.elsewhere.com",
                "/v1/Services",
                P::Conversations,
                "/v1/Services",
            ),
            (
                "GET",
                "h",
                "/2010-04-01/Accounts.json",
                P::Api,
                "/2010-04-01/Accounts.json",
            ),
            ("GET", "h", "/v1/Content", P::Content, "/v1/Content"),
            ("GET", "h", "/v1/ContentX", P::Conversations, "/v1/ContentX"),
            ("GET", "h", "/v1/Keys/SK1", P::Iam, "/v1/Keys/SK1"),
            ("GET", "h", "/v2/Services/IS1", P::Chat, "/v2/Services/IS1"),
            (
                "POST",
                "h",
                "/v1/Services/IS1/Media",
                P::Mcs,
                "/v1/Services/IS1/Media",
            ),
            (
                "POST",
                "h",
                "/v1/Services/IS1/MediaSet",
                P::Mcs,
                "/v1/Services/IS1/MediaSet",
            ),
            (
                "GET",
                "h",
                "/v1/Services/MG1",
                P::Messaging,
                "/v1/Services/MG1",
            ),
            (
                "POST",
                "h",
                "/v1/Services/IS1",
                P::Messaging,
                "/v1/Services/IS1",
            ),
            (
                "GET",
                "h",
                "/v1/Services/IS1",
                P::Conversations,
                "/v1/Services/IS1",
            ),
            (
                "GET",
                "h",
                "/v1/Services/X/AlphaSenders",
                P::Messaging,
                "/v1/Services/X/AlphaSenders",
            ),
            ("GET", "h", "/content", P::Conversations, "/content"),
            (
                "GET",
                "h",
                "/contents/v1/Content",
                P::Conversations,
                "/contents/v1/Content",
            ),
        ] {
            assert_eq!(
                product(method, host, path),
                Some((wanted, rest.to_owned())),
                "{host}{path}"
            );
        }
        assert_eq!(
            product("GET", "api.twilio.com", "/messaging/v1/Services"),
            None
        );
    }
}
