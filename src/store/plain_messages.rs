//! Plain messages.
