//! A user's own conversations, for programs.
