//! Refusals: every documented way in which an operation can end other than well.
//!
//! One list for all doors. It knows nothing of HTTP or sockets; each door prints an [`Error`] in its own language
//! as its last act. Codes and meanings are those of the published error dictionary
//! (`https://www.twilio.com/docs/api/errors`); statuses follow the kind of refusal: what the URL names and is absent
//! 404, a conflict 409, what the caller may not do 403, the rest 400.

mod invalid;
mod sockets;
mod unsendable;

use std::fmt;

use super::conversations::ConversationSid;
use super::messages::MessageSid;
use super::participants::ParticipantSid;
use super::roles::Permission;
pub use invalid::Invalid;
pub use sockets::SocketLimit;
pub use unsendable::Unsendable;

/// Every way an operation can end other than well.
///
/// A variant is a promise to callers: its code is published and never changes meaning. What went wrong inside is
/// [`Error::Internal`]; callers learn nothing from it but that it was us.
#[derive(Debug)]
pub enum Error {
    /// What the request names does not exist for this caller. The door puts its path into the sentence.
    NotFound,
    /// The route exists, but not with this method.
    MethodNotAllowed,
    /// Credentials are missing or wrong.
    Unauthenticated,
    /// An access token was refused.
    Token(TokenFault),
    /// The user's roles lack a permission.
    NotPermitted(Permission),
    /// The user takes no part in the conversation, though it may be seen.
    NotParticipant,
    /// The request cannot be read: why, in a few words.
    Malformed(&'static str),
    /// A parameter has a value that cannot be accepted.
    Invalid(Invalid),
    /// The same, of a parameter that has another name than this refusal is usually about.
    InvalidAs {
        /// The parameter's published name.
        parameter: &'static str,
        /// What is wrong with it.
        what: Invalid,
    },
    /// The body is longer than any request may be.
    TooLarge {
        /// The longest body accepted, in bytes.
        max_bytes: usize,
    },
    /// An update without any parameter it knows.
    NothingToUpdate,
    /// The conversation is closed, which is final.
    ConversationClosed,
    /// Another conversation of the service has this unique name.
    UniqueNameTaken,
    /// The identity has a user in this service already.
    UserExists,
    /// The identity takes part in this conversation already.
    ParticipantExists,
    /// The pair of address and proxy address is bound in a conversation that is not closed.
    AddressPairInUse {
        /// The conversation that holds the pair.
        holder: ConversationSid,
    },
    /// A user or participant holds the role, or it is one of the service's defaults.
    RoleInUse,
    /// The account's default service cannot be deleted.
    DefaultServiceKept,
    /// The conversation has as many participants as it may have.
    TooManyParticipants,
    /// The conversation has as many participants on channels as it may have.
    TooManyChannelParticipants,
    /// The user takes part in as many open conversations as one may.
    TooManyConversations,
    /// The conversation has no Messaging Service, so nobody on a channel can take part.
    NoMessagingService,
    /// The credentials are good, but not for this: a standard key cannot manage keys or accounts.
    KeyNotAuthorised,
    /// The account is suspended or closed.
    AccountNotActive,
    /// A subaccount has no subaccounts of its own.
    NoSubaccounts,
    /// The address has a configuration already.
    AddressConfigured,
    /// The account owns the number already.
    NumberOwned,
    /// The sender belongs to another Messaging Service of the account.
    SenderTaken,
    /// The account's default Messaging Service cannot be deleted.
    DefaultMessagingServiceKept,
    /// Media that hang on a message go with the message.
    MediaAttachedKept,
    /// The idempotency key came with another request before.
    KeyOfOtherRequest,
    /// A request with this idempotency key is under way.
    RequestUnderWay,
    /// A pair of addresses among several is bound in a conversation that is not closed.
    AddressPairsInUse,
    /// More participants in one request than it may bring.
    TooManyAtOnce,
    /// The conversation has as many webhooks as it may have.
    TooManyWebhooks,
    /// A temporary URL was changed, or its time is over.
    TemporaryUrlRefused,
    /// The range of bytes that is asked for lies behind the end.
    RangeNotSatisfiable,
    /// The conversation was created before, under the same name of its creator's.
    ConversationRepeated(ConversationSid),
    /// The message was posted before, under the same name of its author's.
    MessageRepeated(ConversationSid, MessageSid),
    /// The participant was added before, under the same name of whoever added it.
    ParticipantRepeated(ConversationSid, ParticipantSid),
    /// There are as many sockets as there may be.
    TooManySockets(SocketLimit),
    /// The server cannot serve this now; nothing was changed and it may be tried again.
    Unavailable,
    /// A fault of ours.
    Internal(Box<dyn std::error::Error + Send + Sync>),
}

/// Why an access token was refused, in the order of the checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each name and its sentence in `published` say it all"
)]
pub enum TokenFault {
    Malformed,
    Header,
    Issuer,
    Signature,
    NotYetValid,
    Expired,
    LifetimeTooLong,
    Grants,
    IdentityTooLong,
    /// A new token for a client means another user than the one it signed in as: the token is of another identity,
    /// service or account, or the user was deleted.
    OtherUser,
}

/// A refusal as it is published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Published {
    /// The HTTP status.
    pub status: u16,
    /// The code of the error dictionary.
    pub code: u32,
}

const fn published(status: u16, code: u32) -> Published {
    Published { status, code }
}

impl Error {
    /// A text with a NUL character, which no text column can hold.
    pub const NUL: Self = Self::Malformed("a NUL character cannot be stored");

    /// The published code and the HTTP status that goes with it.
    #[must_use]
    pub const fn published(&self) -> Published {
        match self {
            Self::NotFound => published(404, 20404),
            Self::MethodNotAllowed => published(405, 20004),
            Self::Unauthenticated => published(401, 20003),
            Self::Token(fault) => fault.published(),
            Self::NotPermitted(_) => published(403, 50107),
            Self::NotParticipant => published(403, 50430),
            Self::Malformed(_) => published(400, 20422),
            Self::Invalid(what) | Self::InvalidAs { what, .. } => published(400, what.code()),
            Self::TooLarge { .. } => published(413, 20413),
            Self::NothingToUpdate => published(400, 20161),
            Self::ConversationClosed => published(400, 50377),
            Self::UniqueNameTaken => published(409, 50353),
            Self::UserExists => published(409, 50201),
            Self::ParticipantExists => published(409, 50433),
            Self::AddressPairInUse { .. } => published(409, 50416),
            Self::RoleInUse | Self::DefaultServiceKept => published(409, 20409),
            Self::TooManyParticipants => published(400, 50417),
            Self::TooManyChannelParticipants => published(400, 50422),
            Self::TooManyConversations => published(400, 50214),
            Self::NoMessagingService => published(400, 50373),
            Self::KeyNotAuthorised => published(403, 70051),
            Self::AccountNotActive => published(403, 20005),
            Self::NoSubaccounts => published(403, 20006),
            Self::AddressConfigured => published(409, 20409),
            Self::NumberOwned => published(409, 20409),
            Self::SenderTaken => published(409, 20409),
            Self::DefaultMessagingServiceKept => published(409, 20409),
            Self::MediaAttachedKept => published(409, 20409),
            Self::KeyOfOtherRequest => published(409, 20409),
            Self::RequestUnderWay => published(409, 20162),
            Self::AddressPairsInUse => published(409, 50425),
            Self::TooManyAtOnce => published(400, 50426),
            Self::TooManyWebhooks => published(400, 50361),
            Self::TemporaryUrlRefused => published(403, 20403),
            Self::RangeNotSatisfiable => published(416, 20422),
            Self::ConversationRepeated(_)
            | Self::MessageRepeated(..)
            | Self::ParticipantRepeated(..) => published(409, 20409),
            Self::TooManySockets(limit) => limit.published(),
            Self::Unavailable => published(503, 20503),
            Self::Internal(_) => published(500, 20500),
        }
    }

    /// The same refusal, if it is one of a parameter, about the parameter of this name.
    #[must_use]
    pub fn naming(self, parameter: &'static str) -> Self {
        match self {
            Self::Invalid(what) => Self::InvalidAs { parameter, what },
            other => other,
        }
    }

    /// The published name of the parameter that offends, if one does and it is certain which.
    #[must_use]
    pub const fn parameter(&self) -> Option<&'static str> {
        match self {
            Self::Invalid(what) => what.parameter(),
            Self::InvalidAs { parameter, .. } => Some(parameter),
            _ => None,
        }
    }

    /// The sentence for our own eyes, in logs: of a fault of ours it tells what callers do not learn.
    #[must_use]
    pub fn inside(&self) -> String {
        match self {
            Self::Internal(cause) => with_causes(cause.as_ref()),
            other => other.to_string(),
        }
    }

    /// Wraps a fault of ours.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }
}

/// An error's sentence with those of its causes, but none twice: many repeat the one inside.
#[must_use]
pub fn with_causes(fault: &(dyn std::error::Error + 'static)) -> String {
    let mut text = fault.to_string();
    let mut cause = fault.source();
    while let Some(inner) = cause {
        let said = inner.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        cause = inner.source();
    }
    text
}

impl TokenFault {
    const fn published(self) -> Published {
        match self {
            Self::Malformed => published(401, 20101),
            Self::Header => published(401, 20102),
            Self::Issuer => published(401, 20103),
            Self::Signature => published(401, 20107),
            Self::NotYetValid => published(401, 20105),
            Self::Expired => published(401, 20104),
            Self::LifetimeTooLong => published(401, 20157),
            Self::Grants => published(401, 20106),
            Self::IdentityTooLong => published(401, 50207),
            Self::OtherUser => published(403, 20403),
        }
    }
}

impl From<TokenFault> for Error {
    fn from(fault: TokenFault) -> Self {
        Self::Token(fault)
    }
}

/// Sentences that client programs are known to read (50416, 50433, 50353, 50201) are exactly the published ones.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("The requested resource was not found"),
            Self::MethodNotAllowed => f.write_str("Method not allowed on this resource"),
            Self::Unauthenticated => f.write_str("Authenticate"),
            Self::Token(fault) => fault.fmt(f),
            Self::NotPermitted(permission) => {
                write!(f, "User not permitted to do this: {permission} is missing")
            }
            Self::NotParticipant => f.write_str("User is not a participant of this conversation"),
            Self::Malformed(why) => write!(f, "Invalid request: {why}"),
            Self::Invalid(what) | Self::InvalidAs { what, .. } => what.fmt(f),
            Self::TooLarge { max_bytes } => {
                write!(f, "Request entity is larger than {max_bytes} bytes")
            }
            Self::NothingToUpdate => f.write_str("Update without any parameter to change"),
            Self::ConversationClosed => {
                f.write_str("Conversation is closed, which is a final state")
            }
            Self::UniqueNameTaken => {
                f.write_str("Conversation with provided unique name already exists")
            }
            Self::UserExists => f.write_str("User already exists"),
            Self::ParticipantExists => f.write_str("Participant already exists"),
            Self::AddressPairInUse { holder } => write!(
                f,
                "A binding for this participant and proxy address already exists in Conversation {holder}"
            ),
            Self::RoleInUse => f.write_str("Role is in use and cannot be deleted"),
            Self::DefaultServiceKept => {
                f.write_str("The default service of an account cannot be deleted")
            }
            Self::TooManyParticipants => {
                f.write_str("Participant limit of the conversation exceeded")
            }
            Self::TooManyChannelParticipants => {
                f.write_str("Limit of participants without a chat identity exceeded")
            }
            Self::TooManyConversations => f.write_str("User takes part in too many conversations"),
            Self::NoMessagingService => f.write_str("Conversation has no messaging service"),
            Self::KeyNotAuthorised => {
                f.write_str("The API key is not authorised for this resource")
            }
            Self::AccountNotActive => f.write_str("Account is not active"),
            Self::NoSubaccounts => {
                f.write_str("Access denied: a subaccount cannot have subaccounts")
            }
            Self::AddressConfigured => f.write_str("The address is configured already"),
            Self::NumberOwned => f.write_str("The phone number belongs to the account already"),
            Self::SenderTaken => {
                f.write_str("The sender belongs to another messaging service of the account")
            }
            Self::DefaultMessagingServiceKept => {
                f.write_str("The default messaging service of an account cannot be deleted")
            }
            Self::MediaAttachedKept => {
                f.write_str("The media belong to a message; delete the message")
            }
            Self::KeyOfOtherRequest => {
                f.write_str("The Idempotency-Key was used with another request")
            }
            Self::RequestUnderWay => {
                f.write_str("A request with this Idempotency-Key is under way")
            }
            Self::AddressPairsInUse => f.write_str("One or more address pairs are in use already"),
            Self::TooManyAtOnce => f.write_str("More than 10 participants in one request"),
            Self::TooManyWebhooks => f.write_str("Webhook limit of the conversation exceeded"),
            Self::TemporaryUrlRefused => f.write_str("The URL is not valid any more"),
            Self::RangeNotSatisfiable => f.write_str("The range lies behind the end of the media"),
            Self::ConversationRepeated(sid) => {
                write!(f, "The conversation was created before: {sid}")
            }
            Self::MessageRepeated(_, sid) => write!(f, "The message was posted before: {sid}"),
            Self::ParticipantRepeated(_, sid) => {
                write!(f, "The participant was added before: {sid}")
            }
            Self::TooManySockets(limit) => limit.fmt(f),
            Self::Unavailable => f.write_str("Service unavailable, try again"),
            Self::Internal(_) => f.write_str("Internal server error"),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Internal(cause) => Some(cause.as_ref()),
            _ => None,
        }
    }
}

impl fmt::Display for TokenFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "Invalid Access Token",
            Self::Header => "Invalid Access Token header",
            Self::Issuer => "Invalid Access Token issuer/subject",
            Self::Signature => "Access Token signature invalid",
            Self::NotYetValid => "Access Token not yet valid",
            Self::Expired => "Access Token expired or expiration date invalid",
            Self::LifetimeTooLong => "Access Token lifetime over 24 hours",
            Self::Grants => "Invalid Access Token grants",
            Self::IdentityTooLong => "Identity in the Access Token is longer than 256 characters",
            Self::OtherUser => {
                "Access Token of another identity, service or account, or of a user who was deleted"
            }
        })
    }
}
