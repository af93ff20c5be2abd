//! Who asks for a change and is gone before the answer: whatever came to be is told to everybody else at once.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use sqlx::PgPool;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::sid;
use crate::support::server::{ACCOUNT_SID, AUTH_TOKEN};
use crate::support::{TestServer, text, wait};

/// So long that what a test waits for cannot come from it.
const NO_SWEEP: [(&str, &str); 1] = [("CONVOKE_GATEWAY_SWEEP_SECONDS", "3600")];

/// Makes every commit that changed a conversation wait for a lock that the test may hold.
const STALL: [&str; 2] = [
    "create function stall() returns trigger language plpgsql as
     $$ begin perform pg_advisory_xact_lock_shared(1); return null; end $$",
    "create constraint trigger stall after update on conversations
     deferrable initially deferred for each row execute function stall()",
];

/// Sends a request of the REST API; its connection is still to be closed.
async fn ask_rest(server: &TestServer, path: &str, form: &str) -> TcpStream {
    let mut wire = TcpStream::connect(server.address())
        .await
        .expect("a connection");
    let credentials = STANDARD.encode(format!("{ACCOUNT_SID}:{AUTH_TOKEN}"));
    let length = form.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Basic {credentials}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {length}\r\n\r\n{form}"
    );
    wire.write_all(request.as_bytes())
        .await
        .expect("a request is sent");
    wire
}

#[sqlx::test]
async fn a_change_whose_asker_is_gone_during_its_commit_is_told(pool: PgPool) {
    let server = TestServer::start_with(&pool, &NO_SWEEP).await;
    let service = server.default_service().await;
    let mut follower = server.socket("follower").await;
    // What is asked for through the socket, and then through REST.
    let over_socket = [
        ("", json!({ "friendly_name": "changed" })),
        ("/Participants", json!({ "identity": "added" })),
        ("/Messages", json!({ "body": "sent" })),
    ];
    let over_rest = [
        ("", "FriendlyName=changed"),
        ("/Participants", "Identity=added-too"),
    ];
    let count = over_socket.len() + over_rest.len();
    let roles = server.get("/v1/Roles").await.with(200);
    let mut roles = roles["roles"].as_array().expect("roles").iter();
    let admin = roles.find(|role| role["friendly_name"] == "channel admin");
    let admin = text(admin.expect("the role"), "sid");
    let mut talks = Vec::new();
    for _ in 0..count {
        let talk = server.conversation(&[]).await;
        for identity in ["follower", "asker"] {
            let form = [("Identity", identity), ("RoleSid", &admin)];
            server
                .post(&format!("{talk}/Participants"), &form)
                .await
                .with(201);
        }
        let sid = sid(&talk).to_owned();
        for (kind, part) in [
            ("document", "channel"),
            ("map", "roster"),
            ("list", "messages"),
        ] {
            let (_, answer) = follower.follow(kind, &format!("{sid}.{part}"), None).await;
            assert_eq!(answer["event_type"], "subscription_established", "{answer}");
        }
        talks.push(sid);
    }
    for statement in STALL {
        sqlx::query(statement).execute(&pool).await.expect("stalls");
    }
    let mut gate = pool.acquire().await.expect("a connection");
    sqlx::query("select pg_advisory_lock(1)")
        .execute(&mut *gate)
        .await
        .expect("the lock");

    let mut askers = Vec::new();
    let mut hung_up = Vec::new();
    for (talk, (path, body)) in talks.iter().zip(&over_socket) {
        let mut asker = server.socket("asker").await;
        let path = format!("/Client/v2/Services/{service}/Conversations/{talk}{path}");
        asker.start("POST", &path, &body.to_string()).await;
        askers.push(asker);
    }
    for (talk, (path, form)) in talks[over_socket.len()..].iter().zip(&over_rest) {
        let path = format!("/v1/Conversations/{talk}{path}");
        hung_up.push(ask_rest(&server, &path, form).await);
    }
    let stalled = "select count(*) from pg_locks where locktype = 'advisory' and not granted
                   and database = (select oid from pg_database where datname = current_database())";
    wait::until("all changes are about to be committed", async || {
        let stalled: i64 = sqlx::query_scalar(stalled)
            .fetch_one(&pool)
            .await
            .expect("a count");
        usize::try_from(stalled).is_ok_and(|stalled| stalled == count)
    })
    .await;
    for asker in askers {
        asker.hang_up().await;
    }
    for mut asker in hung_up {
        asker.shutdown().await.expect("the end is sent");
        let mut answer = Vec::new();
        asker.read_to_end(&mut answer).await.expect("the end");
        assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
    }
    sqlx::query("select pg_advisory_unlock(1)")
        .execute(&mut *gate)
        .await
        .expect("the lock is given back");

    // None is answered, all came to be, and all are told.
    let mut untold = talks.clone();
    while !untold.is_empty() {
        // Every event names its object, and its object the conversation.
        let heard = follower.next_notification().await.to_string();
        untold.retain(|talk| !heard.contains(&talk[2..]));
    }
}
