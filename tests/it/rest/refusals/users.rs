//! What users refuse.

use super::{ABSENT_ROLE, Case, case};

#[rustfmt::skip] // a table: one case a line
pub const REFUSED: &[Case] = &[
    case("no identity", "/v1/Users", &[], 400, 50204),
    case("user twice", "/v1/Users", &[("Identity", "alice")], 409, 50201),
    case("service role absent", "/v1/Users", &[("Identity", "bob"), ("RoleSid", ABSENT_ROLE)], 400, 50102),
];
