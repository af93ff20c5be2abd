//! What tests share: a real server on a real, migrated database of its own.

pub mod cluster;
pub mod nats;
pub mod process;
pub mod rest;
pub mod server;
pub mod socket;
pub mod statements;
pub mod wait;

pub use cluster::TestCluster;
pub use nats::NatsServer;
pub use process::Process;
pub use rest::{Answer, Carries, Credentials, text};
pub use server::TestServer;
pub use statements::Statements;
