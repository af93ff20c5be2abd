//! Why a plain message cannot be sent as it was asked for.

use std::fmt;

/// What is wrong with a plain message that is to be sent: the codes of the error dictionary's chapter on messaging.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "each name and its sentence in `published` say it all"
)]
pub enum Unsendable {
    ToMissing,
    ToMalformed,
    FromMissing,
    FromMalformed,
    FromEqualsTo,
    FromNotOwned,
    ChannelsDiffer,
    Empty,
    EmptyThroughService,
    TooLong,
    MediaUrl,
    TooManyMedia,
    ServiceMalformed,
    ServiceAbsent,
    ServiceWithoutSender,
}

impl Unsendable {
    pub(super) const fn code(self) -> u32 {
        match self {
            Self::ToMissing => 21604,
            Self::ToMalformed => 21211,
            Self::FromMissing => 21603,
            Self::FromMalformed => 21212,
            Self::FromEqualsTo => 21266,
            Self::FromNotOwned => 21606,
            Self::ChannelsDiffer => 21910,
            Self::Empty => 21602,
            Self::EmptyThroughService => 21619,
            Self::TooLong => 21617,
            Self::MediaUrl => 21620,
            Self::TooManyMedia => 21623,
            Self::ServiceMalformed => 21705,
            Self::ServiceAbsent => 21701,
            Self::ServiceWithoutSender => 21703,
        }
    }

    pub(super) const fn parameter(self) -> &'static str {
        match self {
            Self::ToMissing | Self::ToMalformed => "To",
            Self::FromMissing
            | Self::FromMalformed
            | Self::FromEqualsTo
            | Self::FromNotOwned
            | Self::ChannelsDiffer => "From",
            Self::Empty | Self::EmptyThroughService | Self::TooLong => "Body",
            Self::MediaUrl | Self::TooManyMedia => "MediaUrl",
            Self::ServiceMalformed | Self::ServiceAbsent | Self::ServiceWithoutSender => {
                "MessagingServiceSid"
            }
        }
    }
}

impl fmt::Display for Unsendable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ToMissing => "A 'To' address is required",
            Self::ToMalformed => "The 'To' address is invalid",
            Self::FromMissing => "A 'From' address or a 'MessagingServiceSid' is required",
            Self::FromMalformed => "The 'From' address is invalid",
            Self::FromEqualsTo => "'To' and 'From' are the same address",
            Self::FromNotOwned => "The 'From' address does not belong to the account",
            Self::ChannelsDiffer => "'To' and 'From' are of different channels",
            Self::Empty => "A message body is required",
            Self::EmptyThroughService => "A message body or a media URL is required",
            Self::TooLong => "The message body is longer than 1600 characters",
            Self::MediaUrl => "A media URL is invalid",
            Self::TooManyMedia => "A message has at most 10 media URLs",
            Self::ServiceMalformed => "MessagingServiceSid is malformed",
            Self::ServiceAbsent => "The messaging service does not exist",
            Self::ServiceWithoutSender => {
                "The messaging service has no sender on the channel of the recipient"
            }
        })
    }
}
