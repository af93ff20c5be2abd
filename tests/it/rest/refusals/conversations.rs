//! What conversations refuse.

use super::{Case, LIKE_A_CONVERSATION, LONG, case};

#[rustfmt::skip] // a table: one case a line
pub const REFUSED: &[Case] = &[
    case("long friendly name", "/v1/Conversations", &[("FriendlyName", LONG)], 400, 50003),
    case("long unique name", "/v1/Conversations", &[("UniqueName", LONG)], 400, 50004),
    case("name like a SID", "/v1/Conversations", &[("UniqueName", LIKE_A_CONVERSATION)], 400, 50390),
    case("taken name", "/v1/Conversations", &[("UniqueName", "taken")], 409, 50353),
    case("attributes no JSON", "/v1/Conversations", &[("Attributes", "{")], 400, 50304),
    case("born closed", "/v1/Conversations", &[("State", "closed")], 400, 50384),
    case("unknown state", "/v1/Conversations", &[("State", "asleep")], 400, 50378),
    case("empty state", "{talk}", &[("State", "")], 400, 50374),
    case("short inactive timer", "/v1/Conversations", &[("Timers.Inactive", "PT59S")], 400, 50375),
    case("short closed timer", "/v1/Conversations", &[("Timers.Closed", "PT9M")], 400, 50376),
    case("inactive timer no duration", "/v1/Conversations", &[("Timers.Inactive", "soon")], 400, 50379),
    case("closed timer no duration", "/v1/Conversations", &[("Timers.Closed", "1 h")], 400, 50380),
    case("no date created", "/v1/Conversations", &[("DateCreated", "yesterday")], 400, 50308),
    case("no date updated", "/v1/Conversations", &[("DateUpdated", "today")], 400, 50309),
    case("messaging service malformed", "/v1/Conversations", &[("MessagingServiceSid", "MG1")], 400, 50341),
    case("messaging service absent", "/v1/Conversations", &[("MessagingServiceSid", "MG00000000000000000000000000000001")], 400, 50342),
    case("nothing to update", "{talk}", &[("Colour", "red")], 400, 20161),
    case("closed is final", "{closed}", &[("State", "active")], 400, 50377),
    case("absent conversation", "/v1/Conversations/nobody", &[("FriendlyName", "x")], 404, 20404),
    case("absent before wrong", "/v1/Conversations/nobody", &[("Attributes", "{")], 404, 20404),
    case("long attributes", "/v1/Conversations", &[("Attributes", "\"{16385 x}\"")], 400, 50303),
    case("name with another character set", "/v1/Conversations", &[("FriendlyName", "{257 ü}")], 400, 50003),
];
