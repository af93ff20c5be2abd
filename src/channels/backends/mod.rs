//! One file per provider.

pub mod simulator;
