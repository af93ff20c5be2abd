//! What the benchmarks share.
#![allow(
    dead_code,
    clippy::print_stdout,
    reason = "each benchmark uses a part; printing is what they do"
)]

pub mod cluster;
pub mod machine;
pub mod rest;
pub mod sdk;
pub mod wire;

use cluster::Result;

/// The value that follows an option of the command line, or the default.
pub fn option<T: std::str::FromStr>(name: &str, default: T) -> Result<T> {
    let mut arguments = std::env::args().skip_while(|argument| argument != name);
    match (arguments.next(), arguments.next()) {
        (None, _) => Ok(default),
        (_, Some(value)) => value.parse().map_err(|_| format!("{name} {value}?").into()),
        (_, None) => Err(format!("{name} needs a value").into()),
    }
}

/// The value in the middle.
pub fn median(of: impl IntoIterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = of.into_iter().collect();
    all.sort_by(f64::total_cmp);
    all.get(all.len() / 2).copied().unwrap_or(0.0)
}
