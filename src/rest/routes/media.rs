//! The media service.

use super::super::api::Api;
use super::super::product::Product;

/// The product with its routes.
pub(super) fn all() -> Vec<(Product, Api)> {
    Vec::new()
}
