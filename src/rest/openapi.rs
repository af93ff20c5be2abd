//! The published document: OpenAPI 3.1, printed from the operations as they are served.

use schemars::generate::SchemaSettings;
use schemars::{SchemaGenerator, json_schema};
use serde_json::{Map, Value, json};

use super::api::{Answers, Body, Operation, Shape};
use super::params::{Holds, PAGE, Param};
use super::product::Product;

/// The document of these operations.
pub fn document(operations: &[Operation]) -> Value {
    let mut settings = SchemaSettings::draft2020_12().for_serialize();
    settings.definitions_path = "/components/schemas".into();
    settings.meta_schema = None;
    let mut schemas = SchemaGenerator::new(settings);
    let mut paths = Map::new();
    for operation in operations {
        let path = match operation.product {
            Product::Conversations => operation.path.clone(),
            other => format!("{}{}", other.prefix(), operation.path),
        };
        let described = describe(operation, &mut schemas);
        let at = paths.entry(path).or_insert_with(|| json!({}));
        at[operation.method.as_str().to_ascii_lowercase()] = described;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Convoke",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "A self-hosted conversations server, compatible with the Twilio Conversations API v1.",
            "license": { "name": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "credentials": [] }],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "credentials": {
                    "type": "http",
                    "scheme": "basic",
                    "description": "Account SID and auth token, or API key SID and secret.",
                },
            },
            "schemas": with_error(schemas.take_definitions(true)),
        },
    })
}

fn with_error(mut schemas: Map<String, Value>) -> Map<String, Value> {
    let error = json_schema!({
        "type": "object",
        "description": "A refusal.",
        "required": ["code", "message", "more_info", "status"],
        "additionalProperties": false,
        "properties": {
            "code": { "type": "integer" },
            "message": { "type": "string" },
            "more_info": { "type": "string", "format": "uri" },
            "status": { "type": "integer" },
            "details": {
                "type": "object",
                "additionalProperties": false,
                "properties": {
                    "permission": { "type": "string" },
                    "parameter": { "type": "string" },
                },
            },
        },
    });
    schemas.insert("error".to_owned(), error.into());
    schemas
}

fn describe(operation: &Operation, schemas: &mut SchemaGenerator) -> Value {
    let mut parameters = in_path(&operation.path);
    let listed = matches!(
        operation.answers.shape,
        Shape::Page(..) | Shape::OldPage(..)
    );
    let more = if listed { PAGE } else { &[] };
    let takes_form = operation.body == Body::Form && operation.method == "POST";
    let (fields, rest): (Vec<&Param>, Vec<&Param>) = operation
        .params()
        .chain(more)
        .partition(|param| takes_form && !param.header);
    parameters.extend(rest.into_iter().map(|param| {
        json!({
            "name": param.name,
            "in": if param.header { "header" } else { "query" },
            "required": param.required,
            "schema": schema(param),
        })
    }));
    let mut described = json!({
        "operationId": format!("{}{}", operation.product.word(), operation.id),
        "tags": [operation.product.title()],
        "parameters": parameters,
        "responses": responses(operation, schemas),
    });
    if let Some(body) = body(operation, &fields) {
        described["requestBody"] = body;
    }
    described
}

fn in_path(path: &str) -> Vec<Value> {
    path.split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.split('}').next())
        .map(|name| {
            json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } })
        })
        .collect()
}

fn body(operation: &Operation, fields: &[&Param]) -> Option<Value> {
    if operation.method != "POST" {
        return None;
    }
    Some(match operation.body {
        Body::Json => json!({
            "required": true,
            "content": { "application/json": { "schema": { "type": "object" } } },
        }),
        Body::Bytes => json!({
            "content": { "application/octet-stream": {}, "multipart/form-data": {} },
        }),
        Body::Form if fields.is_empty() => return None,
        Body::Form => {
            let properties: Map<String, Value> = fields
                .iter()
                .map(|param| (param.name.to_owned(), schema(param)))
                .collect();
            let required: Vec<&str> = fields
                .iter()
                .filter(|param| param.required)
                .map(|param| param.name)
                .collect();
            let mut schema = json!({ "type": "object", "properties": properties });
            if !required.is_empty() {
                schema["required"] = json!(required);
            }
            json!({ "content": { "application/x-www-form-urlencoded": { "schema": schema } } })
        }
    })
}

fn schema(param: &Param) -> Value {
    let one = match param.holds {
        Holds::Text => json!({ "type": "string" }),
        Holds::Short(most) => json!({ "type": "string", "maxLength": most }),
        Holds::Sid(prefix) => {
            json!({ "type": "string", "pattern": format!("^{prefix}[0-9a-fA-F]{{32}}$") })
        }
        Holds::Boolean => json!({ "type": "boolean" }),
        Holds::Integer => json!({ "type": "integer" }),
        Holds::Moment => json!({ "type": "string", "format": "date-time" }),
        Holds::Duration => json!({ "type": "string", "format": "duration" }),
        Holds::Json => json!({ "type": "string", "contentMediaType": "application/json" }),
        Holds::Url => json!({ "type": "string", "format": "uri" }),
        Holds::Word(words) => json!({ "type": "string", "enum": words }),
    };
    if param.repeated {
        json!({ "type": "array", "items": one })
    } else {
        one
    }
}

fn responses(operation: &Operation, schemas: &mut SchemaGenerator) -> Value {
    let mut all = Map::new();
    let good = success(&operation.answers, schemas);
    for status in operation.answers.statuses {
        all.insert(status.to_string(), good.clone());
    }
    for (status, why) in refusals(operation) {
        all.insert(
            status.to_string(),
            json!({
                "description": why,
                "content": { "application/json": { "schema": { "$ref": "#/components/schemas/error" } } },
            }),
        );
    }
    all.into()
}

/// The statuses of an operation's refusals; every other would be a fault of ours.
fn refusals(operation: &Operation) -> impl Iterator<Item = (u16, &'static str)> {
    let writes = operation.method != "GET";
    let posts = operation.method == "POST";
    let listed = matches!(
        operation.answers.shape,
        Shape::Page(..) | Shape::OldPage(..)
    );
    let named = operation.path.contains('{');
    let bytes = matches!(operation.answers.shape, Shape::Bytes);
    [
        (
            posts || listed || operation.params().next().is_some(),
            400,
            "A parameter is wrong.",
        ),
        (true, 401, "Credentials are missing or wrong."),
        (true, 403, "The credentials are not good for this."),
        (named, 404, "What the path names does not exist."),
        (writes, 409, "Something stands against it as things are."),
        (posts, 413, "The body is too large."),
        (bytes, 416, "The range lies behind the end."),
        (true, 500, "A fault of the server."),
        (true, 503, "Not now; it may be tried again."),
    ]
    .into_iter()
    .filter_map(|(can_be, status, why)| can_be.then_some((status, why)))
}

fn success(answers: &Answers, schemas: &mut SchemaGenerator) -> Value {
    let json = |schema: Value| {
        json!({
            "description": "Success.",
            "content": { "application/json": { "schema": schema } },
        })
    };
    match answers.shape {
        Shape::Nothing => json!({ "description": "Done." }),
        Shape::Bytes => json!({ "description": "The bytes.", "content": { "*/*": {} } }),
        Shape::One(of) => json(of(schemas).into()),
        Shape::Page(kind, of) => json(json!({
            "type": "object",
            "required": [kind.key, "meta"],
            "additionalProperties": false,
            "properties": {
                kind.key: { "type": "array", "items": of(schemas) },
                "meta": meta(),
            },
        })),
        Shape::OldPage(key, of) => json(json!({
            "type": "object",
            "required": [
                key, "page", "page_size", "start", "end", "uri", "first_page_uri", "next_page_uri",
                "previous_page_uri",
            ],
            "additionalProperties": false,
            "properties": {
                key: { "type": "array", "items": of(schemas) },
                "page": { "type": "integer" },
                "page_size": { "type": "integer" },
                "start": { "type": "integer" },
                "end": { "type": "integer" },
                "uri": { "type": "string" },
                "first_page_uri": { "type": "string" },
                "next_page_uri": { "type": ["string", "null"] },
                "previous_page_uri": { "type": ["string", "null"] },
            },
        })),
    }
}

fn meta() -> Value {
    json!({
        "type": "object",
        "required": [
            "page", "page_size", "first_page_url", "previous_page_url", "url", "next_page_url", "key",
        ],
        "additionalProperties": false,
        "properties": {
            "page": { "type": "integer" },
            "page_size": { "type": "integer" },
            "first_page_url": { "type": "string", "format": "uri" },
            "previous_page_url": { "type": ["string", "null"], "format": "uri" },
            "url": { "type": "string", "format": "uri" },
            "next_page_url": { "type": ["string", "null"], "format": "uri" },
            "key": { "type": "string" },
            "total": { "type": "integer" },
        },
    })
}
