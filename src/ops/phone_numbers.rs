//! Numbers that an account says are its own.
