//! How much memory hundreds of clients that mean no good take, all at once, measured from outside.

use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;

use super::silent::{ByHand, WHOLE};
use super::{join, list, sid};
use crate::support::server::{ACCOUNT_SID, AUTH_TOKEN};
use crate::support::socket::{Reading, Sent, SocketClient, Writing, frame, read};
use crate::support::{Process, TestServer};

const MIB: u64 = 1024 * 1024;
/// How many there are of each kind.
const CROWD: usize = 40;
/// How many of them read pages.
const READERS: usize = 10;
/// How many pages each of those asks for: as many as it may.
const PAGES: usize = 32;
/// How many messages are posted while nobody of the crowd reads.
const POSTS: usize = 200;

/// The most that a reader of pages may take: two turns of four pages with 1.1 MiB of text, one page in the making and
/// one on its way, and what the allocator does not use.
const OF_A_READER: u64 = 16 * MIB;
/// The most that each of the others may take.
const OF_ANOTHER: u64 = MIB / 8;

/// A node that is measured, beside the server of the test.
struct Victim<'a> {
    process: Process,
    server: &'a TestServer,
}

impl Victim<'_> {
    async fn socket(&self, identity: &str) -> SocketClient {
        let mut client = SocketClient::connect(self.process.address).await;
        client
            .sign_in(&self.server.good_token(identity).await)
            .await;
        client
    }

    async fn post(&self, talk: &str, body: &str) {
        let url = format!("http://{}{talk}/Messages", self.process.address);
        let asked = self.server.http.post(url).form(&[("Body", body)]);
        let answer = asked.basic_auth(ACCOUNT_SID, Some(AUTH_TOKEN)).send().await;
        assert_eq!(answer.expect("an answer").status(), 201);
    }

    /// Half of the request for an upgrade.
    async fn half_open(&self) -> TcpStream {
        let stream = TcpStream::connect(self.process.address).await;
        let mut stream = stream.expect("a connection");
        let half = b"GET /v3/wsconnect HTTP/1.1\r\nHost: x\r\nConnection: Up";
        stream.write_all(half).await.expect("written");
        stream
    }

    /// Somebody who follows what others say, and does not read it.
    async fn deaf(&self, talk: &str) -> SocketClient {
        let mut client = self.socket("deaf").await;
        let messages = format!("{}.messages", sid(talk));
        client.follow("list", &messages, None).await;
        client
    }

    /// Somebody who wants all that was ever said, and does not read it.
    async fn late(&self, talk: &str) -> SocketClient {
        let mut client = self.socket("deaf").await;
        let wish = json!({ "object_sid": format!("{}.messages", sid(talk)), "last_event_id": 0 });
        let body = json!({ "action": "establish", "correlation_id": 1, "requests": [wish] });
        let body = body.to_string();
        client.start("POST", "/v4/Subscriptions", &body).await;
        client
    }

    /// Somebody who wishes to follow a thousand objects of others.
    async fn stranger(&self) -> SocketClient {
        let mut client = self.socket("stranger").await;
        for part in 0..10 {
            let wishes: Vec<Value> = (0..100)
                .map(|n| json!({ "object_sid": format!("ES{:032x}", part * 100 + n), "last_event_id": 0 }))
                .collect();
            let body = json!({ "action": "establish", "correlation_id": part, "requests": wishes });
            let (status, _) = client.ask("POST", "/v4/Subscriptions", body).await;
            assert_eq!(status, 200);
        }
        client
    }

    /// Somebody who asks for many long pages at once, and does not read them.
    async fn reader(&self, talk: &str) -> (Reading, Writing) {
        let (reading, mut writing) = self.socket("reader").await.split();
        let path = format!("{}/Items", list(talk));
        let params = json!({ "PageSize": "100" });
        let request = json!({ "method": "GET", "path": path, "params": params });
        for n in 0..PAGES {
            let header =
                json!({ "id": format!("TM{n}"), "method": "message", "http_request": request });
            writing.send(frame(header, &[])).await.expect("sent");
        }
        (reading, writing)
    }
}

/// Reads pages; each must be whole.
async fn read_pages(from: &mut Reading) {
    for _ in 0..PAGES {
        let Some(Ok(Message::Binary(bytes))) = from.next().await else {
            panic!("closed instead of an answer")
        };
        let Sent::Frame(header, page) = read(&bytes) else {
            unreachable!("what was read is a frame")
        };
        assert_eq!(header["http_status"]["code"], 200, "{header}");
        assert_eq!(page["items"].as_array().map(Vec::len), Some(31));
    }
}

#[sqlx::test]
async fn hundreds_who_mean_no_good_take_little_memory_and_nobodys_place(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    for identity in ["alice", "deaf", "reader"] {
        join(&server, &talk, identity).await;
    }
    let body = "x".repeat(32 * 1024);
    let attributes = format!("\"{}\"", "y".repeat(4 * 1024 - 2));
    for _ in 0..100 {
        let form = [("Body", &*body), ("Attributes", &*attributes)];
        let path = format!("{talk}/Messages");
        server.post(&path, &form).await.with(201);
    }
    let process = Process::start(&pool, &server, "rest,gateway").await;
    let victim = Victim {
        process,
        server: &server,
    };
    let mut alice = victim.deaf(&talk).await; // she will read
    let before = victim.process.most_memory();

    let mut crowd: Vec<Box<dyn std::any::Any>> = Vec::new();
    let address = victim.process.address;
    for n in 0..CROWD {
        crowd.push(Box::new(victim.half_open().await));
        crowd.push(Box::new(ByHand::open(address).await));
        crowd.push(Box::new(victim.stranger().await));
        crowd.push(Box::new(victim.deaf(&talk).await));
        crowd.push(Box::new(victim.late(&talk).await));
        let token = server.good_token("liar").await;
        // What may be is waited for; what is more is refused at once, before and after signing in.
        let mut liar = ByHand::signed_in_with(address, &token).await;
        liar.send(WHOLE, 262_144, b"T").await;
        crowd.push(Box::new(liar));
        let mut liar = if n % 2 == 0 {
            ByHand::open(address).await
        } else {
            ByHand::signed_in_with(address, &token).await
        };
        liar.send(WHOLE, 100 * MIB, b"T").await;
        liar.end().await;
    }
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(victim.reader(&talk).await);
    }

    // Others go on.
    let said = "z".repeat(16 * 1024);
    for _ in 0..POSTS {
        victim.post(&talk, &said).await;
        let heard = alice.next_notification().await;
        assert_eq!(heard["events"][0]["item_data"]["text"], said);
    }
    // Some of the readers read after all, so all that they asked for was read and made.
    for (reading, _) in &mut readers[..READERS / 2] {
        read_pages(reading).await;
    }
    let taken = victim.process.most_memory() - before;
    let others = 6 * CROWD as u64;
    let most = READERS as u64 * OF_A_READER + others * OF_ANOTHER;
    assert!(taken <= most, "{} MiB of {}", taken / MIB, most / MIB);

    // They leave, and it is as if they had never been there.
    drop((crowd, readers));
    let mut bob = victim.socket("alice").await;
    let items = format!("{}/Items", list(&talk));
    let (status, page) = bob.get(&items, json!({ "PageSize": "30" })).await;
    assert_eq!(status, 200, "{page}");
    assert_eq!(page["items"].as_array().map(Vec::len), Some(30));
}
