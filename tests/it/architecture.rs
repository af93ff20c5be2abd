//! The shape of the source: imports point down, time and chance come from their homes, files stay readable.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

/// Who may import whom, floor by floor. This table is the rule.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("embedded", &[]),
    ("store", &["domain"]),
    ("outgoing", &["domain"]),
    ("blobs", &["domain"]),
    ("bus", &["domain", "store"]),
    ("worker", &["domain", "store"]),
    ("webhooks", &["domain", "store", "outgoing"]),
    ("ops", &["domain", "store", "blobs", "webhooks"]),
    ("rest", &["domain", "ops"]),
    ("gateway", &["domain", "ops", "bus"]),
    ("channels", &["domain", "ops", "outgoing"]),
];

/// These know everyone.
const TOP: &[&str] = &["app", "cli", "config", "lib", "main"];

fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("src can be read") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).expect("a source file");
                found.push((path, text));
            }
        }
    }
    assert!(found.len() > 20, "the source was found");
    found
}

/// The floor of a file: the first folder or file name below `src`.
fn floor(path: &Path) -> String {
    let below = path
        .strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src"))
        .expect("below src");
    let first = below
        .components()
        .next()
        .expect("a name")
        .as_os_str()
        .to_string_lossy()
        .into_owned();
    first.trim_end_matches(".rs").to_owned()
}

/// What is compiled into the program: without the unit tests at a file's end.
fn program(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

#[test]
fn imports_point_down() {
    let one = Regex::new(r"\bcrate::([a-z_]+)").expect("a pattern");
    let many = Regex::new(r"\bcrate::\{([^}]*)\}").expect("a pattern");
    let first = Regex::new(r"(?:^|,)\s*([a-z_]+)").expect("a pattern");
    let mut wrong = BTreeSet::new();
    for (path, text) in sources() {
        let own = floor(&path);
        if TOP.contains(&own.as_str()) {
            continue;
        }
        let (_, allowed) = MAY_IMPORT
            .iter()
            .find(|(name, _)| *name == own)
            .unwrap_or_else(|| panic!("{own} has no floor"));
        let text = program(&text);
        let grouped = many.captures_iter(text).flat_map(|group| {
            let names = group.get(1).map_or("", |names| names.as_str()).to_owned();
            first
                .captures_iter(&names)
                .map(|name| name[1].to_owned())
                .collect::<Vec<_>>()
        });
        for imported in one
            .captures_iter(text)
            .map(|name| name[1].to_owned())
            .chain(grouped)
        {
            if imported != own && !allowed.contains(&imported.as_str()) {
                wrong.insert(format!("{} imports {imported}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn time_and_chance_come_from_their_homes() {
    let homes: &[(&str, &[&str])] = &[
        ("Utc::now", &["domain/time.rs"]),
        ("SystemTime::now", &[]),
        ("rand::random", &["domain/sealing.rs"]),
        ("rand::rng", &["domain/sealing.rs"]),
        ("new_v4", &[]),
        ("now_v7", &[]),
    ];
    for (path, text) in sources() {
        for (word, homes) in homes {
            let at_home = homes.iter().any(|home| path.ends_with(home));
            assert!(
                at_home || !program(&text).contains(word),
                "{word} in {}",
                path.display()
            );
        }
    }
}

#[test]
fn only_the_store_speaks_sql() {
    for (path, text) in sources() {
        let speaks = ["sqlx::query", "QueryBuilder"]
            .iter()
            .any(|word| program(&text).contains(word));
        let may = ["store", "embedded"].contains(&floor(&path).as_str());
        assert!(may || !speaks, "SQL in {}", path.display());
    }
}

#[test]
fn files_stay_readable() {
    for (path, text) in sources() {
        let lines = program(&text).lines().count();
        assert!(
            lines <= 500,
            "{} has {lines} lines; is there a second concept inside?",
            path.display()
        );
    }
}
