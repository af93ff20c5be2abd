//! The socket, as a client sees it that trusts nothing.

mod catching_up;
mod following;
mod fuzz;
mod hanging_up;
mod hostile;
mod lanes;
mod limits;
mod nodes;
mod outage;
mod paging;
mod permissions;
mod presence;
mod repeating;
mod signing_in;
mod starting;
mod stopping;
mod websocket;

use crate::support::{TestServer, text};

/// Has a user take part; answers the participant's SID.
async fn join(server: &TestServer, talk: &str, identity: &str) -> String {
    let body = server
        .post(&format!("{talk}/Participants"), &[("Identity", identity)])
        .await
        .with(201);
    text(&body, "sid")
}

/// The SID in the path of a conversation.
fn sid(talk: &str) -> &str {
    talk.trim_start_matches("/v1/Conversations/")
}

/// The name of a conversation's object.
fn part(talk: &str, of: &str) -> String {
    format!("{}.{of}", sid(talk))
}

/// Where clients post the messages of a conversation.
async fn messages(server: &TestServer, talk: &str) -> String {
    let (service, sid) = (server.default_service().await, sid(talk));
    format!("/Client/v2/Services/{service}/Conversations/{sid}/Messages")
}
