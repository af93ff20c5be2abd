//! The products beside Conversations: Messaging and Content. The API of 2010 and IAM are in `accounts`.

use super::super::api::Api;
use super::super::product::Product;

/// The products with their routes.
pub(super) fn all() -> Vec<(Product, Api)> {
    Vec::new()
}
