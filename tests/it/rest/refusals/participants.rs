//! What participants refuse.

use super::{ABSENT_ROLE, Case, LIKE_A_USER, LONG, PROXY, case};

#[rustfmt::skip] // a table: one case a line
pub const REFUSED: &[Case] = &[
    case("nobody", "{talk}/Participants", &[], 400, 50204),
    case("identity twice", "{talk}/Participants", &[("Identity", "alice")], 409, 50433),
    case("long identity", "{talk}/Participants", &[("Identity", LONG)], 400, 50207),
    case("identity reserved", "{talk}/Participants", &[("Identity", "system")], 400, 50203),
    case("identity like a SID", "{talk}/Participants", &[("Identity", LIKE_A_USER)], 400, 50206),
    case("identity like a participant", "{talk}/Participants", &[("Identity", "MB00000000000000000000000000000001")], 400, 50206),
    case("identity with address", "{talk}/Participants", &[("Identity", "bob"), ("MessagingBinding.Address", "+15558675310"), PROXY], 400, 50211),
    case("address malformed", "{talk}/Participants", &[("MessagingBinding.Address", "x"), PROXY], 400, 50407),
    case("address empty", "{talk}/Participants", &[("MessagingBinding.Address", ""), PROXY], 400, 50411),
    case("address equals proxy", "{talk}/Participants", &[("MessagingBinding.Address", "+15550100000"), PROXY], 400, 50409),
    case("channels differ", "{talk}/Participants", &[("MessagingBinding.Address", "whatsapp:+15558675310"), PROXY], 400, 50414),
    case("role absent", "{talk}/Participants", &[("Identity", "bob"), ("RoleSid", ABSENT_ROLE)], 400, 50109),
    case("participants of a closed one", "{closed}/Participants", &[("Identity", "bob")], 400, 50377),
    case("horizon no index", "{talk}/Participants/alice", &[("LastReadMessageIndex", "x")], 400, 50421),
    case("horizon no date", "{talk}/Participants/alice", &[("LastReadTimestamp", "x")], 400, 50405),
    case("no proxy to remove", "{talk}/Participants/alice", &[("MessagingBinding.ProxyAddress", "null")], 400, 50440),
    case("no place for a proxy", "{talk}/Participants/alice", &[PROXY], 400, 50441),
    case("identity to alice", "{talk}/Participants/alice", &[("Identity", "bob")], 400, 50444),
    case("absent participant", "{talk}/Participants/nobody", &[("Attributes", "{}")], 404, 20404),
    case("long attributes", "{talk}/Participants", &[("Identity", "bob"), ("Attributes", "\"{4097 x}\"")], 400, 50303),
    case("proxy malformed", "{talk}/Participants", &[("MessagingBinding.Address", "+15558675310"), ("MessagingBinding.ProxyAddress", "x")], 400, 50408),
    case("proxy empty", "{talk}/Participants", &[("MessagingBinding.Address", "+15558675310"), ("MessagingBinding.ProxyAddress", "")], 400, 50412),
    case("pair bound twice", "{talk}/Participants", &[("MessagingBinding.Address", "+15551110001"), PROXY], 409, 50416),
    case("no projected address to remove", "{talk}/Participants/alice", &[("MessagingBinding.ProjectedAddress", "null")], 400, 50442),
    case("no place for a projected address", "{phone}", &[("MessagingBinding.ProjectedAddress", "+15550100001")], 400, 50443),
];
