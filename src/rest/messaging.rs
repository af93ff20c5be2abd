//! Messaging v1: Messaging Services and their senders.
