//! Senders: the addresses that a Messaging Service sends from.
