//! Permissions and actions, each with each: what a user may do, and what the refusal says.

mod actions;
mod defaults;

use serde_json::{Value, json};
use sqlx::PgPool;

use super::sid;
use crate::support::socket::SocketClient;
use crate::support::{TestServer, text};
use actions::{ACTIONS, Action, Kind};

/// What a service role may hold.
const OF_SERVICE: [&str; 14] = [
    "addParticipant",
    "createConversation",
    "deleteAnyMessage",
    "deleteConversation",
    "editAnyMessage",
    "editAnyMessageAttributes",
    "editAnyUserInfo",
    "editConversationAttributes",
    "editConversationName",
    "editOwnMessage",
    "editOwnMessageAttributes",
    "editOwnUserInfo",
    "joinConversation",
    "removeParticipant",
];

/// What a conversation role may hold.
const OF_CONVERSATION: [&str; 20] = [
    "addNonChatParticipant",
    "addParticipant",
    "deleteAnyMessage",
    "deleteConversation",
    "deleteOwnMessage",
    "editAnyMessage",
    "editAnyMessageAttributes",
    "editAnyParticipantAttributes",
    "editAnyUserInfo",
    "editConversationAttributes",
    "editConversationName",
    "editNotificationLevel",
    "editOwnMessage",
    "editOwnMessageAttributes",
    "editOwnParticipantAttributes",
    "editOwnUserInfo",
    "leaveConversation",
    "removeParticipant",
    "sendMediaMessage",
    "sendMessage",
];

/// The name that includes this one.
fn wider(name: &str) -> String {
    name.replace("Own", "Any")
}

/// How a conversation is set up for an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Taken,
    NotTaken,
}

struct Stage {
    server: TestServer,
    service: String,
    service_role: String,
    talk_role: String,
    user: SocketClient,
    scenes: u32,
}

impl Stage {
    async fn open(pool: &PgPool) -> Self {
        let server = TestServer::start(pool).await;
        let service = server.default_service().await;
        let role = async |scope: &str, permission: &str| {
            let form = [
                ("FriendlyName", "tried"),
                ("Type", scope),
                ("Permission", permission),
            ];
            text(&server.post("/v1/Roles", &form).await.with(201), "sid")
        };
        let service_role = role("service", OF_SERVICE[0]).await;
        let talk_role = role("conversation", OF_CONVERSATION[0]).await;
        let form = [("Identity", "user"), ("RoleSid", &service_role)];
        server.post("/v1/Users", &form).await.with(201);
        server
            .post("/v1/Users", &[("Identity", "other")])
            .await
            .with(201);
        let user = server.socket("user").await;
        Self {
            server,
            service,
            service_role,
            talk_role,
            user,
            scenes: 0,
        }
    }

    /// Gives the two roles these permissions; a role cannot be empty, so one that is not asked about fills it.
    async fn permit(&self, in_service: &[&str], in_talk: &[&str], but: &[&str]) {
        for (role, wanted, all) in [
            (&self.service_role, in_service, &OF_SERVICE[..]),
            (&self.talk_role, in_talk, &OF_CONVERSATION[..]),
        ] {
            let filler = all.iter().find(|name| {
                !matches!(**name, "joinConversation")
                    && but
                        .iter()
                        .all(|needed| **name != *needed && **name != wider(needed))
            });
            let wanted = if wanted.is_empty() {
                filler.into_iter().copied().collect()
            } else {
                wanted.to_vec()
            };
            let form: Vec<(&str, &str)> = wanted.iter().map(|name| ("Permission", *name)).collect();
            self.server
                .post(&format!("/v1/Roles/{role}"), &form)
                .await
                .with(200);
        }
    }

    /// Has the user try something in a conversation made for it.
    async fn attempt(&mut self, action: &Action, part: Part) -> (u64, Value) {
        self.scenes += 1;
        let mut words = vec![
            ("{fresh}", format!("n{}", self.scenes)),
            ("{address}", format!("+1555{:07}", self.scenes)),
        ];
        if action.kind != Kind::Service {
            self.set(part, &mut words).await;
        }
        if action.body.contains("{media}") {
            words.push(("{media}", self.upload().await));
        }
        let fill = |template: &str| {
            let fill = |text: String, (name, value): &(&str, String)| text.replace(name, value);
            words.iter().fold(template.to_owned(), fill)
        };
        let path = match fill(action.path) {
            path if path.starts_with('/') => path,
            path => format!("/Client/v2/Services/{}/{path}", self.service),
        };
        let body = fill(action.body);
        self.user.ask_with(action.method, &path, &body).await
    }

    /// Makes a conversation of two with a message of each.
    async fn set(&self, part: Part, words: &mut Vec<(&str, String)>) {
        let talk = self.server.conversation(&[]).await;
        let add = async |resource: &str, form: &[(&str, &str)]| {
            let made = self.server.post(&format!("{talk}/{resource}"), form).await;
            text(&made.with(201), "sid")
        };
        let my_part = match part {
            Part::Taken => {
                let form = [("Identity", "user"), ("RoleSid", &self.talk_role)];
                add("Participants", &form).await
            }
            Part::NotTaken => "MB00000000000000000000000000000000".to_owned(),
        };
        words.push(("{my part}", my_part));
        words.push((
            "{their part}",
            add("Participants", &[("Identity", "other")]).await,
        ));
        for (name, author) in [("{my message}", "user"), ("{their message}", "other")] {
            let form = [("Author", author), ("Body", "x")];
            words.push((name, add("Messages", &form).await));
        }
        words.push(("{talk}", sid(&talk).to_owned()));
    }

    /// Uploads something as the user; its SID.
    async fn upload(&self) -> String {
        let token = self.server.good_token("user").await;
        let path = format!("/v1/Services/{}/Media?Filename=x.txt", self.service);
        let request = self.server.http.post(self.server.url(&path));
        let sent = request.header("x-twilio-token", token).body("x").send();
        let record: Value = sent
            .await
            .expect("an answer")
            .json()
            .await
            .expect("a record");
        text(&record, "sid")
    }
}

fn without<'a>(all: &[&'a str], missing: &str) -> Vec<&'a str> {
    let missing = [missing.to_owned(), wider(missing)];
    let kept = all.iter().copied();
    kept.filter(|name| !missing.iter().any(|missing| missing == name))
        .collect()
}

#[sqlx::test]
async fn what_lacks_one_permission_is_refused_and_says_which(pool: PgPool) {
    let mut stage = Stage::open(&pool).await;
    for action in ACTIONS {
        for missing in action.needs {
            let (in_service, in_talk) = (
                without(&OF_SERVICE, missing),
                without(&OF_CONVERSATION, missing),
            );
            stage.permit(&in_service, &in_talk, &[]).await;
            let (status, body) = stage.attempt(action, Part::Taken).await;
            assert_eq!(
                (status, &body["code"], &body["details"]["permission"]),
                (403, &json!(50107), &json!(missing)),
                "{} without {missing}: {body}",
                action.name
            );
        }
    }
}

#[sqlx::test]
async fn the_needed_permissions_are_enough_in_either_role(pool: PgPool) {
    let mut stage = Stage::open(&pool).await;
    for action in ACTIONS {
        let wide: Vec<String> = action.needs.iter().map(|name| wider(name)).collect();
        let wide: Vec<&str> = wide.iter().map(String::as_str).collect();
        let mut tried = 0;
        for needs in [action.needs, &wide[..]] {
            let held_by = |all: &[&str]| needs.iter().all(|name| all.contains(name));
            let mut ways = Vec::new();
            if held_by(&OF_SERVICE) {
                ways.push((needs, &[][..]));
            }
            if held_by(&OF_CONVERSATION) && action.kind != Kind::Service {
                ways.push((&[][..], needs));
            }
            for (in_service, in_talk) in ways {
                stage.permit(in_service, in_talk, needs).await;
                let (status, body) = stage.attempt(action, Part::Taken).await;
                assert_eq!(
                    status, action.answer,
                    "{} with {in_service:?} and {in_talk:?}: {body}",
                    action.name
                );
                tried += 1;
            }
        }
        assert!(tried > 0, "{}", action.name);
    }
}

#[sqlx::test]
async fn who_takes_no_part_is_told_so_where_he_may_see_it(pool: PgPool) {
    let mut stage = Stage::open(&pool).await;
    let inside: Vec<&Action> = ACTIONS
        .iter()
        .filter(|action| action.kind != Kind::Service)
        .collect();
    stage
        .permit(&["joinConversation"], &OF_CONVERSATION, &[])
        .await;
    for action in &inside {
        let (status, body) = stage.attempt(action, Part::NotTaken).await;
        if action.kind == Kind::Looking {
            assert_eq!(status, action.answer, "{}: {body}", action.name);
            assert!(body.get("status").is_none(), "{}: {body}", action.name);
        } else {
            let refused = (status, &body["code"]);
            assert_eq!(refused, (403, &json!(50430)), "{}: {body}", action.name);
        }
    }
    stage
        .permit(&["createConversation"], &OF_CONVERSATION, &[])
        .await;
    for action in &inside {
        let (status, body) = stage.attempt(action, Part::NotTaken).await;
        let refused = (status, &body["code"]);
        assert_eq!(refused, (404, &json!(20404)), "{}: {body}", action.name);
    }
    // Where the service role alone permits something, it neither takes a part nor the right to join.
    for action in inside
        .iter()
        .filter(|action| action.kind == Kind::FromOutside)
    {
        stage.permit(action.needs, &[], action.needs).await;
        let (status, body) = stage.attempt(action, Part::NotTaken).await;
        assert_eq!(status, action.answer, "{}: {body}", action.name);
    }
}
