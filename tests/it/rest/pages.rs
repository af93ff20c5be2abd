//! Pages of lists: walking them there and back visits each row once, whatever the size.

use serde_json::Value;
use sqlx::PgPool;

use crate::support::{TestServer, text};

/// The SIDs on a page.
fn sids(page: &Value, key: &str) -> Vec<String> {
    page[key]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| text(row, "sid"))
        .collect()
}

/// The path and query of one of a page's links.
fn link(server: &TestServer, page: &Value, name: &str) -> Option<String> {
    let url = page["meta"][name].as_str()?;
    Some(
        url.strip_prefix(&server.url(""))
            .unwrap_or_else(|| panic!("our own host in {url}"))
            .to_owned(),
    )
}

/// Walks a list to its end and back; answers what was seen each way.
async fn walk(
    server: &TestServer,
    path: &str,
    key: &str,
    size: usize,
) -> (Vec<String>, Vec<String>) {
    let joint = if path.contains('?') { '&' } else { '?' };
    let mut page = server
        .get(&format!("{path}{joint}PageSize={size}"))
        .await
        .with(200);
    assert_eq!(page["meta"]["previous_page_url"], Value::Null);
    let mut there = sids(&page, key);
    while let Some(next) = link(server, &page, "next_page_url") {
        page = server.get(&next).await.with(200);
        there.extend(sids(&page, key));
    }
    let mut back = sids(&page, key);
    while let Some(previous) = link(server, &page, "previous_page_url") {
        page = server.get(&previous).await.with(200);
        let mut rows = sids(&page, key);
        rows.append(&mut back);
        back = rows;
    }
    (there, back)
}

#[sqlx::test]
async fn every_list_is_walked_once_in_any_size(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    for n in 0..23 {
        server.conversation(&[]).await;
        server
            .post(&format!("{talk}/Messages"), &[("Body", &n.to_string())])
            .await
            .with(201);
        let identity = format!("user {n}");
        server
            .post(&format!("{talk}/Participants"), &[("Identity", &identity)])
            .await
            .with(201);
        let role = [
            ("FriendlyName", "r"),
            ("Type", "service"),
            ("Permission", "joinConversation"),
        ];
        server.post("/v1/Roles", &role).await.with(201);
    }
    for (path, key, count) in [
        ("/v1/Conversations".to_owned(), "conversations", 24),
        (
            "/v1/Conversations?State=active".to_owned(),
            "conversations",
            24,
        ),
        (
            "/v1/Conversations?StartDate=2020-01-01".to_owned(),
            "conversations",
            24,
        ),
        (format!("{talk}/Messages"), "messages", 23),
        (format!("{talk}/Messages?Order=desc"), "messages", 23),
        (format!("{talk}/Participants"), "participants", 23),
        ("/v1/Users".to_owned(), "users", 23),
        ("/v1/Roles".to_owned(), "roles", 27),
        ("/v1/Services".to_owned(), "services", 1),
    ] {
        for size in [1, 2, 5, 7, 24, 50] {
            let (there, back) = walk(&server, &path, key, size).await;
            let distinct: std::collections::BTreeSet<&String> = there.iter().collect();
            assert_eq!(
                (there.len(), distinct.len()),
                (count, count),
                "{path} by {size}"
            );
            assert_eq!(there, back, "{path} by {size}");
        }
    }
    server.stop().await;
}

#[sqlx::test]
async fn rows_that_come_and_go_between_pages_are_neither_repeated_nor_skipped(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let messages = format!("{}/Messages", server.conversation(&[]).await);
    let mut all = Vec::new();
    for _ in 0..6 {
        all.push(text(&server.post(&messages, &[]).await.with(201), "sid"));
    }
    let first = server
        .get(&format!("{messages}?PageSize=2"))
        .await
        .with(200);
    server
        .delete(&format!("{messages}/{}", all[1]))
        .await
        .with(204);
    all.push(text(&server.post(&messages, &[]).await.with(201), "sid"));
    let mut seen = sids(&first, "messages");
    let mut page = first;
    while let Some(next) = link(&server, &page, "next_page_url") {
        page = server.get(&next).await.with(200);
        seen.extend(sids(&page, "messages"));
    }
    assert_eq!(seen, all);
    server.stop().await;
}

#[sqlx::test]
async fn sizes_are_cut_and_tokens_belong_to_their_list(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (a, b) = (
        server.conversation(&[]).await,
        server.conversation(&[]).await,
    );
    for _ in 0..3 {
        server.post(&format!("{a}/Messages"), &[]).await.with(201);
    }
    let cut = server.get("/v1/Conversations?PageSize=500").await.with(200);
    assert_eq!(cut["meta"]["page_size"], 100);
    for size in ["0", "-1", "x", ""] {
        let answer = server
            .get(&format!("/v1/Conversations?PageSize={size}"))
            .await;
        assert_eq!(answer.refused(400), 20422, "{size}");
    }
    let page = server
        .get(&format!("{a}/Messages?PageSize=1"))
        .await
        .with(200);
    let next = text(&page["meta"], "next_page_url");
    let token = next.split("PageToken=").nth(1).expect("a token");
    for elsewhere in [
        format!("{b}/Messages?PageToken={token}"),
        format!("{a}/Messages?Order=desc&PageToken={token}"),
        format!("{a}/Participants?PageToken={token}"),
        format!("{a}/Messages?PageToken=PA{}", "x".repeat(30)),
        format!("{a}/Messages?PageToken=%00"),
    ] {
        assert_eq!(
            server.get(&elsewhere).await.refused(400),
            20422,
            "{elsewhere}"
        );
    }
    assert_eq!(
        server
            .get(&format!("{a}/Messages?Order=up"))
            .await
            .refused(400),
        20422
    );
    server.stop().await;
}
