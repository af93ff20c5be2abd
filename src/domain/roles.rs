//! Roles: what users may do, service-wide and in a conversation.

use std::fmt;
use std::str::FromStr;

use super::accounts::AccountSid;
use super::errors::{Error, Invalid};
use super::services::ServiceSid;
use super::sids::{Kind, Sid};
use super::time::Timestamp;

/// The SID of a role.
pub type RoleSid = Sid<Role>;

/// A named set of permissions.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Role {
    /// Its SID.
    pub sid: RoleSid,
    /// The account.
    pub account_sid: AccountSid,
    /// The service.
    pub service_sid: ServiceSid,
    /// A name for people.
    pub friendly_name: String,
    /// Where the role holds.
    #[sqlx(rename = "type")]
    pub scope: RoleType,
    /// The permissions, in the order given.
    pub permissions: Vec<String>,
    /// When it was created.
    pub date_created: Timestamp,
    /// When it was last changed.
    pub date_updated: Timestamp,
}

impl Kind for Role {
    const PREFIX: &'static str = "RL";
}

/// Where a role holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, sqlx::Type)]
#[sqlx(type_name = "text", rename_all = "lowercase")]
pub enum RoleType {
    /// Everywhere in a service; held by users.
    Service,
    /// In one conversation; held by participants.
    Conversation,
}

impl RoleType {
    /// The word of the API.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Conversation => "conversation",
        }
    }
}

impl FromStr for RoleType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.to_ascii_lowercase().as_str() {
            "service" => Ok(Self::Service),
            "conversation" => Ok(Self::Conversation),
            _ => Err(Invalid::RoleTypeUnknown.into()),
        }
    }
}

/// Something a user may be allowed to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the published ones")]
pub enum Permission {
    AddParticipant,
    AddNonChatParticipant,
    CreateConversation,
    DeleteAnyMessage,
    DeleteOwnMessage,
    DeleteConversation,
    EditAnyMessage,
    EditAnyMessageAttributes,
    EditAnyParticipantAttributes,
    EditAnyUserInfo,
    EditConversationAttributes,
    EditConversationName,
    EditNotificationLevel,
    EditOwnMessage,
    EditOwnMessageAttributes,
    EditOwnParticipantAttributes,
    EditOwnUserInfo,
    JoinConversation,
    LeaveConversation,
    RemoveParticipant,
    SendMediaMessage,
    SendMessage,
}

use Permission as P;

/// Every permission: its published name, and whether service roles and conversation roles may hold it
/// (API page of roles; `addNonChatParticipant`, `edit…ParticipantAttributes` and `editNotificationLevel` are not on
/// that page, but the real service takes them).
const PERMISSIONS: &[(Permission, &str, bool, bool)] = &[
    (P::AddParticipant, "addParticipant", true, true),
    (
        P::AddNonChatParticipant,
        "addNonChatParticipant",
        false,
        true,
    ),
    (P::CreateConversation, "createConversation", true, false),
    (P::DeleteAnyMessage, "deleteAnyMessage", true, true),
    (P::DeleteOwnMessage, "deleteOwnMessage", false, true),
    (P::DeleteConversation, "deleteConversation", true, true),
    (P::EditAnyMessage, "editAnyMessage", true, true),
    (
        P::EditAnyMessageAttributes,
        "editAnyMessageAttributes",
        true,
        true,
    ),
    (
        P::EditAnyParticipantAttributes,
        "editAnyParticipantAttributes",
        false,
        true,
    ),
    (P::EditAnyUserInfo, "editAnyUserInfo", true, true),
    (
        P::EditConversationAttributes,
        "editConversationAttributes",
        true,
        true,
    ),
    (P::EditConversationName, "editConversationName", true, true),
    (
        P::EditNotificationLevel,
        "editNotificationLevel",
        false,
        true,
    ),
    (P::EditOwnMessage, "editOwnMessage", true, true),
    (
        P::EditOwnMessageAttributes,
        "editOwnMessageAttributes",
        true,
        true,
    ),
    (
        P::EditOwnParticipantAttributes,
        "editOwnParticipantAttributes",
        false,
        true,
    ),
    (P::EditOwnUserInfo, "editOwnUserInfo", true, true),
    (P::JoinConversation, "joinConversation", true, false),
    (P::LeaveConversation, "leaveConversation", false, true),
    (P::RemoveParticipant, "removeParticipant", true, true),
    (P::SendMediaMessage, "sendMediaMessage", false, true),
    (P::SendMessage, "sendMessage", false, true),
];

impl Permission {
    /// The published name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        PERMISSIONS
            .iter()
            .find(|(permission, ..)| *permission == self)
            .map_or("", |(_, name, ..)| name)
    }

    /// The permission that also grants this one: `editAnyMessage` includes `editOwnMessage`.
    const fn wider(self) -> Option<Self> {
        match self {
            P::DeleteOwnMessage => Some(P::DeleteAnyMessage),
            P::EditOwnMessage => Some(P::EditAnyMessage),
            P::EditOwnMessageAttributes => Some(P::EditAnyMessageAttributes),
            P::EditOwnParticipantAttributes => Some(P::EditAnyParticipantAttributes),
            P::EditOwnUserInfo => Some(P::EditAnyUserInfo),
            _ => None,
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Whether somebody who holds these permissions (of all the roles together) may do a thing.
#[must_use]
pub fn allows<'a>(held: impl IntoIterator<Item = &'a str>, wanted: Permission) -> bool {
    let (narrow, wide) = (wanted.as_str(), wanted.wider().map(Permission::as_str));
    held.into_iter()
        .any(|name| name == narrow || Some(name) == wide)
}

/// Checks a role's permissions: at least one, all known, all of the role's type.
///
/// # Errors
/// [`Invalid::PermissionUnknown`]; 20422 when there is none.
pub fn permissions(scope: RoleType, names: Vec<String>) -> Result<Vec<String>, Error> {
    if names.is_empty() {
        return Err(Invalid::Parameter {
            name: "Permission",
            wants: "at least one permission",
        }
        .into());
    }
    let known = |name: &String| {
        PERMISSIONS.iter().any(|(_, known, service, conversation)| {
            known == name
                && match scope {
                    RoleType::Service => *service,
                    RoleType::Conversation => *conversation,
                }
        })
    };
    if names.iter().all(known) {
        Ok(names)
    } else {
        Err(Invalid::PermissionUnknown.into())
    }
}

/// A role of a new service.
#[derive(Debug, Clone, Copy)]
pub struct DefaultRole {
    /// Its friendly name.
    pub friendly_name: &'static str,
    /// Where it holds.
    pub scope: RoleType,
    /// What it permits; empty stands for everything its type can hold.
    permissions: &'static [Permission],
}

/// The roles of a new service (names: chat permissions page; the lists are our choice, modelled on what client
/// programs are configured with).
pub const DEFAULT_ROLES: [DefaultRole; 4] = [
    DefaultRole {
        friendly_name: "service admin",
        scope: RoleType::Service,
        permissions: &[],
    },
    DefaultRole {
        friendly_name: "service user",
        scope: RoleType::Service,
        permissions: &[
            P::CreateConversation,
            P::JoinConversation,
            P::EditOwnUserInfo,
        ],
    },
    DefaultRole {
        friendly_name: "channel admin",
        scope: RoleType::Conversation,
        permissions: &[
            P::SendMessage,
            P::SendMediaMessage,
            P::LeaveConversation,
            P::AddParticipant,
            P::RemoveParticipant,
            P::DeleteConversation,
            P::EditConversationName,
            P::EditConversationAttributes,
            P::EditAnyMessage,
            P::EditAnyMessageAttributes,
            P::DeleteAnyMessage,
            P::EditOwnMessage,
            P::EditOwnMessageAttributes,
            P::DeleteOwnMessage,
            P::AddNonChatParticipant,
            P::EditAnyParticipantAttributes,
            P::EditNotificationLevel,
        ],
    },
    DefaultRole {
        friendly_name: "channel user",
        scope: RoleType::Conversation,
        permissions: &[
            P::SendMessage,
            P::SendMediaMessage,
            P::LeaveConversation,
            P::EditOwnMessage,
            P::EditOwnMessageAttributes,
            P::DeleteOwnMessage,
            P::EditOwnParticipantAttributes,
            P::EditNotificationLevel,
        ],
    },
];

impl DefaultRole {
    /// The names of its permissions.
    #[must_use]
    pub fn permissions(&self) -> Vec<String> {
        if self.permissions.is_empty() {
            return PERMISSIONS
                .iter()
                .filter(|(_, _, service, conversation)| match self.scope {
                    RoleType::Service => *service,
                    RoleType::Conversation => *conversation,
                })
                .map(|(_, name, ..)| (*name).to_owned())
                .collect();
        }
        self.permissions
            .iter()
            .map(|permission| permission.as_str().to_owned())
            .collect()
    }
}

/// A role to be created.
#[derive(Debug, Clone)]
pub struct NewRole {
    /// A name for people.
    pub friendly_name: String,
    /// Where the role holds.
    pub scope: RoleType,
    /// What it permits, checked by [`permissions`].
    pub permissions: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_includes_own() {
        assert!(allows(["editAnyMessage"], P::EditOwnMessage));
        assert!(!allows(["editOwnMessage"], P::EditAnyMessage));
        assert!(!allows(["sendMessage"], P::SendMediaMessage));
    }

    #[test]
    fn permissions_are_of_the_roles_type() {
        let named = |name: &str| vec![name.to_owned()];
        assert!(permissions(RoleType::Service, named("createConversation")).is_ok());
        assert!(permissions(RoleType::Conversation, named("createConversation")).is_err());
        assert!(permissions(RoleType::Conversation, named("inviteMember")).is_err());
        assert!(permissions(RoleType::Conversation, vec![]).is_err());
    }

    #[test]
    fn default_roles_hold_what_their_type_can() {
        for role in DEFAULT_ROLES {
            assert!(
                permissions(role.scope, role.permissions()).is_ok(),
                "{}",
                role.friendly_name
            );
        }
        assert_eq!(DEFAULT_ROLES[0].permissions().len(), 14);
    }
}
