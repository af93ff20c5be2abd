//! Signing in: what a new socket says first, and what it is answered.
//!
//! # Who comes back
//! A client of the SDK keeps the sync objects of the user it began as, and asks for nothing anew when it is back after a
//! loss. Signed in as somebody else it would call itself connected and hear of nothing any more. That happens when the
//! user was deleted (the identity then means a new one), and with the token of another identity. So a client is told its
//! user's SID as its `continuation_token`; the SDK says it again with the same client object's next `init`, and whoever
//! is not that user any more is refused for good: the state is `denied`, and the program makes a new client.
//!
//! The SID needs neither a seal nor a signature. It is no secret to its user, and whoever says another one, or none,
//! gains nothing: who somebody is comes from the access token alone.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;
use tracing::info;

use super::Gateway;
use super::commands::Session;
use super::limits::NotNow;
use super::protocol::{self, Frame, Status};
use super::sockets::Place;
use super::websocket::{Message, Packet, WebSocket};
use crate::domain::Error;
use crate::ops::users::{self, SignedIn};

/// Waits until a socket says who it is, and answers. None who does not in time, or is refused and has been told why.
pub async fn wait(
    gateway: &Gateway,
    socket: &mut WebSocket,
    place: &mut Place,
    base: Arc<str>,
) -> Option<Session> {
    let most = Duration::from_secs(gateway.0.settings.sign_in_seconds.max(1).into());
    let hello = timeout(most, sign_in(gateway, socket, place, base));
    hello.await.ok().flatten()
}

async fn sign_in(
    gateway: &Gateway,
    socket: &mut WebSocket,
    place: &mut Place,
    base: Arc<str>,
) -> Option<Session> {
    let frame = loop {
        match socket.read().await? {
            Message::Binary(bytes) => break Frame::read(bytes).ok()?,
            Message::Text(_) | Message::Close(_) => return None,
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
        }
    };
    if frame.header.method != "init" {
        return None;
    }
    let id = frame.header.id;
    let token = frame.header.token.unwrap_or_default();
    let before = frame.header.continuation_token;
    let admitted = match before.and_then(|user| user.parse().ok()) {
        Some(user) => users::sign_in_again(gateway.core(), &token, user).await,
        None => users::sign_in(gateway.core(), &token).await,
    };
    match admitted {
        Ok(signed_in) => {
            if let Err(refusal) = place.sign_in(&signed_in, gateway.core().clock.now()) {
                let _ = socket.write([not_now(&id, refusal)]).await;
                return None;
            }
            socket.trust();
            info!(user.sid = %signed_in.user, service.sid = %signed_in.ctx.service, "signed in");
            let session = session(gateway, signed_in, base).await;
            socket
                .write([protocol::welcome(&id, session.user)])
                .await
                .ok()?;
            Some(session)
        }
        Err(error) => {
            let refusal = protocol::reply(&id, &refused(&error));
            let _ = socket.write([refusal]).await;
            None
        }
    }
}

/// Begins the session of somebody who signed in. From here on the user is online.
pub async fn session(gateway: &Gateway, signed_in: SignedIn, base: Arc<str>) -> Session {
    Session {
        present: gateway.0.presence.arrive(&signed_in).await,
        user: signed_in.user,
        key: signed_in.key,
        expires: signed_in.expires,
        push_credential: signed_in.push_credential,
        ctx: signed_in.ctx,
        base,
    }
}

/// The status of a refused token, or of a server that cannot say.
pub fn refused(error: &Error) -> Status {
    let published = error.published();
    match error {
        Error::Token(_) | Error::AccountNotActive | Error::TooManySockets(_) => Status {
            error_code: Some(published.code),
            description: Some(error.to_string()),
            ..Status::of(published.status)
        },
        _ => Status::of(published.status),
    }
}

/// Sends somebody away who may come back later. An SDK does so by itself.
fn not_now(id: &str, NotNow { limit, after }: NotNow) -> Packet {
    let name = limit.as_str();
    info!(limit = name, "a socket more than there may be was refused");
    metrics::counter!("convoke_sockets_refused", "limit" => name).increment(1);
    protocol::come_back(id, &refused(&Error::TooManySockets(limit)), after)
}
