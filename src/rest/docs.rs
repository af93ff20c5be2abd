//! The readable page of the API: every operation with its parameters, one page, no scripts.

use std::fmt::Write as _;

use super::api::{Operation, Shape};
use super::params::{Holds, PAGE, Param};
use super::product::Product;

const HEAD: &str = "<!doctype html><html lang=en><meta charset=utf-8>\
<meta name=viewport content='width=device-width'><title>Convoke API</title><style>\
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1c1e21}\
h2{margin-top:3rem;border-bottom:1px solid #ddd}details{margin:.4rem 0;padding:.3rem .8rem;border:1px solid #e3e5e8;\
border-radius:6px}summary{cursor:pointer;overflow-wrap:anywhere}code{font:14px ui-monospace,monospace}\
b{display:inline-block;width:4.5rem}.POST{color:#0a6}.GET{color:#06c}.DELETE{color:#c33}\
td{padding:.1rem 1rem .1rem 0;vertical-align:top}small{color:#666}</style>\
<h1>Convoke API</h1><p>What this server answers over HTTP, printed from the running program; the calls of virtual \
handsets, <code>/v1/simulator</code>, are described with the source, in docs/handsets.md. \
<a href=/openapi.json>openapi.json</a> says the same to machines. Requests carry HTTP Basic credentials \
(account SID and auth token, or API key SID and secret); POST bodies are forms.</p>";

/// The page.
pub fn page(operations: &[Operation]) -> String {
    let mut html = HEAD.to_owned();
    let mut product: Option<Product> = None;
    for operation in operations {
        if product != Some(operation.product) {
            product = Some(operation.product);
            let _ = write!(html, "<h2>{}</h2>", operation.product.title());
            if operation.product != Product::Conversations {
                let prefix = operation.product.prefix();
                let _ = write!(html, "<p>Under <code>{prefix}</code>.</p>");
            }
        }
        entry(&mut html, operation);
    }
    html
}

fn entry(html: &mut String, operation: &Operation) {
    let (method, path) = (&operation.method, &operation.path);
    let _ = write!(
        html,
        "<details><summary><b class={method}>{method}</b><code>{path}</code> <small>{}</small></summary><table>",
        operation.id
    );
    for param in operation.params() {
        row(html, param);
    }
    if matches!(
        operation.answers.shape,
        Shape::Page(..) | Shape::OldPage(..)
    ) {
        for param in PAGE {
            row(html, param);
        }
    }
    let statuses: Vec<String> = operation
        .answers
        .statuses
        .iter()
        .map(ToString::to_string)
        .collect();
    let _ = write!(
        html,
        "</table><p><small>Answers {}</small></p></details>",
        statuses.join(" or ")
    );
}

fn row(html: &mut String, param: &Param) {
    let holds = match param.holds {
        Holds::Text => "text".to_owned(),
        Holds::Short(most) => format!("text, at most {most} characters"),
        Holds::Sid(prefix) => format!("SID, {prefix}…"),
        Holds::Boolean => "true or false".to_owned(),
        Holds::Integer => "whole number".to_owned(),
        Holds::Moment => "date and time".to_owned(),
        Holds::Duration => "ISO 8601 duration".to_owned(),
        Holds::Json => "JSON".to_owned(),
        Holds::Url => "URL".to_owned(),
        Holds::Word(words) => words.join(", "),
    };
    let place = if param.header { ", header" } else { "" };
    let list = if param.repeated { ", repeatable" } else { "" };
    let required = if param.required { ", required" } else { "" };
    let name = param.name.replace('<', "&lt;");
    let _ = write!(
        html,
        "<tr><td><code>{name}</code><td><small>{holds}{place}{list}{required}</small>"
    );
}
