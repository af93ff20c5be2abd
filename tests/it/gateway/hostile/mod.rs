//! Clients that mean no good: refused, closed or ignored, and nobody else notices.

mod flooding;
mod foreign;
mod frames;
mod memory;
mod pages;
mod silent;

use super::{join, sid};

/// The path of a conversation's messages as a list.
fn list(talk: &str) -> String {
    format!("/v3/Lists/{}.messages", sid(talk))
}
