//! What clients hear when the database ends the server's connections: nothing that an SDK does not try again.

use serde_json::Value;
use sqlx::PgPool;

use super::{join, part};
use crate::support::{TestServer, wait};

#[sqlx::test]
async fn reads_may_be_tried_again_and_then_work(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    join(&server, &talk, "alice").await;
    let mut alice = server.socket("alice").await;
    let path = format!("/v3/Documents/{}", part(&talk, "channel"));
    let paths = vec![path.clone(); 50];
    // As many connections as there may be.
    alice.read_all(&paths).await;
    let ended: i64 = sqlx::query_scalar(
        "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid()",
    )
    .fetch_one(&pool)
    .await
    .expect("a count");
    assert!(ended > 1, "{ended}");
    wait::until("all are answered", async || {
        let answers = alice.read_all(&paths).await;
        for (status, body) in &answers {
            assert!([200, 503].contains(status), "{status}: {body}");
        }
        answers.iter().all(|(status, _)| *status == 200)
    })
    .await;
    // REST is answered likewise.
    server.get(&talk).await.with(200);
    let (status, _) = alice.ask("GET", &path, Value::Null).await;
    assert_eq!(status, 200);
}
