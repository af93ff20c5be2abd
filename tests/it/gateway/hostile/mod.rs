//! Clients that mean no good: refused, closed or ignored, and nobody else notices.

mod flooding;
mod foreign;
mod frames;
mod memory;
mod pages;
mod silent;

use crate::support::TestServer;

async fn join(server: &TestServer, talk: &str, identity: &str) {
    server
        .post(&format!("{talk}/Participants"), &[("Identity", identity)])
        .await
        .with(201);
}

/// The SID in the path of a conversation.
fn sid(talk: &str) -> &str {
    talk.rsplit('/').next().unwrap_or_default()
}

/// The path of a conversation's messages as a list.
fn list(talk: &str) -> String {
    format!("/v3/Lists/{}.messages", sid(talk))
}
