//! What tests share: a real server on a real, migrated database of its own.

pub mod rest;
pub mod server;
pub mod socket;

pub use rest::text;
pub use server::TestServer;
