//! Plain messages: sent as they are, outside of conversations.
