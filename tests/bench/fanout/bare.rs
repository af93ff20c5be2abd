//! What is compared with: the plainest program that broadcasts over websockets.
//!
//! `tokio-tungstenite` as its examples use it: an accept loop, a task per connection, a broadcast channel. Whoever sends
//! the frames of a message has them sent to everybody; everything else that is sent (acknowledgements) is dropped. Messages
//! that wait for a receiver share their frames, as Convoke's do: those of the list follow each other in one, and of the
//! document's the last is enough. So both write about as many bytes.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use bytes::{Bytes, BytesMut};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::broadcast;
use tokio_tungstenite::accept_async;
use tokio_tungstenite::tungstenite::Message;

use crate::support::cluster::Result;

/// How the frames of a message begin, on their way to this program.
const TO_ALL: u8 = b'+';

/// The frames of a message, on their way to this program.
pub fn packed([first, second]: &[Bytes; 2]) -> Vec<u8> {
    let mut packed = vec![TO_ALL];
    packed.extend((first.len() as u32).to_be_bytes());
    packed.extend(first);
    packed.extend(second);
    packed
}

fn unpacked(packed: &Bytes) -> Option<[Bytes; 2]> {
    let length: [u8; 4] = packed.get(1..5)?.try_into().ok()?;
    let end = 5 + usize::try_from(u32::from_be_bytes(length)).ok()?;
    (packed[0] == TO_ALL && end <= packed.len())
        .then(|| [packed.slice(5..end), packed.slice(end..)])
}

/// The program in a process of its own; stopped when dropped.
pub struct Bare {
    child: Child,
    pub address: String,
}

impl Bare {
    pub fn start() -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg("bare")
            .stdout(Stdio::piped())
            .spawn()?;
        let mut address = String::new();
        let printed = child.stdout.take().ok_or("no output")?;
        BufReader::new(printed).read_line(&mut address)?;
        let address = address.trim().to_owned();
        Ok(Self { child, address })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The program itself.
pub fn run() -> Result<()> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await?;
            println!("{}", listener.local_addr()?);
            std::io::stdout().flush()?;
            let (all, _) = broadcast::channel(1024);
            loop {
                let (stream, _) = listener.accept().await?;
                stream.set_nodelay(true)?;
                tokio::spawn(serve(stream, all.clone()));
            }
        })
}

async fn serve(stream: TcpStream, all: broadcast::Sender<[Bytes; 2]>) -> Option<()> {
    let mut heard = all.subscribe();
    // Who sends need not hear: Convoke's senders follow nothing either.
    let mut sends = false;
    let mut socket = accept_async(stream).await.ok()?;
    loop {
        tokio::select! {
            first = heard.recv(), if !sends => {
                let [mut list, mut document] = first.ok()?;
                if !heard.is_empty() {
                    let mut together = BytesMut::from(list);
                    while let Ok([next, newest]) = heard.try_recv() {
                        together.extend_from_slice(&next);
                        document = newest;
                    }
                    list = together.freeze();
                }
                for frame in [list, document] {
                    socket.feed(Message::Binary(frame)).await.ok()?;
                }
                socket.flush().await.ok()?;
            }
            said = socket.next() => match said?.ok()? {
                Message::Binary(said) => {
                    if let Some(frames) = unpacked(&said) {
                        sends = true;
                        // An error only says that nobody listens.
                        let _ = all.send(frames);
                    }
                }
                Message::Close(_) => return None,
                _ => {}
            },
        }
    }
}
