//! Where an identity or an address takes part.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sqlx::PgPool;

use crate::support::{TestServer, text};

fn sids(page: &Value) -> Vec<String> {
    page["conversations"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|row| text(row, "conversation_sid"))
        .collect()
}

fn sid(path: &str) -> String {
    path.rsplit('/').next().expect("a SID").to_owned()
}

const LIST: &str = "/v1/ParticipantConversations";

#[sqlx::test]
async fn an_identity_is_found_in_the_order_of_sids(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut wanted = BTreeSet::new();
    for n in 0..5 {
        let talk = server.conversation(&[]).await;
        let path = format!("{talk}/Participants");
        server
            .post(&path, &[("Identity", "alice+x")])
            .await
            .with(201);
        server.post(&path, &[("Identity", "bob")]).await.with(201);
        if n == 2 {
            server.post(&talk, &[("State", "closed")]).await.with(200);
        }
        wanted.insert(sid(&talk));
    }
    let mut seen = Vec::new();
    let mut path = Some(format!("{LIST}?Identity=alice%2Bx&PageSize=2"));
    while let Some(at) = path {
        let page = server.get(&at).await.with(200);
        seen.extend(sids(&page));
        assert_eq!(page["conversations"][0]["participant_identity"], "alice+x");
        assert_eq!(
            page["conversations"][0]["participant_messaging_binding"],
            Value::Null
        );
        path = page["meta"]["next_page_url"].as_str().map(|url| {
            let own = url.strip_prefix(&server.url("")).expect("our own host");
            own.to_owned()
        });
    }
    assert_eq!(seen, wanted.into_iter().collect::<Vec<_>>());
    for nobody in ["?Identity=nobody", "?Address=alice%2Bx"] {
        let page = server.get(&format!("{LIST}{nobody}")).await.with(200);
        assert_eq!(page["conversations"], json!([]));
    }
    server.stop().await;
}

#[sqlx::test]
async fn an_address_is_found_until_it_leaves(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let (stays, leaves, goes) = (
        server.conversation(&[]).await,
        server.conversation(&[]).await,
        server.conversation(&[]).await,
    );
    let phone = "+15558670001";
    server.add_phone(&stays, phone, "+15550100001").await;
    server.add_phone(&stays, phone, "+15550100002").await;
    let left = server.add_phone(&leaves, phone, "+15550100003").await;
    server.add_phone(&goes, phone, "+15550100004").await;
    let find = async || {
        let path = format!("{LIST}?Address=%2B15558670001");
        server.get(&path).await.with(200)
    };
    let page = find().await;
    assert_eq!(
        sids(&page),
        [sid(&stays), sid(&stays), sid(&leaves), sid(&goes)]
    );
    assert_eq!(
        page["conversations"][0]["participant_messaging_binding"],
        json!({
            "type": "sms", "address": phone, "proxy_address": "+15550100001",
            "projected_address": null, "level": null, "name": null,
        })
    );
    assert_eq!(
        page["conversations"][0]["participant_user_sid"],
        Value::Null
    );
    let walked = server
        .get(&format!("{LIST}?Address=%2B15558670001&PageSize=1"))
        .await
        .with(200);
    let next = text(&walked["meta"], "next_page_url");
    let next = next.strip_prefix(&server.url("")).expect("our own host");
    assert_eq!(sids(&server.get(next).await.with(200)), [sid(&stays)]);

    server.post(&stays, &[("State", "closed")]).await.with(200);
    server
        .delete(&format!("{leaves}/Participants/{}", text(&left, "sid")))
        .await
        .with(204);
    server.delete(&goes).await.with(204);
    assert_eq!(sids(&find().await), [sid(&stays), sid(&stays)]);
    server.stop().await;
}

#[sqlx::test]
async fn a_projected_address_is_not_found_nor_who_came_behind_it(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    let projected = [("MessagingBinding.ProjectedAddress", "+15550100005")];
    let unattached = server
        .post(&format!("{talk}/Participants"), &projected)
        .await
        .with(201);
    let find = async |query: &str| {
        let page = server.get(&format!("{LIST}?{query}")).await.with(200);
        sids(&page)
    };
    assert!(find("Address=%2B15550100005").await.is_empty());
    let path = format!("{talk}/Participants/{}", text(&unattached, "sid"));
    server.post(&path, &[("Identity", "late")]).await.with(200);
    assert!(find("Identity=late").await.is_empty());
    let own = server.get("/v1/Users/late/Conversations").await.with(200);
    assert_eq!(sids(&own), [sid(&talk)]);
    let early = [("Identity", "early"), projected[0]];
    server
        .post(&format!("{talk}/Participants"), &early)
        .await
        .with(201);
    assert_eq!(find("Identity=early").await, [sid(&talk)]);
    server.stop().await;
}

#[sqlx::test]
async fn exactly_one_of_both_is_asked_for_in_one_service(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    server
        .post(&format!("{talk}/Participants"), &[("Identity", "alice")])
        .await
        .with(201);
    let both = server
        .get(&format!("{LIST}?Identity=alice&Address=%2B15558670001"))
        .await;
    assert_eq!(both.refused(400), 50451);
    for none in ["", "?Identity=", "?Address="] {
        let answer = server.get(&format!("{LIST}{none}")).await;
        assert_eq!(answer.refused(400), 20422, "{none}");
    }
    let other = server
        .post("/v1/Services", &[("FriendlyName", "tenant")])
        .await
        .with(201);
    let path = format!(
        "/v1/Services/{}/ParticipantConversations?Identity=alice",
        text(&other, "sid")
    );
    let page = server.get(&path).await.with(200);
    assert_eq!(page["conversations"], json!([]));
    server.stop().await;
}
