//! The few stanzas of XMPP that it takes to hear and speak in a room, over a websocket.
//!
//! RFC 6120 and RFC 7395 for signing in, XEP-0045 for rooms. All that is written here needs no escaping; of what is read,
//! only what is waited for is looked at.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::sync::mpsc;

use super::ejabberd::{HOST, address_of};
use crate::support::cluster::Result;
use crate::support::wire::{Wire, frame_text};

/// How a stanza begins that says that something went wrong.
const FAILURES: [&str; 4] = ["<failure", "<stream:error", "<close", "type='error'"];

/// Signs in under a name and enters a room under the same name.
pub async fn enter(address: &str, room: &str, name: &str) -> Result<Wire> {
    let mut wire = Wire::open_with(address, "/ws", "Sec-WebSocket-Protocol: xmpp\r\n").await?;
    let open =
        format!("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='{HOST}' version='1.0'/>");
    let password = STANDARD.encode(format!("\0{name}\0any"));
    let auth = format!(
        "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>{password}</auth>"
    );
    let bind = "<iq xmlns='jabber:client' type='set' id='bind'>\
                <bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
    let enter = format!(
        "<presence xmlns='jabber:client' to='{}/{name}'>\
         <x xmlns='http://jabber.org/protocol/muc'/></presence>",
        address_of(room)
    );
    for (stanza, answer) in [
        (open.as_str(), "</stream:features>"),
        (&auth, "<success"),
        (&open, "</stream:features>"),
        (bind, "<jid>"),
        // The subject comes last of what a room tells who enters.
        (&enter, "<subject"),
    ] {
        let mut framed = Vec::new();
        frame_text(stanza, &mut framed);
        wire.write(&framed).await?;
        await_answer(&mut wire, answer).await?;
    }
    Ok(wire)
}

async fn await_answer(wire: &mut Wire, answer: &str) -> Result<()> {
    loop {
        let stanza = wire.hear().await?;
        let stanza = std::str::from_utf8(&stanza)?;
        if FAILURES.iter().any(|failure| stanza.contains(failure)) {
            return Err(format!("{stanza} instead of {answer}").into());
        }
        if stanza.contains(answer) {
            return Ok(());
        }
    }
}

/// Somebody in a room who speaks. Only who is in a room may, and so hears as well: that is read and dropped.
pub struct Speaker {
    /// Of the room.
    address: String,
    outbox: mpsc::UnboundedSender<Vec<u8>>,
}

impl Speaker {
    pub async fn enter(address: &str, room: &str, name: &str) -> Result<Self> {
        let mut wire = enter(address, room, name).await?;
        let (outbox, mut waiting) = mpsc::unbounded_channel::<Vec<u8>>();
        // Ends when the socket does, or when the speaker is dropped.
        tokio::spawn(async move {
            loop {
                let framed = tokio::select! {
                    framed = waiting.recv() => framed,
                    heard = wire.hear() => match heard {
                        Ok(_) => continue,
                        Err(_) => return,
                    },
                };
                let Some(framed) = framed else { return };
                if wire.write(&framed).await.is_err() {
                    return;
                }
            }
        });
        let address = address_of(room);
        Ok(Self { address, outbox })
    }

    /// Says a text in the room.
    pub fn say(&self, text: &str) -> Result<()> {
        let stanza = format!(
            "<message xmlns='jabber:client' type='groupchat' to='{}'><body>{text}</body></message>",
            self.address
        );
        let mut framed = Vec::new();
        frame_text(&stanza, &mut framed);
        let sent = self.outbox.send(framed);
        sent.map_err(|_| "a sender lost its connection".into())
    }
}
