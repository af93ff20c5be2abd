//! Policies: what a restricted API key may do.
//!
//! A policy is a list of permissions, each `/twilio/<product>/<resource>/<action>`: `/twilio/messaging/messages/read`.
//! The action is `read`, `list`, `create`, `update`, `delete`, or `*` for all of them; the names of a resource below
//! another are joined by dots (`services.phone-numbers`). Only what is listed is allowed.
//!
//! # What is known of the names
//! The form, the actions and the names of messaging, numbers and keys are those that the real service takes. Which
//! names it gave to the resources of Conversations is not published; ours follow from their paths, by the same rule
//! (`conversations.messages`, `services`, `users`). A well-formed permission of a product that is not served here is
//! kept and allows nothing.

use serde::{Deserialize, Serialize};

use super::errors::{Error, Invalid};

/// The most permissions of one key (API page of restricted keys).
const MAX_PERMISSIONS: usize = 100;
/// The longest permission, in characters (our choice: longer than any).
const MAX_CHARACTERS: usize = 200;
/// What can be done with a resource.
const ACTIONS: [&str; 6] = ["read", "list", "create", "update", "delete", "*"];

/// What a restricted API key may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "key_policy")]
pub struct Policy {
    /// The permissions.
    allow: Vec<String>,
}

impl Policy {
    /// Reads the JSON text of a policy.
    ///
    /// # Errors
    /// 20422 when it is no `{"allow": [...]}`, or has a permission of another form, or more than 100.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let refusal = Error::from(Invalid::Parameter {
            name: "Policy",
            wants: "a JSON object with allow, a list of at most 100 permissions such as /twilio/messaging/messages/read",
        });
        match serde_json::from_str::<Self>(text) {
            Ok(policy)
                if policy.allow.len() <= MAX_PERMISSIONS
                    && policy
                        .allow
                        .iter()
                        .all(|permission| is_permission(permission)) =>
            {
                Ok(policy)
            }
            _ => Err(refusal),
        }
    }

    /// Whether an action on a resource of a product is allowed.
    #[must_use]
    pub fn allows(&self, product: &str, resource: &str, action: &str) -> bool {
        self.allow.iter().any(|permission| {
            let parts = parts(permission);
            parts.is_some_and(|(of, what, may)| {
                of == product && what == resource && (may == action || may == "*")
            })
        })
    }

    /// Whether everything that another policy allows is allowed here too.
    #[must_use]
    pub fn covers(&self, other: &Self) -> bool {
        other.allow.iter().all(|permission| {
            parts(permission)
                .is_some_and(|(product, resource, action)| self.allows(product, resource, action))
        })
    }
}

fn parts(permission: &str) -> Option<(&str, &str, &str)> {
    let mut parts = permission.strip_prefix("/twilio/")?.split('/');
    let all = (parts.next()?, parts.next()?, parts.next()?);
    parts.next().is_none().then_some(all)
}

fn is_permission(text: &str) -> bool {
    let is_name = |name: &str| {
        !name.is_empty()
            && name.bytes().all(|byte| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'-' | b'.')
            })
    };
    text.len() <= MAX_CHARACTERS
        && parts(text).is_some_and(|(product, resource, action)| {
            is_name(product) && is_name(resource) && ACTIONS.contains(&action)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_listed_is_allowed() {
        let policy = Policy::parse(
            r#"{"allow": ["/twilio/messaging/messages/read", "/twilio/conversations/conversations.messages/*"]}"#,
        )
        .expect("a policy");
        assert!(policy.allows("messaging", "messages", "read"));
        assert!(policy.allows("conversations", "conversations.messages", "delete"));
        for (product, resource, action) in [
            ("messaging", "messages", "list"),
            ("messaging", "messages.feedback", "read"),
            ("conversations", "conversations", "read"),
            ("iam", "messages", "read"),
        ] {
            assert!(
                !policy.allows(product, resource, action),
                "{product}/{resource}/{action}"
            );
        }
        let one = Policy::parse(r#"{"allow": ["/twilio/messaging/messages/read"]}"#).expect("one");
        assert!(policy.covers(&one) && !one.covers(&policy));
        assert!(!Policy::default().allows("messaging", "messages", "read"));
    }

    #[test]
    fn what_is_not_understood_is_no_policy() {
        let many = format!(
            r#"{{"allow": [{}]}}"#,
            [r#""/twilio/a/b/read""#; 101].join(",")
        );
        for text in [
            "",
            "[]",
            "{}",
            r#"{"allow": "x"}"#,
            r#"{"allow": ["read"]}"#,
            r#"{"allow": ["/twilio/messaging/messages/erase"]}"#,
            r#"{"allow": ["/twilio/messaging/*/read"]}"#,
            r#"{"allow": ["/twilio/messaging/messages/read/x"]}"#,
            r#"{"allow": [], "deny": ["/twilio/messaging/messages/read"]}"#,
            many.as_str(),
        ] {
            assert!(Policy::parse(text).is_err(), "{text}");
        }
        assert!(
            Policy::parse(r#"{"allow": ["/twilio/verify/verification-check/create"]}"#).is_ok()
        );
    }
}
