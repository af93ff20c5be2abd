//! What the benchmarks share.
#![allow(
    dead_code,
    clippy::print_stdout,
    reason = "each benchmark uses a part; printing is what they do"
)]

pub mod cluster;
pub mod machine;
