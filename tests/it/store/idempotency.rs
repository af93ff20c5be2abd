//! Keys whose day is over.

use chrono::TimeDelta;
use convoke::domain::Clock as _;
use convoke::domain::idempotency::forgotten_before;
use convoke::store::idempotency::forget;
use reqwest::Method;
use sqlx::PgPool;

use crate::support::TestServer;

#[sqlx::test]
async fn old_keys_are_forgotten_and_young_ones_kept(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    for key in ["old", "young"] {
        let request = server.request(Method::POST, "/v1/Conversations");
        let answer = request.header("Idempotency-Key", key).send().await;
        assert_eq!(answer.expect("an answer").status(), 201);
        server.clock.advance(TimeDelta::hours(13));
    }
    let before = forgotten_before(server.clock.now());
    let mut conn = pool.acquire().await.expect("a connection");
    let forgotten = async |conn: &mut _| forget(conn, before, 10).await.expect("the table");
    assert_eq!(forgotten(&mut conn).await, 1);
    assert_eq!(forgotten(&mut conn).await, 0);
    server.stop().await;
}
