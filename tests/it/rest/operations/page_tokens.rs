//! Page sizes and page tokens of every list.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::document::Operation;
use super::facts;
use super::world::{Stage, World};
use crate::support::{Answer, Carries, Credentials, text};

/// The most rows on a page, by the end of the list's path; 100 otherwise (the published document).
const LARGEST: &[(&str, u64)] = &[
    ("/Receipts", 50),
    ("/Users", 50),
    ("/Users/{}/Conversations", 50),
    ("/ParticipantConversations", 50),
    ("/Roles", 50),
    ("/Configuration/Addresses", 50),
    ("/Webhooks", 5),
];

struct List<'a> {
    operation: &'a Operation,
    world: &'a World,
    path: String,
}

impl List<'_> {
    async fn ask(&self, stage: &Stage, more: &[(&str, &str)]) -> Answer {
        let mut fields = match facts::good(self.operation, self.world) {
            Carries::Fields(fields) => fields,
            _ => Vec::new(),
        };
        fields.extend(
            more.iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let (who, method) = (&self.world.who, &self.operation.method);
        stage
            .server
            .ask(Some(who), method, &self.path, &Carries::Fields(fields))
            .await
    }

    fn largest(&self) -> u64 {
        let pattern = self.operation.pattern();
        let found = LARGEST.iter().filter(|(end, _)| pattern.ends_with(end));
        found.map(|(_, most)| *most).min().unwrap_or(100)
    }
}

#[sqlx::test]
async fn each_list_keeps_its_sizes_and_its_tokens(pool: PgPool) {
    let stage = Stage::open(&pool).await;
    let owner = Credentials::owner();
    let worlds = [
        stage.default_world(&owner).await,
        stage.named_world(&owner).await,
    ];
    let mut lists = Vec::new();
    for operation in stage.of_conversations().filter(|it| it.list.is_some()) {
        for world in &worlds {
            if let Some(path) = world.path(operation) {
                lists.push(List {
                    operation,
                    world,
                    path,
                });
            }
        }
    }
    let mut tokens: Vec<(String, String)> = Vec::new();
    for list in &lists {
        for size in ["0", "-1", "abc", "", "1.5", "0x10", "٣"] {
            let answer = list.ask(&stage, &[("PageSize", size)]).await;
            assert_eq!(
                (answer.status.as_u16(), answer.code()),
                (400, 20422),
                "{} {size}",
                list.path
            );
        }
        for size in ["101", "1000", "99999999999999999999999999"] {
            let page = list.ask(&stage, &[("PageSize", size)]).await.with(200);
            assert_eq!(page["meta"]["page_size"], list.largest(), "{}", list.path);
        }
        let page = list.ask(&stage, &[("PageSize", "1")]).await.with(200);
        let key = list.operation.list.as_deref().unwrap_or_default();
        assert_eq!(page[key].as_array().map(Vec::len), Some(1), "{}", list.path);
        let next = page["meta"]["next_page_url"].as_str();
        let next = next.unwrap_or_else(|| panic!("{} has one row only (world.rs)", list.path));
        let token = next.split("PageToken=").nth(1).expect("a token").to_owned();
        let second = list
            .ask(&stage, &[("PageSize", "1"), ("PageToken", &token)])
            .await
            .with(200);
        assert_ne!(page[key], second[key], "{}", list.path);
        let previous = text(&second["meta"], "previous_page_url");
        let back = previous
            .split("PageToken=")
            .nth(1)
            .expect("a token")
            .to_owned();
        tokens.push((list.path.clone(), token));
        tokens.push((list.path.clone(), back));
    }
    for list in &lists {
        let own = tokens.iter().find(|(path, _)| *path == list.path);
        let own = &own.expect("its token").1;
        for (_, foreign) in tokens.iter().filter(|(path, _)| *path != list.path) {
            refuses(&stage, list, foreign).await;
        }
        for garbage in [
            "PA",
            "PB",
            "x",
            "%00",
            "PA%",
            "PAAAAA",
            "☂",
            "PAbnVsbA",
            "PAW10",
            "PAWzEsMl0",
        ] {
            refuses(&stage, list, garbage).await;
        }
        refuses(&stage, list, &own[..own.len() - 3]).await;
        refuses(&stage, list, &"PA".repeat(2000)).await;
        for forged in forged(own) {
            let answer = list.ask(&stage, &[("PageToken", &forged)]).await;
            assert!(
                answer.status.as_u16() < 500,
                "{} {forged}: {}",
                list.path,
                answer.body
            );
            let good = answer.status.as_u16() == 200 || answer.code() == 20422;
            assert!(good, "{} {forged}: {}", list.path, answer.body);
        }
    }
    stage.server.stop().await;
}

async fn refuses(stage: &Stage, list: &List<'_>, token: &str) {
    let answer = list.ask(stage, &[("PageToken", token)]).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (400, 20422),
        "{} {token}",
        list.path
    );
}

/// Tokens of the same list whose place is beyond everything: whoever looks into one can make them.
fn forged(token: &str) -> Vec<String> {
    let bytes = URL_SAFE_NO_PAD.decode(&token[2..]).expect("a token");
    let inside: Value = serde_json::from_slice(&bytes).expect("a place");
    let print = |value: &Value| format!("PA{}", URL_SAFE_NO_PAD.encode(value.to_string()));
    let extremes = [
        json!(i64::MAX),
        json!(i64::MIN),
        json!(u64::MAX),
        json!("+262142-12-31T23:59:59Z"),
        json!("-262143-01-01T00:00:00Z"),
        json!("294277-01-01T00:00:00Z"),
        json!("ffffffff-ffff-ffff-ffff-ffffffffffff"),
        json!(null),
        json!([]),
        json!("\u{0}"),
    ];
    let mut all = Vec::new();
    for extreme in extremes {
        if let Some(parts) = inside[1].as_array() {
            for at in 0..parts.len() {
                let mut other = inside.clone();
                other[1][at] = extreme.clone();
                all.push(print(&other));
            }
        }
        let mut other = inside.clone();
        other[1] = extreme;
        all.push(print(&other));
    }
    all
}
