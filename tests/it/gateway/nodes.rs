//! Several nodes behave as one, also while what connects them is away.

use sqlx::PgPool;

use super::{part, sid};
use crate::support::socket::SocketClient;
use crate::support::{TestCluster, TestServer, text};

/// So seldom that a test does not see it.
const NEVER: u32 = 3600;

/// A conversation with alice and bob in it; answers its path.
async fn talk_of_two(node: &TestServer) -> String {
    let talk = node.conversation(&[]).await;
    for identity in ["alice", "bob"] {
        node.post(&format!("{talk}/Participants"), &[("Identity", identity)])
            .await
            .with(201);
    }
    talk
}

async fn post(node: &TestServer, talk: &str, body: &str) {
    node.post(&format!("{talk}/Messages"), &[("Body", body)])
        .await
        .with(201);
}

/// A socket of `identity` that follows the messages of a conversation from the first on.
async fn follower(node: &TestServer, talk: &str, identity: &str) -> SocketClient {
    let mut socket = node.socket(identity).await;
    let list = part(talk, "messages");
    socket.follow("list", &list, Some(0)).await;
    socket
}

/// The texts of the next messages, `count` of them; each comes once, in the order of its index.
async fn next_messages(socket: &mut SocketClient, count: usize) -> Vec<String> {
    let mut messages = Vec::new();
    while messages.len() < count {
        let heard = socket.next_notification().await;
        assert_eq!(heard["event_type"], "list_item_added", "{heard}");
        for event in heard["events"].as_array().expect("events") {
            messages.push((
                event["item_index"].as_i64().expect("an index"),
                text(&event["item_data"], "text"),
            ));
        }
    }
    let first = messages[0].0;
    for (place, (index, _)) in (first..).zip(&messages) {
        assert_eq!(place, *index, "{messages:?}");
    }
    messages.into_iter().map(|(_, text)| text).collect()
}

#[sqlx::test]
async fn clients_of_every_node_hear_everything_in_order(pool: PgPool) {
    let cluster = TestCluster::start(&pool, 2, NEVER).await;
    let [one, other] = cluster.nodes.as_slice() else {
        panic!("two nodes")
    };
    let talk = talk_of_two(one).await;
    let mut alice = follower(one, &talk, "alice").await;
    let mut bob = follower(other, &talk, "bob").await;
    let write = async |node, name: &str| {
        for n in 0..50 {
            post(node, &talk, &format!("{name} {n}")).await;
        }
    };
    tokio::join!(write(one, "one"), write(other, "other"));
    let (at_one, at_other) = (
        next_messages(&mut alice, 100).await,
        next_messages(&mut bob, 100).await,
    );
    assert_eq!(at_one, at_other);
    for name in ["one", "other"] {
        let own = at_one
            .iter()
            .filter_map(|text| text.strip_prefix(name)?.strip_prefix(' '));
        assert!(own.eq((0..50).map(|n| n.to_string())), "{at_one:?}");
    }
}

#[sqlx::test]
async fn typing_reaches_clients_of_the_other_node(pool: PgPool) {
    let cluster = TestCluster::start(&pool, 2, NEVER).await;
    let talk = talk_of_two(&cluster.nodes[0]).await;
    let sid = sid(&talk);
    let mut alice = cluster.nodes[0].socket("alice").await;
    alice.follow("map", &format!("{sid}.roster"), None).await;
    let mut bob = cluster.nodes[1].socket("bob").await;
    let form = format!("ChannelSid={sid}");
    let (status, body) = bob.ask_with("POST", "/v1/typing", &form).await;
    assert_eq!(status, 200, "{body}");
    let heard = alice.next_notification().await;
    assert_eq!(heard["identity"], "bob", "{heard}");
}

#[sqlx::test]
async fn what_is_written_while_nats_is_away_comes_later_and_whole(pool: PgPool) {
    let mut cluster = TestCluster::start(&pool, 2, 1).await;
    let talk = talk_of_two(&cluster.nodes[0]).await;
    let mut alice = follower(&cluster.nodes[0], &talk, "alice").await;
    post(&cluster.nodes[1], &talk, "before").await;
    assert_eq!(next_messages(&mut alice, 1).await, ["before"]);
    cluster.nats.kill();
    for n in 0..20 {
        post(&cluster.nodes[1], &talk, &n.to_string()).await;
    }
    let wanted: Vec<String> = (0..20).map(|n: i32| n.to_string()).collect();
    assert_eq!(next_messages(&mut alice, 20).await, wanted);
    cluster.nats.start_again().await;
    post(&cluster.nodes[1], &talk, "after").await;
    assert_eq!(next_messages(&mut alice, 1).await, ["after"]);
}
