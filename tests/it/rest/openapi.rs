//! Our own document against the published ones: every operation with every parameter and every property of its answer
//! is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use sqlx::PgPool;

use crate::support::TestServer;

/// A published document: its file, the prefix of its paths in ours, and the word before the names of its operations.
struct Published {
    file: &'static str,
    prefix: &'static str,
    word: &'static str,
}

const PUBLISHED: &[Published] = &[
    Published {
        file: "twilio_conversations_v1.json",
        prefix: "",
        word: "",
    },
    Published {
        file: "twilio_messaging_v1.subset.json",
        prefix: "/messaging",
        word: "Messaging",
    },
    Published {
        file: "twilio_api_v2010.subset.json",
        prefix: "/api",
        word: "Api",
    },
    Published {
        file: "twilio_content_v1.subset.json",
        prefix: "/content",
        word: "Content",
    },
    Published {
        file: "twilio_iam_v1.subset.json",
        prefix: "/iam",
        word: "Iam",
    },
];

/// What an operation takes and answers, by the names that count.
#[derive(Debug, Default, PartialEq, Eq)]
struct Described {
    route: String,
    parameters: BTreeSet<String>,
    statuses: BTreeSet<String>,
    properties: BTreeSet<String>,
}

/// The operations of a document by their names.
fn operations(document: &Value) -> BTreeMap<String, Described> {
    let mut all = BTreeMap::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            if let Some(id) = operation["operationId"].as_str() {
                all.insert(id.to_owned(), describe(document, path, method, operation));
            }
        }
    }
    all
}

fn describe(document: &Value, path: &str, method: &str, operation: &Value) -> Described {
    let mut described = Described {
        route: format!("{} {}", method.to_ascii_uppercase(), without_names(path)),
        ..Described::default()
    };
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    for parameter in parameters {
        let (place, name) = (text(&parameter["in"]), text(&parameter["name"]));
        // The names of slots are nobody's business but the document's.
        if place != "path" {
            described.parameters.insert(format!("{place} {name}"));
        }
    }
    let form = "/content/application~1x-www-form-urlencoded/schema";
    let fields = operation["requestBody"].pointer(form);
    described.parameters.extend(
        fields
            .into_iter()
            .flat_map(|schema| names(document, schema, ""))
            .map(|name| format!("form {name}")),
    );
    for (status, answer) in operation["responses"].as_object().expect("responses") {
        if status.starts_with('2') {
            described.statuses.insert(status.clone());
            if let Some(schema) = answer.pointer("/content/application~1json/schema") {
                described.properties.extend(names(document, schema, ""));
            }
        }
    }
    described
}

/// A path with nothing in its braces.
fn without_names(path: &str) -> String {
    let mut plain = String::new();
    let mut inside = false;
    for letter in path.chars() {
        inside = (inside || letter == '{') && letter != '}';
        if !inside || letter == '{' {
            plain.push(letter);
        }
    }
    plain
}

/// The properties of a schema, those of objects in lists included.
fn names(document: &Value, schema: &Value, before: &str) -> BTreeSet<String> {
    if let Some(at) = schema["$ref"].as_str() {
        let inner = document.pointer(at.trim_start_matches('#'));
        return names(document, inner.expect("what $ref points at"), before);
    }
    let mut found = BTreeSet::new();
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        found.insert(format!("{before}{name}"));
        if let Some(items) = inner.get("items") {
            found.extend(names(document, items, &format!("{before}{name}[].")));
        }
    }
    found
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[sqlx::test]
async fn our_document_holds_the_published_ones(pool: PgPool) {
    let Ok(folder) = std::env::var("CONVOKE_SPEC_DIR") else {
        eprintln!("SKIPPED: CONVOKE_SPEC_DIR is not set, so our document is compared with nothing");
        return;
    };
    let server = TestServer::start(&pool).await;
    let ours = operations(&server.get("/openapi.json").await.with(200));
    let mut faults = Vec::new();
    for published in PUBLISHED {
        let file = Path::new(&folder).join(published.file);
        let document = std::fs::read_to_string(file).expect("a published document");
        let document: Value = serde_json::from_str(&document).expect("JSON");
        for (id, theirs) in operations(&document) {
            let name = format!("{}{id}", published.word);
            match ours.get(&name) {
                None => faults.push(format!("{name} is not served")),
                Some(ours) => compare(&name, ours, &theirs, published.prefix, &mut faults),
            }
        }
    }
    assert!(faults.is_empty(), "{faults:#?}");
    server.stop().await;
}

/// Ours may say more (extensions), never less; only the properties and statuses of answers are the same.
fn compare(
    name: &str,
    ours: &Described,
    theirs: &Described,
    prefix: &str,
    faults: &mut Vec<String>,
) {
    let (method, path) = theirs.route.split_once(' ').expect("a method and a path");
    let route = format!("{method} {prefix}{path}");
    if ours.route != route {
        faults.push(format!("{name} is {}, not {route}", ours.route));
    }
    for parameter in theirs.parameters.difference(&ours.parameters) {
        faults.push(format!("{name} lacks the parameter {parameter}"));
    }
    for property in theirs.properties.difference(&ours.properties) {
        faults.push(format!("{name} lacks the property {property}"));
    }
    for status in theirs.statuses.symmetric_difference(&ours.statuses) {
        faults.push(format!("{name}: {status} is answered in one document only"));
    }
}
