//! Searching lists, and their other extensions.

use chrono::TimeDelta;
use serde_json::Value;
use sqlx::PgPool;

use crate::support::{TestServer, text};

/// What a list has under a field, in its order.
fn column(page: &Value, key: &str, field: &str) -> Vec<String> {
    page[key]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| text(row, field))
        .collect()
}

#[sqlx::test]
async fn conversations_are_found_by_names_and_attributes(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server
        .conversation(&[
            ("FriendlyName", "Broken Kettle"),
            ("UniqueName", "order-1234"),
            ("Attributes", r#"{"city":"Łódź","tags":["urgent"]}"#),
        ])
        .await;
    server
        .conversation(&[("FriendlyName", "Kettle, whole")])
        .await;
    let find = async |words: &str| {
        let words = words.replace(' ', "%20");
        let page = server
            .get(&format!("/v1/Conversations?Search={words}&Total=true"))
            .await
            .with(200);
        let found = column(&page, "conversations", "sid");
        assert_eq!(page["meta"]["total"], found.len(), "{words}");
        found.len()
    };
    for (words, count) in [
        ("kettle", 2),
        ("KETTLE broken", 1),
        ("kettle broken whole", 0),
        ("1234", 1),
        ("order-1234", 1),
        ("Łódź", 1),
        ("urgent city", 1),
        ("kettl", 0),
        ("-!-", 0),
        ("' or true --", 0),
    ] {
        assert_eq!(find(words).await, count, "{words}");
    }
    let renamed = [("FriendlyName", "Teapot"), ("Attributes", "{}")];
    server.post(&talk, &renamed).await.with(200);
    assert_eq!(find("kettle").await, 1);
    assert_eq!(find("teapot order").await, 1);
    server.delete(&talk).await.with(204);
    assert_eq!(find("teapot").await, 0);
    let long = "x".repeat(257);
    for path in ["Conversations", "Users"] {
        let answer = server.get(&format!("/v1/{path}?Search={long}")).await;
        assert_eq!(answer.refused(400), 20422);
    }
    server.stop().await;
}

#[sqlx::test]
async fn users_are_found_by_identity_name_and_attributes(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    for (identity, name) in [("alice@example.com", "Alice Smith"), ("bob", "Bob Smith")] {
        let form = [
            ("Identity", identity),
            ("FriendlyName", name),
            ("Attributes", r#"{"team":"north/west"}"#),
        ];
        server.post("/v1/Users", &form).await.with(201);
    }
    for (words, found) in [
        ("smith", &["bob", "alice@example.com"][..]),
        ("smith%20example", &["alice@example.com"]),
        ("alice@example.com", &["alice@example.com"]),
        ("west", &["bob", "alice@example.com"]),
        ("smi", &[]),
    ] {
        let page = server
            .get(&format!("/v1/Users?Search={words}"))
            .await
            .with(200);
        let mut seen = column(&page, "users", "identity");
        seen.sort();
        let mut wanted = found.to_vec();
        wanted.sort_unstable();
        assert_eq!(seen, wanted, "{words}");
    }
    server.stop().await;
}

#[sqlx::test]
async fn messages_are_found_in_the_order_of_the_list(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    let messages = format!("{talk}/Messages");
    for n in 0..6 {
        let word = if n % 2 == 0 { "apple" } else { "pear" };
        let body = format!("an {word} number {n}");
        server.post(&messages, &[("Body", &body)]).await.with(201);
    }
    let attributes = [("Attributes", r#"{"fruit":"apple"}"#)];
    server.post(&messages, &attributes).await.with(201);
    let mut found = Vec::new();
    let mut path = Some(format!("{messages}?Search=Apple&Order=desc&PageSize=2"));
    while let Some(at) = path {
        let page = server.get(&at).await.with(200);
        let rows = page["messages"].as_array().expect("a list");
        found.extend(rows.iter().map(|row| row["index"].clone()));
        path = page["meta"]["next_page_url"].as_str().map(|url| {
            let own = url.strip_prefix(&server.url("")).expect("our own host");
            own.to_owned()
        });
    }
    assert_eq!(found, [6, 4, 2, 0]);
    let page = server
        .get(&format!("{messages}?Search=pear%20number"))
        .await
        .with(200);
    assert_eq!(page["messages"].as_array().map(Vec::len), Some(3));
    server.stop().await;
}

#[sqlx::test]
async fn a_long_conversation_is_searched_in_steps(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    let messages = format!("{talk}/Messages");
    server
        .post(&messages, &[("Body", "needle")])
        .await
        .with(201);
    let hay = [("Body", "hay")];
    let many = futures_util::future::join_all((0..2100).map(|_| server.post(&messages, &hay)));
    many.await;
    let first = server
        .get(&format!("{messages}?Search=needle&Order=desc"))
        .await
        .with(200);
    assert_eq!(first["messages"].as_array().map(Vec::len), Some(0));
    let next = text(&first["meta"], "next_page_url");
    let next = next.strip_prefix(&server.url("")).expect("our own host");
    let second = server.get(next).await.with(200);
    assert_eq!(column(&second, "messages", "body"), ["needle"]);
    assert_eq!(second["meta"]["next_page_url"], Value::Null);
    server.stop().await;
}

#[sqlx::test]
async fn conversations_are_ordered_as_asked(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let old = server.conversation(&[("DateCreated", "2020-01-01")]).await;
    let older = server.conversation(&[("DateCreated", "2010-01-01")]).await;
    server.clock.advance(TimeDelta::seconds(2));
    server
        .post(&format!("{older}/Messages"), &[])
        .await
        .with(201);
    let get = async |query: &str| {
        let page = server
            .get(&format!("/v1/Conversations?{query}"))
            .await
            .with(200);
        column(&page, "conversations", "sid")
            .into_iter()
            .map(|sid| format!("/v1/Conversations/{sid}"))
            .collect::<Vec<_>>()
    };
    let (old_first, older_first) = ([old.clone(), older.clone()], [older.clone(), old.clone()]);
    for (query, wanted) in [
        ("", &older_first),
        ("SortBy=last_message", &older_first),
        ("SortBy=last_message&Order=asc", &old_first),
        ("SortBy=date_created", &old_first),
        ("SortBy=date_created&Order=asc", &older_first),
        ("StartDate=2000-01-01", &old_first),
        ("StartDate=2000-01-01&SortBy=last_message", &older_first),
    ] {
        assert_eq!(get(query).await, wanted, "{query}");
    }
    let page = server
        .get("/v1/Conversations?State=initializing&Total=true")
        .await
        .with(200);
    assert_eq!(page["meta"]["total"], 0);
    for query in [
        "SortBy=x",
        "Order=up",
        "Total=1",
        "StartDate=soon",
        "EndDate=1",
        "State=new",
    ] {
        let answer = server.get(&format!("/v1/Conversations?{query}")).await;
        assert_eq!(answer.refused(400), 20422, "{query}");
    }
    server.stop().await;
}
