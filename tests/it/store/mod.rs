//! Statements and concurrency that no door reaches by itself.
mod plans;
mod posting;
