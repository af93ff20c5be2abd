//! Operations: each route with what it takes and answers, so that the published document is printed from what is served.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::routing::{MethodFilter, on};
use schemars::{JsonSchema, Schema, SchemaGenerator};

use super::Rest;
use super::idempotency;
use super::params::{IDEMPOTENCY_KEY, Param};
use super::product::Product;
use crate::domain::ListKind;

/// One operation.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Its name in the published document, unique in its product.
    pub id: String,
    /// The product it belongs to.
    pub product: Product,
    /// The method.
    pub method: Method,
    /// The path within the product, with its slots in braces.
    pub path: String,
    params: &'static [Param],
    /// What its body is, if it has one.
    pub body: Body,
    /// What it answers when it succeeds.
    pub answers: Answers,
}

impl Operation {
    /// Whether a request may carry an idempotency key: creations may, uploads apart.
    fn takes_key(&self) -> bool {
        self.method == Method::POST
            && self.body != Body::Bytes
            && self
                .answers
                .statuses
                .contains(&StatusCode::CREATED.as_u16())
    }

    /// Whether its body is read, and must come in time. Uploads have limits of their own.
    fn is_hurried(&self) -> bool {
        self.method == Method::POST && self.body != Body::Bytes
    }

    /// What it takes beside the path.
    pub fn params(&self) -> impl Iterator<Item = &'static Param> {
        let key = self.takes_key().then_some(&IDEMPOTENCY_KEY);
        self.params.iter().chain(key)
    }
}

/// What a request's body is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// A form of the parameters, where the method is POST.
    Form,
    /// A JSON object.
    Json,
    /// Any bytes: a file.
    Bytes,
}

/// What an operation answers when it succeeds.
#[derive(Debug, Clone, Copy)]
pub struct Answers {
    /// The statuses; the first is the usual one.
    pub statuses: &'static [u16],
    /// What the body is.
    pub shape: Shape,
}

/// What an answer's body is.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// No body.
    Nothing,
    /// Bytes of any kind.
    Bytes,
    /// One resource.
    One(fn(&mut SchemaGenerator) -> Schema),
    /// A page of a list of resources, with `meta`.
    Page(ListKind, fn(&mut SchemaGenerator) -> Schema),
    /// A page in the style of the 2010 API.
    OldPage(&'static str, fn(&mut SchemaGenerator) -> Schema),
}

fn schema<V: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<V>()
}

/// 200 with a resource.
pub fn one<V: JsonSchema>() -> Answers {
    Answers {
        statuses: &[200],
        shape: Shape::One(schema::<V>),
    }
}

/// 201 with a new resource.
pub fn created<V: JsonSchema>() -> Answers {
    Answers {
        statuses: &[201],
        shape: Shape::One(schema::<V>),
    }
}

/// A new resource, with other statuses than 201 alone.
pub fn made<V: JsonSchema>(statuses: &'static [u16]) -> Answers {
    Answers {
        statuses,
        shape: Shape::One(schema::<V>),
    }
}

/// 200 with a page of a list.
pub fn page<V: JsonSchema>(of: ListKind) -> Answers {
    Answers {
        statuses: &[200],
        shape: Shape::Page(of, schema::<V>),
    }
}

/// 200 with a page of a list of the 2010 API.
pub fn old_page<V: JsonSchema>(key: &'static str) -> Answers {
    Answers {
        statuses: &[200],
        shape: Shape::OldPage(key, schema::<V>),
    }
}

/// 204.
pub const NOTHING: Answers = Answers {
    statuses: &[204],
    shape: Shape::Nothing,
};

/// The routes of one product, and what is known of them.
pub struct Api {
    product: Product,
    router: Router<Rest>,
    operations: Vec<Operation>,
}

impl Api {
    /// No routes yet.
    pub fn new(product: Product) -> Self {
        Self {
            product,
            router: Router::new(),
            operations: Vec::new(),
        }
    }

    /// Adds an operation that takes a form or a query.
    pub fn add<H, T>(
        &mut self,
        id: &str,
        method: Method,
        path: &str,
        params: &'static [Param],
        answers: Answers,
        handler: H,
    ) where
        H: Handler<T, Rest>,
        T: 'static,
    {
        self.add_with(Body::Form, id, method, path, params, answers, handler);
    }

    /// Adds an operation whose body is no form.
    #[expect(
        clippy::too_many_arguments,
        reason = "each is one column of the list of routes"
    )]
    pub fn add_with<H, T>(
        &mut self,
        body: Body,
        id: &str,
        method: Method,
        path: &str,
        params: &'static [Param],
        answers: Answers,
        handler: H,
    ) where
        H: Handler<T, Rest>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).unwrap_or(MethodFilter::GET);
        let operation = Operation {
            id: id.to_owned(),
            product: self.product,
            method,
            path: path.to_owned(),
            params,
            body,
            answers,
        };
        let handled = if operation.takes_key() {
            let id: Arc<str> = format!("{}{id}", self.product.word()).into();
            on(filter, move |State(rest): State<Rest>, request: Request| {
                let request = rest.hurried(request);
                idempotency::once(rest, Arc::clone(&id), request, handler.clone())
            })
        } else if operation.is_hurried() {
            on(filter, move |State(rest): State<Rest>, request: Request| {
                handler.clone().call(rest.hurried(request), rest)
            })
        } else {
            on(filter, handler)
        };
        // The router has no slots with something behind them; `Names` strips it.
        let route = path.replace("}.json", "}");
        self.router = std::mem::take(&mut self.router).route(&route, handled);
        self.operations.push(operation);
    }

    /// The router and the operations.
    pub fn into_parts(self) -> (Router<Rest>, Vec<Operation>) {
        (self.router, self.operations)
    }
}
