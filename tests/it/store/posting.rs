//! Many drafts at once.

use serde_json::Value;
use sqlx::PgPool;
use tokio::task::JoinSet;

use crate::support::TestServer;

#[sqlx::test]
async fn sixty_four_posts_take_the_indexes_0_to_63(pool: PgPool) {
    let server = std::sync::Arc::new(TestServer::start(&pool).await);
    let messages = format!("{}/Messages", server.conversation(&[]).await);
    let mut posts = JoinSet::new();
    for n in 0..64 {
        let (server, messages) = (server.clone(), messages.clone());
        posts.spawn(async move {
            server
                .post(&messages, &[("Body", &n.to_string())])
                .await
                .with(201)
        });
    }
    let mut answered: Vec<(i64, Value)> = posts
        .join_all()
        .await
        .into_iter()
        .map(|m| (m["index"].as_i64().expect("an index"), m))
        .collect();
    answered.sort_by_key(|(index, _)| *index);
    assert!(answered.iter().map(|(index, _)| *index).eq(0..64));
    let listed = server
        .get(&format!("{messages}?PageSize=100"))
        .await
        .with(200);
    let stored = listed["messages"].as_array().expect("a list");
    for ((_, answer), stored) in answered.iter().zip(stored) {
        assert_eq!(
            (&answer["sid"], &answer["body"]),
            (&stored["sid"], &stored["body"])
        );
    }
}
