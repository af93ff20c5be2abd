//! The media service.

use super::super::api::{Answers, Api, Body, NOTHING, Shape, created, made, one};
use super::super::media as it;
use super::super::params::NONE;
use super::super::product::Product;
use super::{DELETE, GET, POST};

/// The bytes, or some of them.
const BYTES: Answers = Answers {
    statuses: &[200, 206],
    shape: Shape::Bytes,
};

/// The product with its routes.
#[rustfmt::skip] // a table: one route a line
pub(super) fn all() -> Vec<(Product, Api)> {
    let mut api = Api::new(Product::Mcs);
    let path = "/v1/Services/{service}/Media";
    api.add_with(Body::Bytes, "CreateMedia", POST, path, it::NEW, created::<it::View>(), it::create);
    let path = "/v1/Services/{service}/MediaSet";
    api.add_with(Body::Json, "FetchMediaSet", POST, path, NONE, made::<Vec<it::OfSet>>(&[200]), it::fetch_set);
    let path = "/v1/Services/{service}/Media/{media}";
    api.add("FetchMedia", GET, path, NONE, one::<it::View>(), it::fetch);
    api.add("DeleteMedia", DELETE, path, NONE, NOTHING, it::remove);
    let path = "/v1/Services/{service}/Media/{media}/Content";
    api.add("FetchMediaContent", GET, path, NONE, BYTES, it::content);
    let path = "/v1/Services/{service}/Media/{media}/Temporary";
    api.add("FetchMediaTemporary", GET, path, it::SIGNED, BYTES, it::temporary);
    vec![(Product::Mcs, api)]
}
