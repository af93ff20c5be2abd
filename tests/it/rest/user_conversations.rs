//! Conversations as a user has them.

use chrono::TimeDelta;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestServer, text};

async fn join(server: &TestServer, talk: &str, identity: &str) -> Value {
    server
        .post(&format!("{talk}/Participants"), &[("Identity", identity)])
        .await
        .with(201)
}

async fn say(server: &TestServer, talk: &str, body: &str) -> Value {
    server
        .post(&format!("{talk}/Messages"), &[("Body", body)])
        .await
        .with(201)
}

/// The conversations of a list, in its order.
fn listed(page: &Value) -> Vec<String> {
    page["conversations"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| format!("/v1/Conversations/{}", text(row, "conversation_sid")))
        .collect()
}

#[sqlx::test]
async fn the_list_is_most_recently_active_first_with_closed_ones(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut talks = Vec::new();
    for _ in 0..3 {
        let talk = server.conversation(&[]).await;
        join(&server, &talk, "alice").await;
        talks.push(talk);
        server.clock.advance(TimeDelta::seconds(2));
    }
    server.conversation(&[]).await;
    say(&server, &talks[0], "newest").await;
    server
        .post(&talks[1], &[("State", "closed")])
        .await
        .with(200);
    let wanted = [&talks[0], &talks[2], &talks[1]].map(Clone::clone);
    let page = server.get("/v1/Users/alice/Conversations").await.with(200);
    assert_eq!(listed(&page), wanted);
    assert_eq!(page["conversations"][2]["conversation_state"], "closed");
    let size = server
        .get("/v1/Users/alice/Conversations?PageSize=400")
        .await
        .with(200);
    assert_eq!(size["meta"]["page_size"], 50);
    assert!(page["meta"].get("total").is_none());
    assert!(page["conversations"][0].get("last_message").is_none());
    server.stop().await;
}

#[sqlx::test]
async fn one_is_fetched_by_any_of_its_names(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server
        .conversation(&[("UniqueName", "the talk"), ("FriendlyName", "Talk")])
        .await;
    let alice = join(&server, &talk, "alice").await;
    let user = text(&server.get("/v1/Users/alice").await.with(200), "sid");
    let sid = talk.rsplit('/').next().expect("a SID");
    let service = text(&server.get(&talk).await.with(200), "chat_service_sid");
    for path in [
        format!("/v1/Users/alice/Conversations/{sid}"),
        format!("/v1/Users/{user}/Conversations/the%20talk"),
        format!("/v1/Services/{service}/Users/{user}/Conversations/{sid}"),
    ] {
        let own = server.get(&path).await.with(200);
        assert_eq!(own["conversation_sid"], sid);
        assert_eq!(own["participant_sid"], alice["sid"]);
        assert_eq!(own["user_sid"], user.as_str());
        assert_eq!(own["friendly_name"], "Talk");
        assert_eq!(own["created_by"], "system");
        assert_eq!(own["notification_level"], "default");
        assert_eq!(own["unread_messages_count"], Value::Null);
        let scope = path.split("/Users").next().expect("a form of path");
        let url = format!("{scope}/Users/{user}/Conversations/{sid}");
        assert_eq!(own["url"], server.url(&url));
        let conversation = server.url(&format!("{scope}/Conversations/{sid}"));
        assert_eq!(own["links"]["conversation"], conversation);
        let participant = format!("{conversation}/Participants/{}", text(&alice, "sid"));
        assert_eq!(own["links"]["participant"], participant);
    }
    let other = server.conversation(&[]).await;
    let other = other.rsplit('/').next().expect("a SID");
    for absent in [
        "/v1/Users/nobody/Conversations".to_owned(),
        format!("/v1/Users/nobody/Conversations/{sid}"),
        format!("/v1/Users/alice/Conversations/{other}"),
        "/v1/Users/alice/Conversations/no such talk".to_owned(),
    ] {
        assert_eq!(server.get(&absent).await.refused(404), 20404, "{absent}");
    }
    let path = format!("/v1/Users/alice/Conversations/{other}");
    assert_eq!(server.post(&path, &[]).await.refused(404), 20404);
    assert_eq!(server.delete(&path).await.refused(404), 20404);
    server.stop().await;
}

#[sqlx::test]
async fn the_read_horizon_and_the_level_are_set_and_counted(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    join(&server, &talk, "alice").await;
    for n in 0..5 {
        say(&server, &talk, &n.to_string()).await;
    }
    let sid = talk.rsplit('/').next().expect("a SID");
    let path = format!("/v1/Users/alice/Conversations/{sid}");
    let set = async |form: &[(&str, &str)]| server.post(&path, form).await.with(200);

    let own = set(&[("LastReadMessageIndex", "1")]).await;
    assert_eq!(own["unread_messages_count"], 3);
    assert_eq!(own["last_read_message_index"], 1);
    let participant = format!("{talk}/Participants/alice");
    let seen = server.get(&participant).await.with(200);
    assert_eq!(seen["last_read_message_index"], 1);
    let own = set(&[("NotificationLevel", "MUTED")]).await;
    assert_eq!(own["notification_level"], "muted");
    assert_eq!(own["last_read_message_index"], 1);
    set(&[("LastReadTimestamp", "2024-01-31T10:00:00")]).await;
    let seen = server.get(&participant).await.with(200);
    assert_eq!(seen["last_read_timestamp"], "2024-01-31T10:00:00Z");
    let page = server.get("/v1/Users/alice/Conversations").await.with(200);
    assert_eq!(page["conversations"][0]["unread_messages_count"], 3);
    assert_eq!(page["conversations"][0]["notification_level"], "muted");
    // Beyond the newest is the newest; nothing is null.
    let own = set(&[("LastReadMessageIndex", "900")]).await;
    assert_eq!(own["last_read_message_index"], 4);
    assert_eq!(own["unread_messages_count"], 0);
    let own = set(&[("LastReadMessageIndex", "")]).await;
    assert_eq!(own["last_read_message_index"], Value::Null);
    assert_eq!(own["unread_messages_count"], Value::Null);

    for (form, code) in [
        (&[][..], 20161),
        (&[("NotificationLevel", "loud")][..], 50210),
        (&[("NotificationLevel", "")][..], 50210),
        (&[("LastReadMessageIndex", "-1")][..], 50421),
        (&[("LastReadMessageIndex", "x")][..], 50421),
        (&[("LastReadTimestamp", "yesterday")][..], 50405),
    ] {
        assert_eq!(
            server.post(&path, form).await.refused(400),
            code,
            "{form:?}"
        );
    }
    server.post(&talk, &[("State", "closed")]).await.with(200);
    let closed = server.post(&path, &[("NotificationLevel", "muted")]).await;
    assert_eq!(closed.refused(400), 50377);
    server.stop().await;
}

#[sqlx::test]
async fn no_more_than_a_thousand_unread_messages_are_counted(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    join(&server, &talk, "alice").await;
    say(&server, &talk, "read").await;
    let sid = talk.rsplit('/').next().expect("a SID");
    let path = format!("/v1/Users/alice/Conversations/{sid}");
    server
        .post(&path, &[("LastReadMessageIndex", "0")])
        .await
        .with(200);
    let many = futures_util::future::join_all((0..1005).map(|_| say(&server, &talk, "x")));
    many.await;
    let own = server.get(&path).await.with(200);
    assert_eq!(own["unread_messages_count"], 1000);
    let page = server.get("/v1/Users/alice/Conversations").await.with(200);
    assert_eq!(page["conversations"][0]["unread_messages_count"], 1000);
    server.stop().await;
}

#[sqlx::test]
async fn deleting_one_removes_the_participant(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[("UniqueName", "talk")]).await;
    join(&server, &talk, "alice").await;
    let path = "/v1/Users/alice/Conversations/talk";
    server.delete(path).await.with(204);
    assert_eq!(server.delete(path).await.refused(404), 20404);
    let gone = server.get(&format!("{talk}/Participants/alice")).await;
    assert_eq!(gone.refused(404), 20404);
    let page = server.get("/v1/Users/alice/Conversations").await.with(200);
    assert_eq!(page["conversations"], json!([]));
    server.stop().await;
}

#[sqlx::test]
async fn more_is_told_where_it_is_asked_for(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let dated = |date| [("DateCreated", date)];
    let old = server.conversation(&dated("2020-01-01")).await;
    let older = server.conversation(&dated("2010-01-01")).await;
    let oldest = server.conversation(&dated("2000-01-01")).await;
    for talk in [&old, &older, &oldest] {
        join(&server, talk, "alice").await;
        server.clock.advance(TimeDelta::seconds(1));
    }
    say(&server, &oldest, "first").await;
    server.clock.advance(TimeDelta::seconds(1));
    let last = say(&server, &older, "last").await;
    server.clock.advance(TimeDelta::seconds(1));
    // Waking up is activity, and no message.
    server.post(&old, &[("State", "inactive")]).await.with(200);
    server.post(&old, &[("State", "active")]).await.with(200);
    let list = "/v1/Users/alice/Conversations";
    let get = async |query: &str| server.get(&format!("{list}?{query}")).await.with(200);

    let page = get("SortBy=last_message&Include=last_message&Total=true").await;
    assert_eq!(listed(&page), [&older, &oldest, &old].map(Clone::clone));
    assert_eq!(page["meta"]["total"], 3);
    assert_eq!(
        page["conversations"][0]["last_message"],
        json!({
            "sid": last["sid"], "index": 0, "author": "system", "body": "last",
            "date_created": last["date_created"],
        })
    );
    assert_eq!(page["conversations"][2]["last_message"], Value::Null);
    assert!(page["conversations"][2].get("last_message").is_some());
    let page = get("SortBy=Date_Created&Order=ASC").await;
    assert_eq!(listed(&page), [&oldest, &older, &old].map(Clone::clone));
    let page = get("SortBy=date_created&PageSize=2&Total=true").await;
    let next = text(&page["meta"], "next_page_url");
    let next = next.strip_prefix(&server.url("")).expect("our own host");
    let next = server.get(next).await.with(200);
    assert_eq!(listed(&next), [oldest]);
    assert_eq!(next["meta"]["total"], 3);
    for query in ["SortBy=name", "Order=up", "Include=all", "Total=yes"] {
        let answer = server.get(&format!("{list}?{query}")).await;
        assert_eq!(answer.refused(400), 20422, "{query}");
    }
    server.stop().await;
}
