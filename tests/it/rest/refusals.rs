//! Documented refusals: each case differs from a good request in one thing.

use reqwest::Method;
use sqlx::PgPool;

use crate::support::rest::Answer;
use crate::support::{TestServer, text};

/// A request that must be refused.
struct Case {
    name: &'static str,
    path: &'static str,
    form: &'static [(&'static str, &'static str)],
    status: u16,
    code: i64,
}

const fn case(
    name: &'static str,
    path: &'static str,
    form: &'static [(&'static str, &'static str)],
    status: u16,
    code: i64,
) -> Case {
    Case {
        name,
        path,
        form,
        status,
        code,
    }
}

const LONG: &str = concat!(
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
    "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789",
    "012345678901234567890123456789012345678901234567890123456"
);
const LIKE_A_CONVERSATION: &str = "CH00000000000000000000000000000001";
const LIKE_A_USER: &str = "US00000000000000000000000000000001";
const ABSENT_ROLE: &str = "RL00000000000000000000000000000001";
const PROXY: (&str, &str) = ("MessagingBinding.ProxyAddress", "+15550100000");

/// `{talk}` is an open conversation, `{closed}` a closed one; both have alice in them.
const REFUSED: &[Case] = &[
    case("no name", "/v1/Services", &[], 400, 50000),
    case(
        "long name",
        "/v1/Services",
        &[("FriendlyName", LONG)],
        400,
        50003,
    ),
    case(
        "long friendly name",
        "/v1/Conversations",
        &[("FriendlyName", LONG)],
        400,
        50003,
    ),
    case(
        "long unique name",
        "/v1/Conversations",
        &[("UniqueName", LONG)],
        400,
        50004,
    ),
    case(
        "name like a SID",
        "/v1/Conversations",
        &[("UniqueName", LIKE_A_CONVERSATION)],
        400,
        50390,
    ),
    case(
        "taken name",
        "/v1/Conversations",
        &[("UniqueName", "taken")],
        409,
        50353,
    ),
    case(
        "attributes no JSON",
        "/v1/Conversations",
        &[("Attributes", "{")],
        400,
        50304,
    ),
    case(
        "born closed",
        "/v1/Conversations",
        &[("State", "closed")],
        400,
        50384,
    ),
    case(
        "unknown state",
        "/v1/Conversations",
        &[("State", "asleep")],
        400,
        50378,
    ),
    case("empty state", "{talk}", &[("State", "")], 400, 50374),
    case(
        "short inactive timer",
        "/v1/Conversations",
        &[("Timers.Inactive", "PT59S")],
        400,
        50375,
    ),
    case(
        "short closed timer",
        "/v1/Conversations",
        &[("Timers.Closed", "PT9M")],
        400,
        50376,
    ),
    case(
        "inactive timer no duration",
        "/v1/Conversations",
        &[("Timers.Inactive", "soon")],
        400,
        50379,
    ),
    case(
        "closed timer no duration",
        "/v1/Conversations",
        &[("Timers.Closed", "1 h")],
        400,
        50380,
    ),
    case(
        "no date created",
        "/v1/Conversations",
        &[("DateCreated", "yesterday")],
        400,
        50308,
    ),
    case(
        "no date updated",
        "/v1/Conversations",
        &[("DateUpdated", "today")],
        400,
        50309,
    ),
    case(
        "messaging service malformed",
        "/v1/Conversations",
        &[("MessagingServiceSid", "MG1")],
        400,
        50341,
    ),
    case(
        "messaging service absent",
        "/v1/Conversations",
        &[("MessagingServiceSid", "MG00000000000000000000000000000001")],
        400,
        50342,
    ),
    case(
        "nothing to update",
        "{talk}",
        &[("Colour", "red")],
        400,
        20161,
    ),
    case(
        "closed is final",
        "{closed}",
        &[("State", "active")],
        400,
        50377,
    ),
    case(
        "absent conversation",
        "/v1/Conversations/nobody",
        &[("FriendlyName", "x")],
        404,
        20404,
    ),
    case(
        "absent before wrong",
        "/v1/Conversations/nobody",
        &[("Attributes", "{")],
        404,
        20404,
    ),
    case("nobody", "{talk}/Participants", &[], 400, 50204),
    case(
        "identity twice",
        "{talk}/Participants",
        &[("Identity", "alice")],
        409,
        50433,
    ),
    case(
        "long identity",
        "{talk}/Participants",
        &[("Identity", LONG)],
        400,
        50207,
    ),
    case(
        "identity reserved",
        "{talk}/Participants",
        &[("Identity", "system")],
        400,
        50203,
    ),
    case(
        "identity like a SID",
        "{talk}/Participants",
        &[("Identity", LIKE_A_USER)],
        400,
        50206,
    ),
    case(
        "identity with address",
        "{talk}/Participants",
        &[
            ("Identity", "bob"),
            ("MessagingBinding.Address", "+15558675310"),
            PROXY,
        ],
        400,
        50211,
    ),
    case(
        "address malformed",
        "{talk}/Participants",
        &[("MessagingBinding.Address", "x"), PROXY],
        400,
        50407,
    ),
    case(
        "address empty",
        "{talk}/Participants",
        &[("MessagingBinding.Address", ""), PROXY],
        400,
        50411,
    ),
    case(
        "address equals proxy",
        "{talk}/Participants",
        &[("MessagingBinding.Address", "+15550100000"), PROXY],
        400,
        50409,
    ),
    case(
        "channels differ",
        "{talk}/Participants",
        &[("MessagingBinding.Address", "whatsapp:+15558675310"), PROXY],
        400,
        50414,
    ),
    case(
        "role absent",
        "{talk}/Participants",
        &[("Identity", "bob"), ("RoleSid", ABSENT_ROLE)],
        400,
        50109,
    ),
    case(
        "participants of a closed one",
        "{closed}/Participants",
        &[("Identity", "bob")],
        400,
        50377,
    ),
    case(
        "horizon no index",
        "{talk}/Participants/alice",
        &[("LastReadMessageIndex", "x")],
        400,
        50421,
    ),
    case(
        "horizon no date",
        "{talk}/Participants/alice",
        &[("LastReadTimestamp", "x")],
        400,
        50405,
    ),
    case(
        "no proxy to remove",
        "{talk}/Participants/alice",
        &[("MessagingBinding.ProxyAddress", "null")],
        400,
        50440,
    ),
    case(
        "no place for a proxy",
        "{talk}/Participants/alice",
        &[PROXY],
        400,
        50441,
    ),
    case(
        "identity to alice",
        "{talk}/Participants/alice",
        &[("Identity", "bob")],
        400,
        50444,
    ),
    case(
        "absent participant",
        "{talk}/Participants/nobody",
        &[("Attributes", "{}")],
        404,
        20404,
    ),
    case(
        "long author",
        "{talk}/Messages",
        &[("Author", LONG)],
        400,
        50310,
    ),
    case(
        "long subject",
        "{talk}/Messages",
        &[("Subject", LONG)],
        400,
        20422,
    ),
    case(
        "media malformed",
        "{talk}/Messages",
        &[("MediaSid", "ME1")],
        400,
        50510,
    ),
    case(
        "media absent",
        "{talk}/Messages",
        &[("MediaSid", "ME00000000000000000000000000000001")],
        400,
        50507,
    ),
    case(
        "content malformed",
        "{talk}/Messages",
        &[("ContentSid", "HX1")],
        400,
        50526,
    ),
    case(
        "message to nowhere",
        "/v1/Conversations/nobody/Messages",
        &[("Body", "x")],
        404,
        20404,
    ),
    case(
        "message to a closed one",
        "{closed}/Messages",
        &[("Body", "x")],
        400,
        50377,
    ),
    case("no identity", "/v1/Users", &[], 400, 50204),
    case(
        "user twice",
        "/v1/Users",
        &[("Identity", "alice")],
        409,
        50201,
    ),
    case(
        "service role absent",
        "/v1/Users",
        &[("Identity", "bob"), ("RoleSid", ABSENT_ROLE)],
        400,
        50102,
    ),
    case(
        "role of no type",
        "/v1/Roles",
        &[
            ("FriendlyName", "x"),
            ("Type", "x"),
            ("Permission", "sendMessage"),
        ],
        400,
        50105,
    ),
    case(
        "unknown permission",
        "/v1/Roles",
        &[
            ("FriendlyName", "x"),
            ("Type", "conversation"),
            ("Permission", "fly"),
        ],
        400,
        50104,
    ),
    case(
        "no permission",
        "/v1/Roles",
        &[("FriendlyName", "x"), ("Type", "service")],
        400,
        20422,
    ),
];

#[sqlx::test]
async fn each_has_its_documented_code(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[("UniqueName", "taken")]).await;
    let closed = server.conversation(&[]).await;
    for path in [&talk, &closed] {
        server
            .post(&format!("{path}/Participants"), &[("Identity", "alice")])
            .await
            .with(201);
    }
    server.post(&closed, &[("State", "closed")]).await.with(200);
    for case in REFUSED {
        let path = case
            .path
            .replace("{talk}", &talk)
            .replace("{closed}", &closed);
        let answer = server.post(&path, case.form).await;
        assert_eq!(
            (answer.status.as_u16(), answer.body["code"].as_i64()),
            (case.status, Some(case.code)),
            "{}: {}",
            case.name,
            answer.body
        );
        assert_shape(&answer, case.name);
    }
    // Nothing was half done.
    let roster = server.get(&format!("{talk}/Participants")).await.with(200);
    assert_eq!(roster["participants"].as_array().map(Vec::len), Some(1));
    assert_eq!(
        server.get(&format!("{talk}/Messages")).await.with(200)["messages"],
        serde_json::json!([])
    );
    server.stop().await;
}

/// The shape that all official libraries survive.
fn assert_shape(answer: &Answer, name: &str) {
    let body = &answer.body;
    assert_eq!(
        body["status"].as_u64(),
        Some(answer.status.as_u16().into()),
        "{name}"
    );
    assert!(
        text(body, "more_info").ends_with(&body["code"].to_string()),
        "{name}"
    );
    assert!(
        body.get("type").is_none() || body.get("title").is_none(),
        "{name}"
    );
}

#[sqlx::test]
async fn routes_and_methods_that_are_none(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    assert_eq!(server.get("/v1/Nothing").await.refused(404), 20404);
    assert_eq!(server.get("/").await.refused(404), 20404);
    assert_eq!(
        server
            .send(Method::PUT, "/v1/Conversations", &[])
            .await
            .refused(405),
        20004
    );
    assert_eq!(server.delete("/v1/Conversations").await.refused(405), 20004);
    let preflight = server
        .http
        .request(Method::OPTIONS, server.url("/v1/Conversations"))
        .send()
        .await;
    let preflight = preflight.expect("an answer");
    assert_eq!(preflight.status(), 204);
    assert_eq!(preflight.headers()["access-control-allow-origin"], "*");
    server.stop().await;
}

#[sqlx::test]
async fn strangers_learn_nothing(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    for (user, password) in [
        (crate::support::server::ACCOUNT_SID, "wrong"),
        (
            "AC00000000000000000000000000000099",
            crate::support::server::AUTH_TOKEN,
        ),
        ("", ""),
    ] {
        for path in [
            "/v1/Conversations",
            "/v1/Nothing",
            "/v1/Conversations/x/Messages",
        ] {
            let answer = server
                .http
                .get(server.url(path))
                .basic_auth(user, Some(password))
                .send()
                .await;
            let answer = answer.expect("an answer");
            assert_eq!(answer.status(), 401);
            assert!(answer.headers().contains_key("www-authenticate"));
            assert!(
                answer.headers()["twilio-request-id"]
                    .to_str()
                    .expect("text")
                    .starts_with("RQ")
            );
            let body: serde_json::Value = answer.json().await.expect("JSON");
            assert_eq!(body["code"], 20003);
        }
    }
    let bearer = server
        .http
        .get(server.url("/v1/Conversations"))
        .bearer_auth("x")
        .send()
        .await;
    assert_eq!(bearer.expect("an answer").status(), 401);
    server.stop().await;
}

#[sqlx::test]
async fn what_belongs_to_another_service_is_absent(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let service = server
        .post("/v1/Services", &[("FriendlyName", "other")])
        .await
        .with(201);
    let base = format!("/v1/Services/{}", text(&service, "sid"));
    let talk = server.conversation(&[("UniqueName", "mine")]).await;
    let sid = talk.rsplit('/').next().expect("a SID");
    let message = server
        .post(&format!("{talk}/Messages"), &[("Body", "x")])
        .await
        .with(201);
    server
        .post("/v1/Users", &[("Identity", "alice")])
        .await
        .with(201);
    let role = server.get("/v1/Roles").await.with(200);
    let role = text(&role["roles"][0], "sid");
    for path in [
        format!("{base}/Conversations/{sid}"),
        format!("{base}/Conversations/mine"),
        format!("{base}/Conversations/{sid}/Messages"),
        format!(
            "{base}/Conversations/{sid}/Messages/{}",
            text(&message, "sid")
        ),
        format!("{base}/Conversations/{sid}/Participants"),
        format!("{base}/Users/alice"),
        format!("{base}/Roles/{role}"),
        "/v1/Services/IS00000000000000000000000000000009/Conversations".to_owned(),
        "/v1/Services/tenant/Conversations".to_owned(),
    ] {
        assert_eq!(server.get(&path).await.refused(404), 20404, "{path}");
    }
    let refusal = server
        .post(
            &format!("{base}/Conversations/{sid}/Messages"),
            &[("Body", "x")],
        )
        .await;
    assert_eq!(refusal.refused(404), 20404);
    server.stop().await;
}
