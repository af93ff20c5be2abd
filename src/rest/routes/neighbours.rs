//! The products beside Conversations: Messaging, the API of 2010, IAM, Content.

use super::super::api::Api;
use super::super::product::Product;

/// The products with their routes.
pub(super) fn all() -> Vec<(Product, Api)> {
    Vec::new()
}
