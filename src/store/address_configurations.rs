//! Address configurations.
