//! What roles refuse.

use super::{Case, case, removal};

#[rustfmt::skip] // a table: one case a line
pub const REFUSED: &[Case] = &[
    case("role of no type", "/v1/Roles", &[("FriendlyName", "x"), ("Type", "x"), ("Permission", "sendMessage")], 400, 50105),
    case("unknown permission", "/v1/Roles", &[("FriendlyName", "x"), ("Type", "conversation"), ("Permission", "fly")], 400, 50104),
    case("no permission", "/v1/Roles", &[("FriendlyName", "x"), ("Type", "service")], 400, 20422),
    case("default role", "/v1/Roles/{service role}", &[("Permission", "sendMessage")], 400, 50104),
    removal("role in use", "/v1/Roles/{service role}", 409, 20409),
];
