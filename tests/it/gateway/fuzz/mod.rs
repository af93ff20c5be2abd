//! Thousands of requests that nobody planned for: each is answered once, and none is our fault.

mod requests;

use std::collections::HashSet;

use proptest::strategy::{Strategy as _, ValueTree as _};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::json;
use sqlx::PgPool;

use crate::support::socket::{Sent, SocketClient, frame};
use crate::support::{TestServer, text};
use requests::{Request, Words};

/// What the requests are drawn with; another number draws others.
const SEED: u64 = 20_260_101;
/// How often the world is made anew: what is asked for also deletes it.
const ROUNDS: usize = 8;
/// Requests of one client in a round.
const REQUESTS: usize = 320;
/// Requests sent before the first answer is read.
const AT_ONCE: usize = 40;

fn number(name: &str, otherwise: u64) -> u64 {
    let given = std::env::var(name).ok();
    given
        .and_then(|text| text.parse().ok())
        .unwrap_or(otherwise)
}

/// Makes things for the requests to be about: own and foreign ones, in this service and another.
async fn world(server: &TestServer, services: [&str; 2], round: usize) -> Words {
    let mut words = Words {
        services: services.map(str::to_owned).to_vec(),
        ..Words::default()
    };
    let roles = server.get("/v1/Roles").await.with(200);
    let mut roles = roles["roles"].as_array().expect("roles").iter();
    let admin = roles.find(|role| role["friendly_name"] == "channel admin");
    let admin = text(admin.expect("the role"), "sid");
    for (base, members) in [
        ("/v1".to_owned(), &["alice", "bob"][..]),
        ("/v1".to_owned(), &["alice", "mallory"][..]),
        ("/v1".to_owned(), &["bob"][..]),
        (format!("/v1/Services/{}", services[1]), &[][..]),
    ] {
        let name = format!("round {round} of {}", members.join(" and "));
        let form = [("UniqueName", name.as_str())];
        let made = server.post(&format!("{base}/Conversations"), &form).await;
        let talk = text(&made.with(201), "sid");
        let path = format!("{base}/Conversations/{talk}");
        for member in members {
            let mut form = vec![("Identity", *member)];
            if *member == "alice" {
                form.push(("RoleSid", &admin));
            }
            let made = server.post(&format!("{path}/Participants"), &form).await;
            words.parts.push(text(&made.with(201), "sid"));
        }
        for author in ["alice", "bob"] {
            let form = [("Author", author), ("Body", "x")];
            let made = server.post(&format!("{path}/Messages"), &form).await;
            words.messages.push(text(&made.with(201), "sid"));
        }
        words.talks.push(talk);
    }
    for identity in ["alice", "bob", "mallory"] {
        let user = server.get(&format!("/v1/Users/{identity}")).await.with(200);
        words.users.push(text(&user, "sid"));
    }
    words
        .parts
        .extend(["alice", "bob", "mallory", "nobody"].map(str::to_owned));
    words
        .users
        .extend(["alice", "bob", "mallory", "nobody"].map(str::to_owned));
    words.tokens = ["PA", "PB", "PAW10", "PAWzEsMl0"]
        .map(str::to_owned)
        .to_vec();
    words
}

/// Page tokens that the server made.
async fn tokens(client: &mut SocketClient, words: &Words) -> Vec<String> {
    let mut tokens = Vec::new();
    for path in [
        format!("/v3/Lists/{}.messages/Items", words.talks[0]),
        format!("/v3/Maps/{}.roster/Items", words.talks[0]),
        format!("/Client/v2/Services/{}/MyConversations", words.services[0]),
    ] {
        let (_, page) = client.get(&path, json!({ "PageSize": "1" })).await;
        tokens.extend(page["meta"]["next_token"].as_str().map(str::to_owned));
    }
    tokens
}

/// Sends requests together, and holds what comes back to its promise. Answers how many succeeded.
async fn send(client: &mut SocketClient, batch: &[Request], first: usize) -> usize {
    let id = |n: usize| format!("TM{}", first + n);
    for (n, (request, payload)) in batch.iter().enumerate() {
        let header = json!({ "id": id(n), "method": "message", "http_request": request });
        client.send(frame(header, payload)).await;
    }
    let mut open: HashSet<String> = (0..batch.len()).map(id).collect();
    let (mut barrier, mut succeeded) = (None, 0);
    loop {
        if open.is_empty() && barrier.is_none() {
            // An answer that came twice would come before this one.
            let header = json!({ "id": format!("{} ends", id(0)), "method": "ping" });
            barrier = header["id"].as_str().map(str::to_owned);
            client.send(frame(header, &[])).await;
        }
        let (header, body) = match client.next().await {
            Sent::Frame(header, body) => (header, body),
            Sent::Closed(why) => panic!("closed: {why:?}; unanswered: {open:?} of {batch:?}"),
        };
        if header["method"] != "reply" {
            continue;
        }
        let answered = text(&header, "id");
        if Some(&answered) == barrier.as_ref() {
            return succeeded;
        }
        assert!(open.remove(&answered), "answered twice: {header}");
        let n = answered
            .strip_prefix("TM")
            .and_then(|n| n.parse::<usize>().ok());
        let asked = &batch[n.expect("a number") - first];
        let status = header["http_status"]["code"].as_u64().unwrap_or_default();
        assert!(
            header["status"]["code"] == 200 && matches!(status, 200..300 | 400..500),
            "{header} {body} answers {} {}",
            asked.0,
            String::from_utf8_lossy(&asked.1)
        );
        if status < 300 {
            succeeded += 1;
        } else {
            assert!(body["code"].is_u64() && body["status"] == status, "{body}");
        }
    }
}

#[sqlx::test]
async fn every_request_is_answered_once_and_none_is_our_fault(pool: PgPool) {
    let seed = number("CONVOKE_FUZZ_SEED", SEED);
    eprintln!("CONVOKE_FUZZ_SEED={seed}"); // shown when the test fails
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);

    let server = TestServer::start(&pool).await;
    let own = server.default_service().await;
    let mut alice = server.socket("alice").await;
    let mut mallory = server.socket("mallory").await;
    let mut bob = server.socket("bob").await;
    let other = server.post("/v1/Services", &[("FriendlyName", "x")]).await;
    let other = text(&other.with(201), "sid");
    let mut succeeded = 0;
    for round in 0..ROUNDS {
        let mut words = world(&server, [&own, &other], round).await;
        words.tokens.extend(tokens(&mut alice, &words).await);
        let strategy = words.request();
        for client in [&mut alice, &mut mallory] {
            for first in (0..REQUESTS).step_by(AT_ONCE) {
                let batch: Vec<Request> = (0..AT_ONCE)
                    .map(|_| strategy.new_tree(&mut runner).expect("a request").current())
                    .collect();
                succeeded += send(client, &batch, first).await;
            }
        }
        // Those who deliver are alive as well.
        let heard = &words.talks[2];
        let (_, answer) = bob
            .follow("list", &format!("{heard}.messages"), Some(0))
            .await;
        assert_eq!(answer["event_type"], "subscription_established", "{answer}");
        server
            .post(
                &format!("/v1/Conversations/{heard}/Messages"),
                &[("Body", "alive")],
            )
            .await
            .with(201);
        let event = bob.next_notification().await;
        assert_eq!(event["events"][0]["item_data"]["text"], "alive", "{event}");
        bob.heard().await;
    }
    // Requests that are all refused at once would show nothing.
    let all = 2 * ROUNDS * REQUESTS;
    assert!(succeeded > all / 10, "{succeeded} of {all} made sense");
}
