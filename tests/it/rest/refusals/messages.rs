//! What messages refuse.

use super::{Case, LONG, case};

const ABSENT_TEMPLATE: (&str, &str) = ("ContentSid", "HX00000000000000000000000000000001");

#[rustfmt::skip] // a table: one case a line
pub const REFUSED: &[Case] = &[
    case("long author", "{talk}/Messages", &[("Author", LONG)], 400, 50310),
    case("long subject", "{talk}/Messages", &[("Subject", LONG)], 400, 20422),
    case("media malformed", "{talk}/Messages", &[("MediaSid", "ME1")], 400, 50510),
    case("media absent", "{talk}/Messages", &[("MediaSid", "ME00000000000000000000000000000001")], 400, 50507),
    case("content malformed", "{talk}/Messages", &[("ContentSid", "HX1")], 400, 50526),
    case("message to nowhere", "/v1/Conversations/nobody/Messages", &[("Body", "x")], 404, 20404),
    case("message to a closed one", "{closed}/Messages", &[("Body", "x")], 400, 50377),
    case("long body", "{talk}/Messages", &[("Body", "{32769 x}")], 400, 50504),
    case("long attributes", "{talk}/Messages", &[("Attributes", "\"{4097 x}\"")], 400, 50303),
    case("template absent", "{talk}/Messages", &[ABSENT_TEMPLATE], 400, 20404),
    case("variables alone", "{talk}/Messages", &[("Body", "x"), ("ContentVariables", "{}")], 400, 50528),
    case("variables no JSON", "{talk}/Messages", &[ABSENT_TEMPLATE, ("ContentVariables", "{")], 400, 50527),
    case("variables too long", "{talk}/Messages", &[ABSENT_TEMPLATE, ("ContentVariables", "{\"a\":\"{27801 x}\"}")], 400, 50529),
    case("variable of a long name", "{talk}/Messages", &[ABSENT_TEMPLATE, ("ContentVariables", "{\"{17 x}\":\"\"}")], 400, 50540),
    case("variable of a long value", "{talk}/Messages", &[ABSENT_TEMPLATE, ("ContentVariables", "{\"a\":\"{257 x}\"}")], 400, 50541),
];
