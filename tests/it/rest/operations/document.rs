//! The operations as the server itself describes them: read from the document it prints.

use reqwest::Method;
use serde_json::Value;

use crate::support::TestServer;

/// One operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its name.
    pub id: String,
    /// The method.
    pub method: Method,
    /// The path, with its slots in braces.
    pub path: String,
    /// What it takes in the query or the form.
    pub params: Vec<Param>,
    /// The statuses of its success.
    pub statuses: Vec<u16>,
    /// The name of the array, where it answers a list with `meta`.
    pub list: Option<String>,
    /// Whether it answers JSON, or nothing.
    pub speaks_json: bool,
}

/// A parameter.
#[derive(Debug, Clone)]
pub struct Param {
    /// Its name.
    pub name: String,
    /// Whether it must come.
    pub required: bool,
    /// What it holds.
    pub holds: Holds,
}

/// What a parameter holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holds {
    /// A text, of at most so many characters.
    Text(Option<usize>),
    /// The SID of a kind of resource.
    Sid(String),
    /// `true` or `false`.
    Boolean,
    /// A whole number.
    Integer,
    /// A date and time.
    Moment,
    /// A duration.
    Duration,
    /// A JSON text.
    Json,
    /// An absolute URL.
    Url,
    /// One of some words.
    Word,
}

impl Operation {
    /// The places of its slots among the segments of its path.
    pub fn slots(&self) -> Vec<usize> {
        let segments = self.path.split('/').enumerate();
        segments
            .filter(|(_, segment)| segment.starts_with('{'))
            .map(|(at, _)| at)
            .collect()
    }

    /// What stands in a slot: the name of the collection, after the product's name if it is not Conversations.
    pub fn kind(&self, slot: usize) -> String {
        let segments: Vec<&str> = self.path.split('/').collect();
        let collection = segments[slot - 1].trim_end_matches(".json");
        match segments[1] {
            "v1" => collection.to_owned(),
            product => format!("{product}/{collection}"),
        }
    }

    /// Whether its path names the service.
    pub fn names_service(&self) -> bool {
        self.path.starts_with("/v1/Services/{")
    }

    /// Its path without the names of the slots: alike in the published document and in ours.
    pub fn pattern(&self) -> String {
        pattern(&self.path)
    }
}

/// A path without the names of its slots.
pub fn pattern(path: &str) -> String {
    let segments = path
        .split('/')
        .map(|segment| match segment.split_once('}') {
            Some((_, rest)) if segment.starts_with('{') => format!("{{}}{rest}"),
            _ => segment.to_owned(),
        });
    segments.collect::<Vec<_>>().join("/")
}

/// Reads the document that a server prints.
pub async fn read(server: &TestServer) -> Vec<Operation> {
    let document = server.http.get(server.url("/openapi.json")).send().await;
    let document: Value = document
        .expect("an answer")
        .json()
        .await
        .expect("a document");
    let paths = document["paths"].as_object().expect("paths");
    let mut operations = Vec::new();
    for (path, methods) in paths {
        for (method, described) in methods.as_object().expect("methods") {
            operations.push(operation(path, method, described));
        }
    }
    operations
}

fn operation(path: &str, method: &str, described: &Value) -> Operation {
    let query = described["parameters"].as_array().into_iter().flatten();
    let mut params: Vec<Param> = query
        .filter(|param| param["in"] == "query")
        .map(|it| param(&it["name"], it["required"] == true, &it["schema"]))
        .collect();
    let form = &described["requestBody"]["content"]["application/x-www-form-urlencoded"]["schema"];
    let required = form["required"].as_array();
    for (name, schema) in form["properties"].as_object().into_iter().flatten() {
        let name = Value::from(name.as_str());
        let must = required.is_some_and(|all| all.contains(&name));
        params.push(param(&name, must, schema));
    }
    let responses = described["responses"].as_object().expect("responses");
    let statuses: Vec<u16> = responses
        .keys()
        .filter_map(|status| status.parse().ok())
        .collect();
    let content = &responses[&statuses[0].to_string()]["content"];
    let properties = &content["application/json"]["schema"]["properties"];
    let list = properties.get("meta").and_then(|_| {
        let mut names = properties.as_object()?.keys();
        names.find(|name| *name != "meta").cloned()
    });
    Operation {
        id: described["operationId"]
            .as_str()
            .expect("a name")
            .to_owned(),
        method: method.to_uppercase().parse().expect("a method"),
        path: path.to_owned(),
        params,
        statuses,
        list,
        speaks_json: content.is_null() || content.get("application/json").is_some(),
    }
}

fn param(name: &Value, required: bool, schema: &Value) -> Param {
    let one = if schema["type"] == "array" {
        &schema["items"]
    } else {
        schema
    };
    let word = |field: &str| one[field].as_str().unwrap_or_default();
    let holds = match (word("type"), word("format")) {
        ("boolean", _) => Holds::Boolean,
        ("integer", _) => Holds::Integer,
        (_, "date-time") => Holds::Moment,
        (_, "duration") => Holds::Duration,
        (_, "uri") => Holds::Url,
        _ if one.get("enum").is_some() => Holds::Word,
        _ if one.get("contentMediaType").is_some() => Holds::Json,
        _ if one.get("pattern").is_some() => Holds::Sid(word("pattern")[1..3].to_owned()),
        _ => {
            let most = one["maxLength"].as_u64();
            Holds::Text(most.map(|most| usize::try_from(most).expect("a length")))
        }
    };
    Param {
        name: name.as_str().expect("a name").to_owned(),
        required,
        holds,
    }
}
