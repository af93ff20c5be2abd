//! Convoke.
pub mod domain;
pub mod ops;
pub mod store;
