//! Which permission a request needs, where the caller has a restricted key.
//!
//! The name of a resource is its path: the fixed words in kebab case, joined by dots, of the default service and of a
//! named one alike: `/v1/Services/{service}/Conversations/{conversation}/Messages` is `conversations.messages` of the
//! product `conversations`. Resources of the API of 2010 are called as the real service calls them. What has no name, as
//! the simulator's own calls, no restricted key may do.

use axum::extract::MatchedPath;
use axum::http::Method;
use axum::http::request::Parts;

use super::product::Product;
use crate::domain::Error;
use crate::domain::accounts::Credentials;

/// Checks that credentials may do what a request wants.
///
/// # Errors
/// [`Error::KeyNotAuthorised`].
pub(super) fn check(credentials: &Credentials, parts: &Parts) -> Result<(), Error> {
    let Credentials::RestrictedKey(policy) = credentials else {
        return Ok(());
    };
    let path = parts
        .extensions
        .get::<MatchedPath>()
        .map(MatchedPath::as_str);
    let needed = path.and_then(|path| needed(&parts.method, path));
    let allowed =
        needed.is_some_and(|needed| policy.allows(needed.product, &needed.resource, needed.action));
    if allowed {
        Ok(())
    } else {
        Err(Error::KeyNotAuthorised)
    }
}

/// A permission.
#[derive(Debug, PartialEq, Eq)]
struct Needed {
    product: &'static str,
    resource: String,
    action: &'static str,
}

/// The permission that a method on a route needs.
fn needed(method: &Method, route: &str) -> Option<Needed> {
    let (label, path) = route.strip_prefix('/')?.split_once('/')?;
    let product = Product::of_label(label)?;
    let segments: Vec<&str> = path.split('/').skip(1).collect();
    let mut words: Vec<&str> = segments
        .iter()
        .copied()
        .filter(|word| !word.starts_with('{'))
        .collect();
    let in_service = matches!(words.as_slice(), ["Services", _, ..]);
    if matches!(product, Product::Conversations | Product::Mcs) && in_service {
        words.remove(0);
    }
    let (product, resource) = match (product, words.as_slice()) {
        (Product::Conversations, ["simulator" | "Providers" | "providers", ..]) => return None,
        (Product::Conversations | Product::Mcs, words) => ("conversations", kebab(words)),
        (Product::Messaging, words) => ("messaging", kebab(words)),
        (Product::Content, _) => ("messaging", "content-templates".to_owned()),
        (Product::Iam, _) => ("iam", "api-keys".to_owned()),
        (Product::Api, words) => of_2010(words)?,
        (Product::Chat | Product::IpMessaging, _) => return None,
    };
    let action = action(method, words.as_slice(), segments.last()?)?;
    Some(Needed {
        product,
        resource,
        action,
    })
}

fn of_2010(words: &[&str]) -> Option<(&'static str, String)> {
    let last = words.last()?.trim_end_matches(".json");
    let (product, resource) = match last {
        "Accounts" => ("iam", "accounts"),
        "Keys" | "SigningKeys" => ("iam", "api-keys"),
        "Messages" => ("messaging", "messages"),
        "IncomingPhoneNumbers" => ("phone-numbers", "incoming-phone-numbers"),
        "Tokens" => ("voice", "tokens"),
        _ => return None,
    };
    Some((product, resource.to_owned()))
}

/// What a method does: to one of many where the path ends with a slot, to the only one of its kind, or to all.
fn action(method: &Method, words: &[&str], last: &str) -> Option<&'static str> {
    let only_one = match words {
        [.., "Configuration"] => true,
        [.., "Configuration", last] => matches!(*last, "Webhooks" | "Notifications"),
        _ => false,
    };
    let one = last.starts_with('{') || only_one;
    Some(match (method, one) {
        (&Method::GET, true) => "read",
        (&Method::GET, false) => "list",
        (&Method::POST, true) => "update",
        (&Method::POST, false) => "create",
        (&Method::DELETE, _) => "delete",
        _ => return None,
    })
}

fn kebab(words: &[&str]) -> String {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() {
            text.push('.');
        }
        for (at, c) in word.char_indices() {
            if c.is_ascii_uppercase() && at > 0 {
                text.push('-');
            }
            text.push(c.to_ascii_lowercase());
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_have_the_names_of_permissions() {
        for (method, route, wanted) in [
            (
                Method::GET,
                "/conversations/v1/Conversations",
                "conversations/conversations/list",
            ),
            (
                Method::GET,
                "/conversations/v1/Conversations/{conversation}",
                "conversations/conversations/read",
            ),
            (
                Method::POST,
                "/conversations/v1/Services/{service}/Conversations/{conversation}/Messages",
                "conversations/conversations.messages/create",
            ),
            (
                Method::DELETE,
                "/conversations/v1/Services/{service}",
                "conversations/services/delete",
            ),
            (
                Method::GET,
                "/conversations/v1/Services",
                "conversations/services/list",
            ),
            (
                Method::POST,
                "/conversations/v1/Configuration",
                "conversations/configuration/update",
            ),
            (
                Method::GET,
                "/conversations/v1/Services/{service}/Configuration/Notifications",
                "conversations/configuration.notifications/read",
            ),
            (
                Method::GET,
                "/conversations/v1/Configuration/Addresses",
                "conversations/configuration.addresses/list",
            ),
            (
                Method::GET,
                "/conversations/v1/Conversations/{conversation}/Webhooks",
                "conversations/conversations.webhooks/list",
            ),
            (
                Method::POST,
                "/mcs/v1/Services/{service}/Media",
                "conversations/media/create",
            ),
            (
                Method::GET,
                "/messaging/v1/Services/{service}/PhoneNumbers",
                "messaging/services.phone-numbers/list",
            ),
            (
                Method::POST,
                "/content/v1/Content",
                "messaging/content-templates/create",
            ),
            (Method::GET, "/iam/v1/Keys/{key}", "iam/api-keys/read"),
            (
                Method::GET,
                "/api/2010-04-01/Accounts/{account}/Messages/{sid}",
                "messaging/messages/read",
            ),
            (
                Method::POST,
                "/api/2010-04-01/Accounts/{account}/Keys.json",
                "iam/api-keys/create",
            ),
            (
                Method::GET,
                "/api/2010-04-01/Accounts.json",
                "iam/accounts/list",
            ),
            (
                Method::GET,
                "/api/2010-04-01/Accounts/{account}",
                "iam/accounts/read",
            ),
        ] {
            let found = needed(&method, route)
                .map(|found| format!("{}/{}/{}", found.product, found.resource, found.action));
            assert_eq!(found.as_deref(), Some(wanted), "{method} {route}");
        }
        assert_eq!(
            needed(&Method::GET, "/conversations/v1/simulator/handsets"),
            None
        );
        assert_eq!(
            needed(&Method::PUT, "/conversations/v1/Conversations"),
            None
        );
    }
}
