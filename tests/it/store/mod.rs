//! Statements and concurrency that no door reaches by itself.
mod idempotency;
mod plans;
mod posting;
