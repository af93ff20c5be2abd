//! Webhooks: storing and serving their configuration.
