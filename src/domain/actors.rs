//! Who acts, and through which door.

use std::sync::Arc;

use super::accounts::Account;
use super::services::ServiceSid;
use super::users::{Identity, UserSid};

/// The occasion of an operation: on whose behalf it runs, in which service, and where the wish came from.
#[derive(Debug, Clone)]
pub struct Ctx {
    /// The account whose resources are touched.
    pub account: Arc<Account>,
    /// The service whose resources are touched.
    pub service: ServiceSid,
    /// Who acts.
    pub actor: Actor,
    /// The door.
    pub origin: Origin,
    /// Whether webhooks hear of the change: over REST only when the request says so, otherwise always.
    pub webhooks: bool,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor {
    /// A program with the account's credentials. Roles do not bind it.
    Account,
    /// A user of the service, bound by the permissions of its roles.
    User {
        /// The user's SID.
        sid: UserSid,
        /// The user's identity.
        identity: Identity,
    },
    /// The server itself: timers, and messages that arrive from a channel.
    System,
}

/// The door through which a wish came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The REST API.
    Rest,
    /// An SDK's socket.
    Sdk,
    /// A person on a channel, or a timer.
    Inside,
}

impl Ctx {
    /// The occasion of something that the server does by itself.
    #[must_use]
    pub const fn inside(account: Arc<Account>, service: ServiceSid) -> Self {
        Self {
            account,
            service,
            actor: Actor::System,
            origin: Origin::Inside,
            webhooks: true,
        }
    }

    /// The identity of the acting user; none for programs and the server.
    #[must_use]
    pub const fn identity(&self) -> Option<&Identity> {
        match &self.actor {
            Actor::User { identity, .. } => Some(identity),
            Actor::Account | Actor::System => None,
        }
    }

    /// What `created_by` of new things says: the user's identity, or `system`.
    #[must_use]
    pub fn creator(&self) -> String {
        self.identity().map_or_else(
            || super::users::SYSTEM.to_owned(),
            |identity| identity.as_str().to_owned(),
        )
    }
}
