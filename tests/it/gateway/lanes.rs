//! Lanes: what becomes of messages when the database ends a lane's connection.

use serde_json::json;
use sqlx::PgPool;

use super::{join, messages};
use crate::support::{TestServer, text};

/// Ends the connections that wrote messages last; answers how many there were.
async fn end_lanes(pool: &PgPool) -> i64 {
    let ended = sqlx::query_scalar(
        "select count(pg_terminate_backend(pid, 5000)) from pg_stat_activity
          where datname = current_database() and pid <> pg_backend_pid() and query like 'with draft as%'",
    );
    ended.fetch_one(pool).await.expect("a count")
}

#[sqlx::test]
async fn messages_of_programs_and_users_outlive_a_lanes_connection(pool: PgPool) {
    let server = TestServer::start_with(&pool, &[("CONVOKE_POSTING_LANES", "1")]).await;
    let talk = server.conversation(&[]).await;
    join(&server, &talk, "alice").await;
    let path = messages(&server, &talk).await;
    let mut alice = server.socket("alice").await;
    for index in 0..6 {
        let message = if index % 2 == 0 {
            let fields = [("Body", "from a program")];
            server
                .post(&format!("{talk}/Messages"), &fields)
                .await
                .with(201)
        } else {
            let body = json!({ "body": "from a user" });
            let (status, message) = alice.ask("POST", &path, body).await;
            assert_eq!(status, 201, "{message}");
            message
        };
        assert_eq!(message["index"], index, "{}", text(&message, "body"));
        assert_eq!(end_lanes(&pool).await, 1);
    }
}
