//! docs/compatibility.md tells the truth: it has a row for every operation, says which are not served yet, and lists the
//! error codes that are answered, each of which has a case in these tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sqlx::PgPool;

use super::codes;
use crate::support::TestServer;

/// Codes that are answered and have no case here, and why.
const WITHOUT_CASE: &[(i64, &str)] = &[(20500, "a fault of ours cannot be had on demand")];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The cells of the rows under a heading of the page.
fn rows(page: &str, heading: &str) -> Vec<Vec<String>> {
    let from = page.find(heading).unwrap_or_else(|| panic!("{heading}"));
    let level = heading.trim_end_matches(|letter| letter != '#').len();
    page[from + heading.len()..]
        .lines()
        .take_while(|line| !line.starts_with('#') || line.find(' ') > Some(level))
        .filter(|line| line.starts_with('|') && !line.starts_with("| ---"))
        .map(|line| {
            line.trim_matches('|')
                .split('|')
                .map(|cell| cell.trim().to_owned())
                .collect()
        })
        .collect()
}

fn page() -> String {
    fs::read_to_string(root().join("docs/compatibility.md")).expect("the page")
}

#[sqlx::test]
async fn every_operation_has_a_row(pool: PgPool) {
    let told: BTreeMap<String, String> = rows(&page(), "## Operations")
        .into_iter()
        .filter(|row| row[0].starts_with('`'))
        .map(|row| (row[0].trim_matches('`').to_owned(), row[2].clone()))
        .collect();
    let server = TestServer::start(&pool).await;
    let document = server.get("/openapi.json").await.with(200);
    let served: BTreeSet<String> = document["paths"]
        .as_object()
        .expect("paths")
        .values()
        .flat_map(|methods| methods.as_object().expect("methods").values())
        .filter_map(|operation| operation["operationId"].as_str())
        .map(str::to_owned)
        .collect();
    server.stop().await;
    let missing = |answer: &str| answer.starts_with("not yet");
    let mut wrong: Vec<String> = served
        .iter()
        .filter(|id| told.get(*id).is_none_or(|answer| missing(answer)))
        .map(|id| format!("{id} is served"))
        .collect();
    wrong.extend(
        told.iter()
            .filter(|(id, answer)| !missing(answer) && !served.contains(*id))
            .map(|(id, _)| format!("{id} is not served")),
    );
    for id in published() {
        if !told.contains_key(&id) {
            wrong.push(format!("{id} has no row"));
        }
    }
    assert!(
        wrong.is_empty(),
        "docs/compatibility.md is wrong: {wrong:#?}"
    );
}

/// The published operations of Conversations; none where the contract is not at hand.
fn published() -> Vec<String> {
    let Ok(folder) = std::env::var("CONVOKE_SPEC_DIR") else {
        eprintln!(
            "SKIPPED: CONVOKE_SPEC_DIR is not set, so rows are compared with what is served only"
        );
        return Vec::new();
    };
    let list = fs::read_to_string(Path::new(&folder).join("operations.tsv")).expect("the list");
    let ids = list
        .lines()
        .skip(1)
        .filter_map(|line| line.split('\t').next());
    ids.map(str::to_owned).collect()
}

#[test]
fn every_code_is_listed_and_has_a_case() {
    let told: BTreeSet<i64> = rows(&page(), "### Answered")
        .into_iter()
        .filter_map(|row| row[0].parse().ok())
        .collect();
    let answered = codes::all();
    assert_eq!(
        told, answered,
        "docs/compatibility.md lists other codes than src/domain/errors has"
    );
    let cases = read(&root().join("tests/it"));
    let without: BTreeSet<i64> = answered
        .into_iter()
        .filter(|code| !cases.contains(&code.to_string()))
        .collect();
    let excused: BTreeSet<i64> = WITHOUT_CASE.iter().map(|(code, _)| *code).collect();
    assert_eq!(without, excused, "codes without a case in tests/it");
}

/// The text of all source files in a folder, apart from this one.
fn read(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            text.push_str(&read(&path));
        } else if !path.ends_with("compatibility.rs") {
            text.push_str(&fs::read_to_string(&path).unwrap_or_default());
        }
    }
    text
}
