//! What services refuse.

use super::{Case, LONG, case, removal};

#[rustfmt::skip] // a table: one case a line
pub const REFUSED: &[Case] = &[
    case("no name", "/v1/Services", &[], 400, 50000),
    case("long name", "/v1/Services", &[("FriendlyName", LONG)], 400, 50003),
    removal("the default one", "/v1/Services/{service}", 409, 20409),
];
