//! Documented refusals: each case differs from a good request in one thing.
//!
//! Each code that the program can answer has a case here, or a test elsewhere that [`ELSEWHERE`] names, or stands in the
//! documentation among those that no request meets.

mod conversations;
mod limits;
mod messages;
mod participants;
mod roles;
mod services;
mod users;

use regex::Regex;
use reqwest::Method;
use sqlx::PgPool;

use crate::support::{Carries, Credentials, TestServer, text};

/// A request that must be refused.
struct Case {
    name: &'static str,
    method: &'static str,
    path: &'static str,
    form: &'static [(&'static str, &'static str)],
    status: u16,
    code: i64,
}

/// A creation or an update.
const fn case(
    name: &'static str,
    path: &'static str,
    form: &'static [(&'static str, &'static str)],
    status: u16,
    code: i64,
) -> Case {
    Case {
        name,
        method: "POST",
        path,
        form,
        status,
        code,
    }
}

/// A deletion.
const fn removal(name: &'static str, path: &'static str, status: u16, code: i64) -> Case {
    let mut case = case(name, path, &[], status, code);
    case.method = "DELETE";
    case
}

/// A text of 257 characters.
const LONG: &str = "{257 x}";
const LIKE_A_CONVERSATION: &str = "CH00000000000000000000000000000001";
const LIKE_A_USER: &str = "US00000000000000000000000000000001";
const ABSENT_ROLE: &str = "RL00000000000000000000000000000001";
const PROXY: (&str, &str) = ("MessagingBinding.ProxyAddress", "+15550100000");

const ALL: &[&[Case]] = &[
    services::REFUSED,
    conversations::REFUSED,
    participants::REFUSED,
    messages::REFUSED,
    users::REFUSED,
    roles::REFUSED,
];

/// Where cases find what they need: `{talk}` is an open conversation, `{closed}` a closed one, and both have alice in
/// them; `{phone}` is a participant of the first who has an address, `{message}` its message, `{service}` the default service; `{9 x}` is nine times the letter.
struct Scene {
    server: TestServer,
    names: Vec<(&'static str, String)>,
}

impl Scene {
    async fn open(pool: &PgPool) -> Self {
        let server = TestServer::start(pool).await;
        let talk = server.conversation(&[("UniqueName", "taken")]).await;
        let closed = server.conversation(&[]).await;
        for path in [&talk, &closed] {
            let path = format!("{path}/Participants");
            server.post(&path, &[("Identity", "alice")]).await.with(201);
        }
        server.post(&closed, &[("State", "closed")]).await.with(200);
        let phone = server
            .add_phone(&talk, "+15551110001", "+15550100000")
            .await;
        let phone = format!("{talk}/Participants/{}", text(&phone, "sid"));
        let message = server
            .post(&format!("{talk}/Messages"), &[])
            .await
            .with(201);
        let message = format!("{talk}/Messages/{}", text(&message, "sid"));
        let alice = server.get("/v1/Users/alice").await.with(200);
        let service = text(&alice, "chat_service_sid");
        let role = text(&alice, "role_sid");
        let names = vec![
            ("{talk}", talk),
            ("{closed}", closed),
            ("{phone}", phone),
            ("{message}", message),
            ("{service}", service),
            ("{service role}", role),
        ];
        Self { server, names }
    }

    fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (name, value) in &self.names {
            text = text.replace(name, value);
        }
        let times = Regex::new(r"\{(\d+) (.)\}").expect("a pattern");
        let repeated = times.replace_all(&text, |found: &regex::Captures<'_>| {
            found[2].repeat(found[1].parse().expect("a number"))
        });
        repeated.into_owned()
    }

    async fn try_all(&self, cases: &[Case]) {
        for case in cases {
            let fields = case
                .form
                .iter()
                .map(|(name, value)| ((*name).to_owned(), self.fill(value)));
            let (path, fields) = (self.fill(case.path), Carries::Fields(fields.collect()));
            let owner = Credentials::owner();
            let method = case.method.parse().expect("a method");
            let answer = self.server.ask(Some(&owner), &method, &path, &fields).await;
            let found = (answer.status.as_u16(), answer.code());
            assert_eq!(
                found,
                (case.status, case.code),
                "{}: {}",
                case.name,
                answer.body
            );
        }
    }
}

#[sqlx::test]
async fn each_has_its_documented_code(pool: PgPool) {
    let scene = Scene::open(&pool).await;
    for cases in ALL {
        scene.try_all(cases).await;
    }
    // Nothing was half done.
    let roster = scene
        .server
        .get(&scene.fill("{talk}/Participants"))
        .await
        .with(200);
    assert_eq!(roster["participants"].as_array().map(Vec::len), Some(2));
    let listed = scene
        .server
        .get(&scene.fill("{talk}/Messages"))
        .await
        .with(200);
    assert_eq!(listed["messages"].as_array().map(Vec::len), Some(1));
    scene.server.stop().await;
}

#[sqlx::test]
async fn the_parameter_that_offends_is_named(pool: PgPool) {
    let scene = Scene::open(&pool).await;
    for (path, form, parameter) in [
        ("/v1/Conversations", ("FriendlyName", LONG), "FriendlyName"),
        ("/v1/Conversations", ("Attributes", "{"), "Attributes"),
        (
            "/v1/Conversations",
            ("Timers.Inactive", "PT1S"),
            "Timers.Inactive",
        ),
        (
            "{talk}/Participants",
            ("MessagingBinding.Address", "x"),
            "MessagingBinding.Address",
        ),
        (
            "/v1/Configuration",
            ("DefaultClosedTimer", "PT1S"),
            "DefaultClosedTimer",
        ),
        (
            "/v1/Configuration",
            ("DefaultMessagingServiceSid", "MG1"),
            "DefaultMessagingServiceSid",
        ),
    ] {
        let form = (form.0, scene.fill(form.1));
        let answer = scene
            .server
            .post(&scene.fill(path), &[(form.0, form.1.as_str())])
            .await
            .with(400);
        assert_eq!(answer["details"]["parameter"], parameter, "{answer}");
    }
    let query = scene.fill("/v1/Conversations?StartDate=soon");
    let answer = scene.server.get(&query).await.with(400);
    assert_eq!(answer["details"]["parameter"], "StartDate");
    let absent = scene.server.get("/v1/Conversations/none").await.with(404);
    assert!(absent.get("details").is_none());
    scene.server.stop().await;
}

#[sqlx::test]
async fn routes_and_methods_that_are_none(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    assert_eq!(server.get("/v1/Nothing").await.refused(404), 20404);
    // The server's address in a browser leads to what can be read.
    let front = server.http.get(server.url("/")).send().await;
    let front = front.expect("an answer");
    assert!(front.url().path().ends_with("/docs"), "{}", front.url());
    assert_eq!(front.status(), 200);
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
