//! The roles of a new service, and who gets which; joining.

use serde_json::{Value, json};
use sqlx::PgPool;

use super::OF_SERVICE;
use crate::support::socket::SocketClient;
use crate::support::{TestServer, text};

const OF_USERS: [&str; 3] = ["createConversation", "joinConversation", "editOwnUserInfo"];
const OF_CREATORS: [&str; 17] = [
    "sendMessage",
    "sendMediaMessage",
    "leaveConversation",
    "addParticipant",
    "removeParticipant",
    "deleteConversation",
    "editConversationName",
    "editConversationAttributes",
    "editAnyMessage",
    "editAnyMessageAttributes",
    "deleteAnyMessage",
    "editOwnMessage",
    "editOwnMessageAttributes",
    "deleteOwnMessage",
    "addNonChatParticipant",
    "editAnyParticipantAttributes",
    "editNotificationLevel",
];
const OF_MEMBERS: [&str; 8] = [
    "sendMessage",
    "sendMediaMessage",
    "leaveConversation",
    "editOwnMessage",
    "editOwnMessageAttributes",
    "deleteOwnMessage",
    "editOwnParticipantAttributes",
    "editNotificationLevel",
];

/// The documented roles of a new service: name, type, permissions, and where the service names it as a default.
const ROLES: [(&str, &str, &[&str], Option<&str>); 4] = [
    ("service admin", "service", &OF_SERVICE, None),
    (
        "service user",
        "service",
        &OF_USERS,
        Some("default_chat_service_role_sid"),
    ),
    (
        "channel admin",
        "conversation",
        &OF_CREATORS,
        Some("default_conversation_creator_role_sid"),
    ),
    (
        "channel user",
        "conversation",
        &OF_MEMBERS,
        Some("default_conversation_role_sid"),
    ),
];

fn sorted<'a>(names: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<&str> = names.into_iter().collect();
    names.sort_unstable();
    names
}

#[sqlx::test]
async fn a_new_service_has_the_documented_roles(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let new = server
        .post("/v1/Services", &[("FriendlyName", "new")])
        .await;
    let service = text(&new.with(201), "sid");
    let configuration = format!("/v1/Services/{service}/Configuration");
    let defaults = server.get(&configuration).await.with(200);
    let listed = server
        .get(&format!("/v1/Services/{service}/Roles"))
        .await
        .with(200);
    let listed = listed["roles"].as_array().expect("roles");
    assert_eq!(listed.len(), ROLES.len());
    for (name, scope, permissions, default) in ROLES {
        let role = listed.iter().find(|role| role["friendly_name"] == name);
        let role = role.unwrap_or_else(|| panic!("{name} in {listed:?}"));
        assert_eq!(role["type"], scope, "{name}");
        let held = role["permissions"].as_array().expect("permissions");
        assert_eq!(
            sorted(held.iter().filter_map(Value::as_str)),
            sorted(permissions.iter().copied()),
            "{name}"
        );
        if let Some(default) = default {
            assert_eq!(defaults[default], role["sid"], "{default}");
        }
    }
}

/// The path of the service's resources, and the SIDs of its roles for users, creators and members.
async fn world(server: &TestServer) -> (String, [String; 3]) {
    let service = server.default_service().await;
    let defaults = server.get("/v1/Configuration").await.with(200);
    let defaults = match defaults.get("default_chat_service_role_sid") {
        Some(_) => defaults,
        None => {
            let path = format!("/v1/Services/{service}/Configuration");
            server.get(&path).await.with(200)
        }
    };
    let sid = |name: &str| text(&defaults, name);
    let roles = [
        sid("default_chat_service_role_sid"),
        sid("default_conversation_creator_role_sid"),
        sid("default_conversation_role_sid"),
    ];
    (format!("/Client/v2/Services/{service}"), roles)
}

async fn create(client: &mut SocketClient, service: &str) -> String {
    let path = format!("{service}/Conversations");
    let (status, made) = client.ask("POST", &path, json!({})).await;
    assert_eq!(status, 201, "{made}");
    format!("{path}/{}", text(&made, "sid"))
}

async fn join(client: &mut SocketClient, talk: &str, identity: &str) -> (u64, Value) {
    let body = json!({ "identity": identity });
    client
        .ask("POST", &format!("{talk}/Participants"), body)
        .await
}

#[sqlx::test]
async fn each_comer_gets_the_documented_role(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (service, [of_users, of_creators, of_members]) = world(&server).await;
    let mut creator = server.socket("creator").await;
    let user = server.get("/v1/Users/creator").await.with(200);
    assert_eq!(user["role_sid"], of_users);

    // Creating gives nothing yet, neither a part nor a right.
    let talk = create(&mut creator, &service).await;
    let (status, body) = creator
        .ask("POST", &talk, json!({ "friendly_name": "x" }))
        .await;
    assert_eq!((status, &body["code"]), (403, &json!(50430)), "{body}");
    let (status, made) = join(&mut creator, &talk, "creator").await;
    assert_eq!(
        (status, &made["role_sid"]),
        (201, &json!(of_creators)),
        "{made}"
    );
    for identity in ["added", "creator"] {
        let (status, made) = join(&mut creator, &talk, identity).await;
        match identity {
            "creator" => assert_eq!(status, 409, "{made}"),
            _ => assert_eq!(
                (status, &made["role_sid"]),
                (201, &json!(of_members)),
                "{made}"
            ),
        }
    }
    let mut joiner = server.socket("joiner").await;
    let (status, made) = join(&mut joiner, &talk, "joiner").await;
    assert_eq!(
        (status, &made["role_sid"]),
        (201, &json!(of_members)),
        "{made}"
    );

    // A creator whom a program adds is like everybody else.
    let talk = create(&mut creator, &service).await;
    let of_rest = talk.replace("/Client/v2/", "/v1/");
    let made = server
        .post(
            &format!("{of_rest}/Participants"),
            &[("Identity", "creator")],
        )
        .await
        .with(201);
    assert_eq!(made["role_sid"], of_members);
}

#[sqlx::test]
async fn who_may_not_join_joins_only_what_is_his_own(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (service, _) = world(&server).await;
    let form = [
        ("FriendlyName", "creates"),
        ("Type", "service"),
        ("Permission", "createConversation"),
    ];
    let role = text(&server.post("/v1/Roles", &form).await.with(201), "sid");
    let user = [("Identity", "user"), ("RoleSid", &role)];
    server.post("/v1/Users", &user).await.with(201);
    let mut user = server.socket("user").await;
    let mut other = server.socket("other").await;

    let foreign = create(&mut other, &service).await;
    let (status, body) = join(&mut user, &foreign, "user").await;
    assert_eq!((status, &body["code"]), (404, &json!(20404)), "{body}");
    let (status, body) = join(&mut other, &foreign, "other").await;
    assert_eq!(status, 201, "{body}");

    let own = create(&mut user, &service).await;
    let (status, body) = user.ask("GET", &own, Value::Null).await;
    assert_eq!(status, 200, "{body}");
    let (status, body) = join(&mut user, &own, "user").await;
    assert_eq!(status, 201, "{body}");

    // To join again what was left takes the permission, unless it is the own.
    let (status, body) = user
        .ask("DELETE", &format!("{own}/Participants/user"), json!({}))
        .await;
    assert_eq!(status, 204, "{body}");
    let (status, body) = join(&mut user, &own, "user").await;
    assert_eq!(status, 201, "{body}");
}
