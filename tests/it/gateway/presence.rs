//! Who is online, and who hears of it.

use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::server::API_KEY_SECRET;
use crate::support::socket::SocketClient;
use crate::support::{Process, Statements, TestCluster, TestServer, text, wait};

/// A little longer than users are online after they left.
const GRACE: TimeDelta = TimeDelta::seconds(31);

async fn set_reachability(server: &TestServer, to: &str) {
    let configuration = server.get("/v1/Configuration").await.with(200);
    let service = text(&configuration, "default_chat_service_sid");
    let path = format!("/v1/Services/{service}/Configuration");
    server
        .post(&path, &[("ReachabilityEnabled", to)])
        .await
        .with(200);
}

/// A server that keeps who is online.
async fn start(pool: &PgPool) -> TestServer {
    let server = TestServer::start(pool).await;
    set_reachability(&server, "true").await;
    server
}

/// What REST says of a user: whether online, whether notifiable.
async fn seen(server: &TestServer, identity: &str) -> Value {
    let user = server.get(&format!("/v1/Users/{identity}")).await.with(200);
    json!([user["is_online"], user["is_notifiable"]])
}

/// The name of a user's info.
async fn info(server: &TestServer, identity: &str) -> String {
    let user = server.get(&format!("/v1/Users/{identity}")).await.with(200);
    format!("{}.info", text(&user, "sid"))
}

/// A socket that hears of another user from now on.
async fn follower(server: &TestServer, of: &str) -> SocketClient {
    let mut socket = server.socket("bob").await;
    let info = info(server, of).await;
    let (_, answer) = socket.follow("map", &info, None).await;
    assert_eq!(answer["event_type"], "subscription_established", "{answer}");
    socket
}

/// Whether somebody is online, and notifiable, as the next event says.
async fn heard(socket: &mut SocketClient) -> Value {
    let heard = socket.next_notification().await;
    assert_eq!(heard["event_type"], "map_item_updated", "{heard}");
    let event = &heard["events"][0];
    assert_eq!(event["item_key"], "reachability", "{heard}");
    json!([
        event["item_data"]["online"],
        event["item_data"]["notifiable"]
    ])
}

/// Waits until so many connections are known to have ended whose users are still shown as online.
async fn ended(pool: &PgPool, count: i64) {
    wait::until("the ends of the connections were noticed", async || {
        let found =
            sqlx::query_scalar("select count(*) from presences where offline_at is not null")
                .fetch_one(pool)
                .await;
        found.is_ok_and(|found: i64| found == count)
    })
    .await;
}

/// The items of a user's info, as a client reads them.
async fn items(socket: &mut SocketClient, info: &str) -> Vec<String> {
    let path = format!("/v3/Maps/{info}/Items");
    let (status, page) = socket.ask("GET", &path, Value::Null).await;
    assert_eq!(status, 200, "{page}");
    let items = page["items"].as_array().expect("items");
    items.iter().map(|item| text(item, "key")).collect()
}

async fn is_told_to_read(socket: &mut SocketClient) -> bool {
    let (_, configuration) = socket
        .ask("GET", "/Client/v2/Configuration", Value::Null)
        .await;
    configuration["options"]["reachability_enabled"] == true
}

#[sqlx::test]
async fn a_user_is_online_until_a_grace_after_the_last_connection(pool: PgPool) {
    let server = start(&pool).await;
    for identity in ["alice", "carol"] {
        server
            .post("/v1/Users", &[("Identity", identity)])
            .await
            .with(201);
    }
    assert_eq!(seen(&server, "alice").await, json!([null, null]));
    let mut bob = follower(&server, "alice").await;
    let info = info(&server, "alice").await;
    assert_eq!(items(&mut bob, &info).await, ["attributes", "friendlyName"]);

    let one = server.socket("alice").await;
    assert_eq!(seen(&server, "alice").await, json!([true, false]));
    assert_eq!(heard(&mut bob).await, json!([true, false]));
    let listed = server.get("/v1/Users").await.with(200);
    for user in listed["users"].as_array().expect("users") {
        assert_eq!(user["is_online"], Value::Null, "{user}");
    }
    // Two connections are one user; one of them less changes nothing, nor does coming back within the grace.
    let mut other = server.socket("alice").await;
    assert!(is_told_to_read(&mut other).await);
    drop(one);
    let carol = server.socket("carol").await;
    drop((carol, other));
    ended(&pool, 2).await;
    server.clock.advance(GRACE / 2);
    let again = server.socket("alice").await;
    server.clock.advance(GRACE);
    wait::until("carol is offline", async || {
        seen(&server, "carol").await == json!([false, false])
    })
    .await;
    assert!(bob.heard().await.is_empty());
    assert_eq!(seen(&server, "alice").await, json!([true, false]));

    drop(again);
    ended(&pool, 1).await;
    server.clock.advance(GRACE);
    assert_eq!(heard(&mut bob).await, json!([false, false]));
    assert_eq!(seen(&server, "alice").await, json!([false, false]));

    // Whoever was away learns it, too.
    let mut late = server.socket("dave").await;
    let (replayed, answer) = late.follow("map", &info, Some(0)).await;
    assert_eq!(replayed.len(), 1, "{replayed:?}");
    let event = &replayed[0]["events"][0];
    assert_eq!(
        (&event["item_key"], &event["item_data"]),
        (
            &json!("reachability"),
            &json!({ "online": false, "notifiable": false })
        )
    );
    assert_eq!(event["id"], answer["events"][0]["last_event_id"]);
    assert_eq!(
        items(&mut late, &info).await,
        ["attributes", "friendlyName", "reachability"]
    );
}

#[sqlx::test]
async fn devices_make_a_user_notifiable(pool: PgPool) {
    let server = start(&pool).await;
    let mut alice = server.socket("alice").await;
    let mut bob = follower(&server, "alice").await;
    let register = async |of: &mut SocketClient, device: &str| {
        let body = json!({ "channel_type": "fcm", "data": { "registration_id": device } });
        let (status, answer) = of.ask("POST", "/v1/registrations", body).await;
        assert_eq!(status, 201, "{answer}");
        text(&answer, "id")
    };
    let first = register(&mut alice, "one").await;
    assert_eq!(heard(&mut bob).await, json!([true, true]));
    let second = register(&mut alice, "two").await;
    let path = format!("/v1/registrations/{first}");
    let (status, _) = alice.ask("DELETE", &path, json!({})).await;
    assert_eq!(status, 204);
    assert!(bob.heard().await.is_empty(), "there is still a device");
    assert_eq!(seen(&server, "alice").await, json!([true, true]));
    let configuration = server.get("/v1/Configuration").await.with(200);
    let service = text(&configuration, "default_chat_service_sid");
    server
        .delete(&format!("/v1/Services/{service}/Bindings/{second}"))
        .await
        .with(204);
    assert_eq!(heard(&mut bob).await, json!([true, false]));

    register(&mut alice, "three").await;
    assert_eq!(heard(&mut bob).await, json!([true, true]));
    let device = json!({ "binding_type": "fcm", "address": "three" });
    let (status, _) = alice.ask("DELETE", "/v1/registrations", device).await;
    assert_eq!(status, 204);
    assert_eq!(heard(&mut bob).await, json!([true, false]));
    // Devices stay when the user leaves.
    register(&mut alice, "four").await;
    assert_eq!(heard(&mut bob).await, json!([true, true]));
    drop(alice);
    ended(&pool, 1).await;
    server.clock.advance(GRACE);
    assert_eq!(heard(&mut bob).await, json!([false, true]));
}

#[sqlx::test]
async fn where_it_is_switched_off_nothing_is_kept(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut alice = server.socket("alice").await;
    let body = json!({ "channel_type": "fcm", "data": { "registration_id": "one" } });
    let (status, _) = alice.ask("POST", "/v1/registrations", body).await;
    assert_eq!(status, 201);
    assert!(!is_told_to_read(&mut alice).await);
    let info = info(&server, "alice").await;
    assert_eq!(
        items(&mut alice, &info).await,
        ["attributes", "friendlyName"]
    );
    assert_eq!(seen(&server, "alice").await, json!([null, null]));
    for table in ["presences", "presence_nodes"] {
        let rows = sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select count(*) from {table}")));
        let count: i64 = rows.fetch_one(&pool).await.expect("a count");
        assert_eq!(count, 0, "{table}");
    }

    // Who was connected before is seen from the next token on, everybody else from the next connection on.
    set_reachability(&server, "true").await;
    assert_eq!(seen(&server, "alice").await, json!([null, null]));
    let token = server.good_token("alice").await;
    let status = alice
        .say(json!({ "method": "update", "token": token }))
        .await;
    assert_eq!(status["code"], 200, "{status}");
    assert_eq!(seen(&server, "alice").await, json!([true, true]));
    let mut bob = follower(&server, "alice").await;
    assert_eq!(items(&mut bob, &info).await.len(), 3);

    set_reachability(&server, "false").await;
    assert_eq!(seen(&server, "alice").await, json!([null, null]));
    assert_eq!(items(&mut bob, &info).await, ["attributes", "friendlyName"]);
    assert!(!is_told_to_read(&mut server.socket("bob").await).await);
    // The connection that counted still does.
    set_reachability(&server, "true").await;
    server.clock.advance(TimeDelta::seconds(3));
    assert_eq!(heard(&mut bob).await, json!([true, true]));

    // A connection that ends while it is off is forgotten.
    set_reachability(&server, "false").await;
    drop(alice);
    ended(&pool, 1).await;
    server.clock.advance(GRACE);
    ended(&pool, 0).await;
    assert_eq!(seen(&server, "alice").await, json!([null, null]));
    assert!(bob.heard().await.is_empty());
}

#[sqlx::test]
async fn switching_off_forgets_a_multitude(pool: PgPool) {
    const MANY: i64 = 1_100;
    let server = start(&pool).await;
    let alice = server.post("/v1/Users", &[("Identity", "alice")]).await;
    alice.with(201);
    // More than one transaction takes, which sockets would need long to bring here.
    let others = "insert into users (sid, account_sid, service_sid, identity, friendly_name, attributes, role_sid,
                                     is_online, is_notifiable, date_created, date_updated)
                  select gen_random_uuid(), account_sid, service_sid, identity || n, friendly_name, attributes, role_sid,
                         true, false, date_created, date_updated
                    from users, generate_series(1, $1) n
                   where identity = 'alice'";
    let done = sqlx::query(others).bind(MANY).execute(&pool).await;
    done.expect("users");
    let known = async || -> i64 {
        let rows = sqlx::query_scalar("select count(*) from users where is_online is not null");
        rows.fetch_one(&pool).await.expect("a count")
    };
    assert_eq!(known().await, MANY);

    // Switched on again at once, it forgets no more.
    set_reachability(&server, "false").await;
    set_reachability(&server, "true").await;
    let left = known().await;
    assert!(left < MANY, "{left}");
    server.drain().await;
    assert_eq!(known().await, left);

    set_reachability(&server, "false").await;
    server.drain().await;
    assert_eq!(known().await, 0);
}

#[sqlx::test]
async fn services_keep_it_each_for_itself(pool: PgPool) {
    let server = start(&pool).await;
    let _here = server.socket("alice").await;
    let tenant = server
        .post("/v1/Services", &[("FriendlyName", "tenant")])
        .await
        .with(201);
    let tenant = text(&tenant, "sid");
    let token = server.token_of(&tenant, "alice", TimeDelta::hours(1), API_KEY_SECRET);
    let mut elsewhere = server.silent_socket().await;
    elsewhere.sign_in(&token).await;
    assert_eq!(seen(&server, "alice").await, json!([true, false]));
    let path = format!("/v1/Services/{tenant}/Users/alice");
    let other = server.get(&path).await.with(200);
    assert_eq!(other["is_online"], Value::Null);
}

#[sqlx::test]
async fn a_user_of_several_nodes_is_online_until_all_are_left(pool: PgPool) {
    // So short that no step of the clock makes one node take the other for dead.
    let grace = TimeDelta::seconds(3);
    let settings = [("CONVOKE_GATEWAY_OFFLINE_AFTER_SECONDS", "2")];
    let cluster = TestCluster::start_with(&pool, 2, 3600, &settings).await;
    let [one, other] = cluster.nodes.as_slice() else {
        panic!("two nodes")
    };
    let advance = |by| {
        one.clock.advance(by);
        other.clock.advance(by);
    };
    set_reachability(one, "true").await;
    let at_one = one.socket("alice").await;
    let mut bob = follower(one, "alice").await;
    let at_other = other.socket("alice").await;
    let carol = other.socket("carol").await;
    drop((at_one, carol));
    ended(&pool, 2).await;
    advance(grace);
    wait::until("carol is offline", async || {
        seen(one, "carol").await == json!([false, false])
    })
    .await;
    assert!(bob.heard().await.is_empty());
    assert_eq!(seen(one, "alice").await, json!([true, false]));

    // Moving to another node within the grace is no event either.
    drop(at_other);
    ended(&pool, 1).await;
    let at_one = one.socket("alice").await;
    let carol = one.socket("carol").await;
    drop(carol);
    ended(&pool, 2).await;
    advance(grace);
    wait::until("carol is offline", async || {
        seen(one, "carol").await == json!([false, false])
    })
    .await;
    assert!(bob.heard().await.is_empty());
    drop(at_one);
    ended(&pool, 1).await;
    advance(grace);
    assert_eq!(heard(&mut bob).await, json!([false, false]));
    // Over the bus: whoever finds it, clients of the other node hear it.
    let _at_other = other.socket("alice").await;
    assert_eq!(heard(&mut bob).await, json!([true, false]));
}

#[sqlx::test]
async fn nobody_is_shown_as_offline_because_the_server_was_restarted(pool: PgPool) {
    let server = start(&pool).await;
    let (alice, carol) = (server.socket("alice").await, server.socket("carol").await);
    let info = info(&server, "alice").await;
    server.stop().await;
    drop((alice, carol));
    let server = TestServer::start(&pool).await;
    let mut alice = server.socket("alice").await;
    let mut bob = follower(&server, "carol").await;
    server.clock.advance(GRACE);
    assert_eq!(heard(&mut bob).await, json!([false, false]));
    assert_eq!(seen(&server, "alice").await, json!([true, false]));
    let path = format!("/v3/Maps/{info}");
    let (_, map) = alice.ask("GET", &path, Value::Null).await;
    let (replayed, _) = bob.follow("map", &info, Some(1)).await;
    assert_eq!(
        (map["last_event_id"].as_i64(), replayed.len()),
        (Some(2), 1),
        "one change, ever"
    );
}

#[sqlx::test]
async fn users_of_a_node_that_was_killed_are_offline_after_the_grace(pool: PgPool) {
    let settings = [("CONVOKE_GATEWAY_SWEEP_SECONDS", "1")];
    let server = TestServer::start_with(&pool, &settings).await;
    set_reachability(&server, "true").await;
    let killed = Process::start(&pool, &server, "gateway").await;
    let mut alice = SocketClient::connect(killed.address).await;
    let token = server.good_token("alice").await;
    alice.sign_in(&token).await;
    let mut bob = follower(&server, "alice").await;
    let _here = server.socket("carol").await;
    drop(killed);
    // That the node is gone is known after ten seconds; from then on the grace counts.
    server.clock.advance(TimeDelta::seconds(11));
    ended(&pool, 1).await;
    assert_eq!(seen(&server, "alice").await, json!([true, false]));
    server.clock.advance(GRACE);
    assert_eq!(heard(&mut bob).await, json!([false, false]));
    assert_eq!(seen(&server, "carol").await, json!([true, false]));
}

#[sqlx::test]
async fn a_node_that_was_taken_for_dead_says_again_who_is_here(pool: PgPool) {
    let server = start(&pool).await;
    let _alice = server.socket("alice").await;
    let mut bob = follower(&server, "alice").await;
    // As if the node had been silent for so long that others gave it up.
    for statement in [
        "delete from presence_nodes",
        "update presences set offline_at = now() + interval '30 s' where offline_at is null",
    ] {
        sqlx::query(statement).execute(&pool).await.expect("done");
    }
    server.clock.advance(TimeDelta::seconds(3));
    ended(&pool, 0).await;
    server.clock.advance(GRACE * 2);
    let carol = server.socket("carol").await;
    drop(carol);
    ended(&pool, 1).await;
    server.clock.advance(GRACE);
    wait::until("carol is offline", async || {
        seen(&server, "carol").await == json!([false, false])
    })
    .await;
    assert!(bob.heard().await.is_empty());
}

#[sqlx::test]
async fn only_who_wants_it_pays_for_it(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (statements, _guard) = Statements::note();
    let signing_in = async || {
        let mut socket = server.silent_socket().await;
        let token = server.good_token("alice").await;
        statements.take();
        socket.sign_in(&token).await;
        let mut run = statements.take();
        // What is looked for now and then, whoever is there.
        run.retain(|text| !text.starts_with("with gone as") && !text.starts_with("delete from"));
        (socket, run)
    };
    let (_new, _) = signing_in().await;
    let (off, nothing) = signing_in().await;
    set_reachability(&server, "true").await;
    let (first, online) = signing_in().await;
    let (second, another) = signing_in().await;
    drop((off, first, second));
    ended(&pool, 1).await;
    let (_back, again) = signing_in().await;
    let about = |run: &[String]| run.iter().any(|text| text.contains("presence"));
    assert!(!about(&nothing), "{nothing:?}");
    assert!(about(&online), "{online:?}");
    assert_eq!(another, nothing, "a second connection is no news");
    // Those of the node are written once for all its users.
    let more = |run: &[String]| run.len() - nothing.len();
    assert!(more(&online) <= 2 + 6, "{online:?}");
    assert!(more(&again) <= 4, "{again:?}");
}

#[sqlx::test]
async fn where_no_service_wants_it_it_is_hardly_looked_for(pool: PgPool) {
    let settings = [("CONVOKE_GATEWAY_SWEEP_SECONDS", "1")];
    let server = TestServer::start_with(&pool, &settings).await;
    // What is compared every second, whoever is there.
    let mut alice = server.socket("alice").await;
    let info = info(&server, "alice").await;
    alice.follow("map", &info, None).await;
    let (statements, _guard) = Statements::note();
    let (mut compared, mut looked) = (0, 0);
    wait::until("positions were compared four times", async || {
        for text in statements.take() {
            compared += usize::from(text.contains("select sid, position"));
            looked += usize::from(text.starts_with("with gone as"));
        }
        compared >= 4
    })
    .await;
    assert!(looked <= 1, "{looked}");
}
