//! What holds for all operations alike, driven by one table: the document that the server prints of itself (so nothing
//! that is served can be missing here) and [`facts`], which knows one good request of each.

mod absent;
pub mod document;
mod facts;
mod page_tokens;
mod parameters;
mod strangers;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use reqwest::Method;
use serde_json::Value;
use sqlx::PgPool;

use crate::support::{Answer, Credentials};
use document::{Operation, pattern};
use world::{Stage, World};

#[sqlx::test]
async fn all_that_is_published_is_served(pool: PgPool) {
    let Ok(folder) = std::env::var("CONVOKE_SPEC_DIR") else {
        eprintln!(
            "SKIPPED: CONVOKE_SPEC_DIR is not set, so nothing is compared with the published list"
        );
        return;
    };
    let stage = Stage::open(&pool).await;
    let list =
        std::fs::read_to_string(Path::new(&folder).join("operations.tsv")).expect("the list");
    let published: BTreeMap<String, (String, String)> = list
        .lines()
        .skip(1)
        .map(|line| {
            let columns: Vec<&str> = line.split('\t').collect();
            (
                columns[0].to_owned(),
                (columns[1].to_owned(), pattern(columns[2])),
            )
        })
        .collect();
    assert_eq!(published.len(), 103);
    let missing: BTreeSet<&str> = published
        .iter()
        .filter(|(_, (method, path))| stage.find(method, path).is_none())
        .map(|(id, _)| id.as_str())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    for operation in stage
        .operations
        .iter()
        .filter(|it| it.path.starts_with("/v1/"))
    {
        let (method, path) = &published
            .get(&operation.id)
            .unwrap_or_else(|| panic!("{} is not published", operation.id));
        assert_eq!(
            (operation.method.as_str(), operation.pattern()),
            (method.as_str(), path.clone())
        );
    }
    stage.server.stop().await;
}

#[sqlx::test]
async fn each_answers_a_good_request_as_it_says(pool: PgPool) {
    let stage = Stage::open(&pool).await;
    let owner = Credentials::owner();
    let worlds = [
        stage.default_world(&owner).await,
        stage.named_world(&owner).await,
    ];
    let mut operations: Vec<&Operation> = stage.operations.iter().collect();
    // What is deleted cannot be asked for any more: the deepest last but for what holds it.
    operations.sort_by_key(|it| {
        (
            it.method == Method::DELETE,
            std::cmp::Reverse(it.slots().len()),
        )
    });
    let mut asked = BTreeSet::new();
    for operation in operations {
        for world in &worlds {
            let Some(path) = world.path(operation) else {
                continue;
            };
            if !operation.speaks_json || !asked.insert((operation.method.clone(), path.clone())) {
                continue;
            }
            let what = facts::good(operation, world);
            let answer = stage
                .server
                .ask(Some(&owner), &operation.method, &path, &what)
                .await;
            assert!(
                operation.statuses.contains(&answer.status.as_u16()),
                "{} {path}: {} {}",
                operation.method,
                answer.status,
                answer.body
            );
        }
    }
    stage.server.stop().await;
}

/// An answer that says nothing of the path it was asked for.
fn anonymous(answer: &Answer, path: &str) -> (u16, Value) {
    let mut body = answer.body.clone();
    if let Some(message) = body["message"].as_str() {
        body["message"] = message.replace(path, "…").into();
    }
    (answer.status.as_u16(), body)
}

/// A SID of the same kind that nothing has.
fn unknown(sid: &str) -> String {
    format!(
        "{}{:032x}",
        &sid[..2],
        0xfeed_0000_u64 + u64::from(world::next())
    )
}

/// Everything that can be read in some worlds.
async fn snapshots(stage: &Stage, worlds: &[&World]) -> Vec<BTreeMap<String, Value>> {
    let mut all = Vec::new();
    for world in worlds {
        all.push(stage.snapshot(world).await);
    }
    all
}

/// Asks for what is somebody else's, with a good request otherwise: the answer must be the one that a SID gets which
/// nothing has.
async fn is_as_absent(
    stage: &Stage,
    operation: &Operation,
    home: &World,
    others: &[(usize, &str)],
) {
    let what = facts::good(operation, home);
    let path = home.swapped(operation, others);
    let answer = stage
        .server
        .ask(Some(&home.who), &operation.method, &path, &what)
        .await;
    let place = format!("{} {path}", operation.method);
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (404, 20404),
        "{place}: {}",
        answer.body
    );
    let unknowns: Vec<(usize, String)> =
        others.iter().map(|(at, sid)| (*at, unknown(sid))).collect();
    let unknowns: Vec<(usize, &str)> = unknowns
        .iter()
        .map(|(at, sid)| (*at, sid.as_str()))
        .collect();
    let nowhere = home.swapped(operation, &unknowns);
    let absent = stage
        .server
        .ask(Some(&home.who), &operation.method, &nowhere, &what)
        .await;
    assert_eq!(
        anonymous(&answer, &path),
        anonymous(&absent, &nowhere),
        "{place}"
    );
}
