//! Messaging v1: Messaging Services and their senders.

pub mod senders;
pub mod services;
