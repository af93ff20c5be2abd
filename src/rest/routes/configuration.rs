//! Configuration, address configurations, credentials and bindings: each exists in one form of path only.

use super::super::api::Api;

/// Adds the routes.
pub(super) fn add(_api: &mut Api) {}
