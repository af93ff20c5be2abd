//! What can be wrong with a parameter.

use std::fmt;

use super::{Error, Unsendable};

/// What is wrong with a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each name and its sentence in `published` say it all"
)]
pub enum Invalid {
    FriendlyNameMissing,
    FriendlyNameTooLong,
    /// A name of at most 64 characters, as accounts, keys and numbers have.
    ShortName,
    UniqueNameTooLong,
    UniqueNameLooksLikeSid,
    AttributesTooLong {
        max_bytes: usize,
    },
    AttributesNotJson,
    DateCreated,
    DateUpdated,
    AuthorTooLong,
    BodyTooLong,
    IdentityMissing,
    IdentityTooLong,
    IdentityReserved,
    IdentityLooksLikeSid,
    IdentityWithAddress,
    AddressMalformed,
    ProxyAddressMalformed,
    AddressEqualsProxyAddress,
    AddressEmpty,
    ProxyAddressEmpty,
    ProxyAddressNotOwned,
    ChannelsDiffer,
    NoProxyAddressToRemove,
    ProxyAddressNotAddable,
    NoProjectedAddressToRemove,
    ProjectedAddressNotAddable,
    ProjectedAddressNotOwned,
    IdentityNotAddable,
    StateEmpty,
    StateUnknown,
    StateClosedAtCreation,
    InactiveTimerTooShort,
    ClosedTimerTooShort,
    InactiveTimerMalformed,
    ClosedTimerMalformed,
    PermissionUnknown,
    RoleTypeUnknown,
    ConversationRoleNotFound,
    ServiceRoleNotFound,
    MessagingServiceMalformed,
    MessagingServiceForeign,
    MediaSidMalformed,
    MediaNotFound,
    ContentSidMalformed,
    ContentNotFound,
    LastReadMessageIndex,
    LastReadTimestamp,
    WebhookMalformed,
    WebhookMethod,
    TemplateTooLong,
    SoundTooLong,
    RoleNotFound,
    ServiceNotFound,
    BindingTypeUnknown,
    NotificationLevel,
    TooManyTriggers,
    TargetUnknown,
    FilterUnknown,
    TriggerMalformed,
    FlowSid,
    TargetMissing,
    WebhookUrlMissing,
    FiltersMissing,
    TriggersMissing,
    UrlTooLong,
    IdentityAndAddress,
    MediaAttached,
    MediaTooLarge,
    ContentVariablesNotJson,
    ContentVariablesAlone,
    ContentVariablesTooLong,
    ContentVariableName,
    ContentVariableValue,
    ContentTypeUnsupported,
    /// More rows on a page than the API of 2010 allows.
    PageSizeTooLarge,
    PhoneNumber,
    /// A plain message cannot be sent as it was asked for.
    Unsendable(Unsendable),
    /// A parameter without a code of its own.
    Parameter {
        name: &'static str,
        wants: &'static str,
    },
}

impl Invalid {
    pub(super) const fn code(self) -> u32 {
        match self {
            Self::FriendlyNameMissing => 50000,
            Self::FriendlyNameTooLong => 50003,
            Self::ShortName => 20002,
            Self::UniqueNameTooLong => 50004,
            Self::UniqueNameLooksLikeSid => 50390,
            Self::AttributesTooLong { .. } => 50303,
            Self::AttributesNotJson => 50304,
            Self::DateCreated => 50308,
            Self::DateUpdated => 50309,
            Self::AuthorTooLong => 50310,
            Self::BodyTooLong => 50504,
            Self::IdentityMissing => 50204,
            Self::IdentityTooLong => 50207,
            Self::IdentityReserved => 50203,
            Self::IdentityLooksLikeSid => 50206,
            Self::IdentityWithAddress => 50211,
            Self::AddressMalformed => 50407,
            Self::ProxyAddressMalformed => 50408,
            Self::AddressEqualsProxyAddress => 50409,
            Self::AddressEmpty => 50411,
            Self::ProxyAddressEmpty => 50412,
            Self::ProxyAddressNotOwned => 50413,
            Self::ChannelsDiffer => 50414,
            Self::NoProxyAddressToRemove => 50440,
            Self::ProxyAddressNotAddable => 50441,
            Self::NoProjectedAddressToRemove => 50442,
            Self::ProjectedAddressNotAddable => 50443,
            Self::ProjectedAddressNotOwned => 50439,
            Self::IdentityNotAddable => 50444,
            Self::StateEmpty => 50374,
            Self::StateUnknown => 50378,
            Self::StateClosedAtCreation => 50384,
            Self::InactiveTimerTooShort => 50375,
            Self::ClosedTimerTooShort => 50376,
            Self::InactiveTimerMalformed => 50379,
            Self::ClosedTimerMalformed => 50380,
            Self::PermissionUnknown => 50104,
            Self::RoleTypeUnknown => 50105,
            Self::ConversationRoleNotFound => 50109,
            Self::ServiceRoleNotFound => 50102,
            Self::MessagingServiceMalformed => 50341,
            Self::MessagingServiceForeign => 50342,
            Self::MediaSidMalformed => 50510,
            Self::MediaNotFound => 50507,
            Self::ContentSidMalformed => 50526,
            Self::ContentNotFound => 20404,
            Self::LastReadMessageIndex => 50421,
            Self::LastReadTimestamp => 50405,
            Self::WebhookMalformed => 50054,
            Self::WebhookMethod => 50055,
            Self::TemplateTooLong => 50058,
            Self::SoundTooLong => 50059,
            Self::RoleNotFound => 50100,
            Self::ServiceNotFound => 50050,
            Self::BindingTypeUnknown => 50209,
            Self::NotificationLevel => 50210,
            Self::TooManyTriggers => 50362,
            Self::TargetUnknown => 50364,
            Self::FilterUnknown => 50365,
            Self::TriggerMalformed => 50366,
            Self::FlowSid => 50367,
            Self::TargetMissing => 50368,
            Self::WebhookUrlMissing => 50369,
            Self::FiltersMissing => 50370,
            Self::TriggersMissing => 50371,
            Self::UrlTooLong => 50372,
            Self::IdentityAndAddress => 50451,
            Self::MediaAttached => 50508,
            Self::MediaTooLarge => 50512,
            Self::ContentVariablesNotJson => 50527,
            Self::ContentVariablesAlone => 50528,
            Self::ContentVariablesTooLong => 50529,
            Self::ContentVariableName => 50540,
            Self::ContentVariableValue => 50541,
            Self::ContentTypeUnsupported => 50542,
            Self::PageSizeTooLarge => 20007,
            Self::PhoneNumber => 21421,
            Self::Unsendable(what) => what.code(),
            Self::Parameter { .. } => 20422,
        }
    }
}

impl Invalid {
    /// The published name of the parameter that offends; none where the same refusal is about parameters of several
    /// names, or about none alone.
    #[must_use]
    pub const fn parameter(self) -> Option<&'static str> {
        Some(match self {
            Self::FriendlyNameMissing | Self::FriendlyNameTooLong | Self::ShortName => {
                "FriendlyName"
            }
            Self::UniqueNameTooLong | Self::UniqueNameLooksLikeSid => "UniqueName",
            Self::AttributesTooLong { .. } | Self::AttributesNotJson => "Attributes",
            Self::DateCreated => "DateCreated",
            Self::DateUpdated => "DateUpdated",
            Self::AuthorTooLong => "Author",
            Self::BodyTooLong => "Body",
            Self::IdentityMissing
            | Self::IdentityTooLong
            | Self::IdentityReserved
            | Self::IdentityLooksLikeSid
            | Self::IdentityWithAddress
            | Self::IdentityNotAddable
            | Self::IdentityAndAddress => "Identity",
            Self::AddressMalformed | Self::AddressEmpty => "MessagingBinding.Address",
            Self::ProxyAddressMalformed
            | Self::ProxyAddressEmpty
            | Self::ProxyAddressNotOwned
            | Self::AddressEqualsProxyAddress
            | Self::ChannelsDiffer
            | Self::NoProxyAddressToRemove
            | Self::ProxyAddressNotAddable => "MessagingBinding.ProxyAddress",
            Self::NoProjectedAddressToRemove
            | Self::ProjectedAddressNotAddable
            | Self::ProjectedAddressNotOwned => "MessagingBinding.ProjectedAddress",
            Self::StateEmpty | Self::StateUnknown | Self::StateClosedAtCreation => "State",
            Self::InactiveTimerTooShort | Self::InactiveTimerMalformed => "Timers.Inactive",
            Self::ClosedTimerTooShort | Self::ClosedTimerMalformed => "Timers.Closed",
            Self::MessagingServiceMalformed | Self::MessagingServiceForeign => {
                "MessagingServiceSid"
            }
            Self::PermissionUnknown => "Permission",
            Self::RoleTypeUnknown => "Type",
            Self::ConversationRoleNotFound | Self::ServiceRoleNotFound => "RoleSid",
            Self::MediaSidMalformed | Self::MediaNotFound | Self::MediaAttached => "MediaSid",
            Self::ContentSidMalformed | Self::ContentNotFound => "ContentSid",
            Self::ContentVariablesNotJson
            | Self::ContentVariablesAlone
            | Self::ContentVariablesTooLong
            | Self::ContentVariableName
            | Self::ContentVariableValue => "ContentVariables",
            Self::PageSizeTooLarge => "PageSize",
            Self::PhoneNumber => "PhoneNumber",
            Self::LastReadMessageIndex => "LastReadMessageIndex",
            Self::LastReadTimestamp => "LastReadTimestamp",
            Self::BindingTypeUnknown => "BindingType",
            Self::NotificationLevel => "NotificationLevel",
            Self::TooManyTriggers | Self::TriggerMalformed | Self::TriggersMissing => {
                "Configuration.Triggers"
            }
            Self::TargetUnknown | Self::TargetMissing => "Target",
            Self::WebhookUrlMissing => "Configuration.Url",
            Self::FiltersMissing => "Configuration.Filters",
            Self::Unsendable(what) => what.parameter(),
            Self::Parameter { name, .. } => name,
            // Of configurations, scoped webhooks and address configurations.
            Self::WebhookMalformed
            | Self::WebhookMethod
            | Self::FilterUnknown
            | Self::FlowSid
            | Self::UrlTooLong
            // Of several events' templates and sounds, and several default roles.
            | Self::TemplateTooLong
            | Self::SoundTooLong
            | Self::RoleNotFound
            // Of an account's default, and of address configurations.
            | Self::ServiceNotFound
            // Of uploads, and of the template's own types.
            | Self::MediaTooLarge
            | Self::ContentTypeUnsupported => return None,
        })
    }
}

impl From<Invalid> for Error {
    fn from(what: Invalid) -> Self {
        Self::Invalid(what)
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FriendlyNameMissing => "FriendlyName is required",
            Self::FriendlyNameTooLong => "FriendlyName is too long",
            Self::ShortName => "FriendlyName is longer than 64 characters",
            Self::UniqueNameTooLong => "UniqueName is longer than 256 characters",
            Self::UniqueNameLooksLikeSid => "UniqueName has the form of a conversation SID",
            Self::AttributesTooLong { max_bytes } => {
                return write!(f, "Attributes are longer than {max_bytes} bytes");
            }
            Self::AttributesNotJson => "Attributes are not valid JSON",
            Self::DateCreated => "DateCreated is not a date and time",
            Self::DateUpdated => "DateUpdated is not a date and time",
            Self::AuthorTooLong => "Author is longer than 256 characters",
            Self::BodyTooLong => "Body is longer than 32768 bytes",
            Self::IdentityMissing => "Identity is required",
            Self::IdentityTooLong => "Identity is longer than 256 characters",
            Self::IdentityReserved => "Identity is reserved",
            Self::IdentityLooksLikeSid => "Identity has the form of the SID of a user or participant",
            Self::IdentityWithAddress => "Identity is not allowed for a participant with an address",
            Self::AddressMalformed => "MessagingBinding.Address is invalid",
            Self::ProxyAddressMalformed => "MessagingBinding.ProxyAddress is invalid",
            Self::AddressEqualsProxyAddress => "MessagingBinding.Address equals MessagingBinding.ProxyAddress",
            Self::AddressEmpty => "MessagingBinding.Address is empty",
            Self::ProxyAddressEmpty => "MessagingBinding.ProxyAddress is empty",
            Self::ProxyAddressNotOwned => "MessagingBinding.ProxyAddress does not belong to the account",
            Self::ChannelsDiffer => {
                "MessagingBinding.Address and MessagingBinding.ProxyAddress are of different channels"
            }
            Self::NoProxyAddressToRemove => "Participant has no proxy address to remove",
            Self::ProxyAddressNotAddable => "Failed to add a proxy address to a participant",
            Self::NoProjectedAddressToRemove => "Participant has no projected address to remove",
            Self::ProjectedAddressNotAddable => "Participant already has a binding; cannot add a projected address",
            Self::ProjectedAddressNotOwned => "MessagingBinding.ProjectedAddress does not belong to the account",
            Self::IdentityNotAddable => "Cannot add an identity to this participant",
            Self::StateEmpty => "State cannot be empty",
            Self::StateUnknown => "State must be active, inactive or closed",
            Self::StateClosedAtCreation => "A new conversation cannot be closed",
            Self::InactiveTimerTooShort => "The inactive timer is shorter than one minute",
            Self::ClosedTimerTooShort => "The closed timer is shorter than ten minutes",
            Self::InactiveTimerMalformed => "The inactive timer is not an ISO 8601 duration",
            Self::ClosedTimerMalformed => "The closed timer is not an ISO 8601 duration",
            Self::PermissionUnknown => "Permission is unknown for this type of role",
            Self::RoleTypeUnknown => "Type must be conversation or service",
            Self::ConversationRoleNotFound => "RoleSid names no conversation role of this service",
            Self::ServiceRoleNotFound => "RoleSid names no service role of this service",
            Self::MessagingServiceMalformed => "The messaging service SID is malformed",
            Self::MessagingServiceForeign => "The messaging service SID names no messaging service of this account",
            Self::MediaSidMalformed => "MediaSid is malformed",
            Self::MediaNotFound => "MediaSid names no media of this service",
            Self::ContentSidMalformed => "ContentSid is malformed",
            Self::ContentNotFound => "ContentSid names no content template of this account",
            Self::LastReadMessageIndex => "LastReadMessageIndex is not a message index",
            Self::LastReadTimestamp => "LastReadTimestamp is not a date and time",
            Self::WebhookMalformed => "The URL of a webhook must be an absolute http or https URL",
            Self::WebhookMethod => "The method of a webhook must be GET or POST",
            Self::TemplateTooLong => "Template is longer than 2048 characters",
            Self::SoundTooLong => "Sound is longer than 256 characters",
            Self::RoleNotFound => "The role SID names no role of this service",
            Self::ServiceNotFound => "The service SID names no service of this account",
            Self::BindingTypeUnknown => "BindingType must be apn, gcm, fcm or twilsock",
            Self::NotificationLevel => "NotificationLevel must be default or muted",
            Self::TooManyTriggers => "More than 5 trigger words",
            Self::TargetUnknown => "Target is unknown",
            Self::FilterUnknown => "Filters has an unknown event",
            Self::TriggerMalformed => "Configuration.Triggers has an empty or overlong word",
            Self::FlowSid => "FlowSid is malformed",
            Self::TargetMissing => "Target is required",
            Self::WebhookUrlMissing => "Configuration.Url is required",
            Self::FiltersMissing => "Configuration.Filters is required",
            Self::TriggersMissing => "Configuration.Triggers is required",
            Self::UrlTooLong => "The URL of a webhook is longer than 2048 characters",
            Self::IdentityAndAddress => "Identity and Address cannot be combined",
            Self::MediaAttached => "MediaSid names media of another message",
            Self::MediaTooLarge => "The media are larger than 150 MB",
            Self::ContentVariablesNotJson => "ContentVariables is not a JSON object of texts",
            Self::ContentVariablesAlone => "ContentVariables without ContentSid",
            Self::ContentVariablesTooLong => "ContentVariables has more than 100 variables or 27801 characters",
            Self::ContentVariableName => "ContentVariables has a name of more than 16 characters",
            Self::ContentVariableValue => "ContentVariables has a value of more than 256 characters",
            Self::ContentTypeUnsupported => "The content template has no type that conversations support",
            Self::PageSizeTooLarge => "PageSize is larger than 1000",
            Self::PhoneNumber => "PhoneNumber is invalid",
            Self::Unsendable(what) => return what.fmt(f),
            Self::Parameter { name, wants } => return write!(f, "Invalid parameter {name}: {wants}"),
        })
    }
}
