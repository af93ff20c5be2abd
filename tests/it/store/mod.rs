//! Statements and concurrency that no door reaches by itself.
mod posting;
