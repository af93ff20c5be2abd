//! Content templates.

use super::super::api::{Api, Body, NOTHING, created, one, page};
use super::super::contents::{self as it, View};
use super::super::pages::lists;
use super::super::params::NONE;
use super::super::product::Product;
use super::{DELETE, GET, POST};

/// The product with its routes.
#[rustfmt::skip] // a table: one route a line
pub(super) fn api() -> Api {
    let mut api = Api::new(Product::Content);
    let path = "/v1/Content";
    api.add_with(Body::Json, "CreateContent", POST, path, NONE, created::<View>(), it::create);
    api.add("ListContent", GET, path, it::FILTERS, page::<View>(lists::CONTENTS), it::list);
    let path = "/v1/Content/{content}";
    api.add("FetchContent", GET, path, NONE, one::<View>(), it::fetch);
    api.add("DeleteContent", DELETE, path, NONE, NOTHING, it::remove);
    api
}
