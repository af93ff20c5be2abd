//! The list of all routes: what is served, product by product, with what each operation takes and answers.

mod accounts;
mod configuration;
mod contents;
mod conversations;
mod media;
mod messaging;

use axum::http::Method;

use super::api::Api;
use super::params::{Param, WEBHOOKS};
use super::product::Product;

const GET: Method = Method::GET;
const POST: Method = Method::POST;
const DELETE: Method = Method::DELETE;
/// What a deletion that webhooks may hear of takes.
const HEARD: &[Param] = &[WEBHOOKS];

/// Every product with its routes.
pub fn all() -> Vec<(Product, Api)> {
    let mut apis = vec![(Product::Conversations, conversations_api())];
    apis.extend(media::all());
    apis.push((Product::Content, contents::api()));
    apis.push((Product::Messaging, messaging::api()));
    apis.extend(accounts::all());
    apis
}

fn conversations_api() -> Api {
    let mut api = Api::new(Product::Conversations);
    configuration::add(&mut api);
    conversations::add(&mut api);
    api
}
