//! Media on messages.

use futures_util::future::join_all;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::Media;
use crate::support::{TestServer, text};

#[sqlx::test]
async fn a_message_carries_its_media_once(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let media = Media::of(&server).await;
    let messages = format!("{}/Messages", server.conversation(&[]).await);
    let (first, second) = (media.note().await, media.note().await);
    let pieces = [("MediaSid", second.as_str()), ("MediaSid", first.as_str())];
    let said = server.post(&messages, &pieces).await.with(201);
    let piece = |sid: &str| json!({ "sid": sid, "size": 4, "content_type": "text/plain", "filename": "a.txt" });
    assert_eq!(said["media"], json!([piece(&second), piece(&first)]));
    assert_eq!(said["body"], Value::Null);
    let read = server
        .get(&format!("{messages}/{}", text(&said, "sid")))
        .await
        .with(200);
    assert_eq!(read["media"], said["media"]);
    let record = server.get(&media.one(&first)).await.with(200);
    assert_eq!(record["message_sid"], said["sid"]);
    assert_eq!(record["channel_sid"], said["conversation_sid"]);
    assert_eq!(server.delete(&media.one(&first)).await.refused(409), 20409);

    // What was refused took nothing with it.
    let third = media.note().await;
    for (sids, code) in [
        (vec![third.as_str(), first.as_str()], 50508),
        (vec![third.as_str(), third.as_str()], 50508),
        (
            vec![third.as_str(), "ME00000000000000000000000000000000"],
            50507,
        ),
        (vec![third.as_str(), "ME1"], 50510),
        (
            vec![third.as_str(), "IM00000000000000000000000000000000"],
            50510,
        ),
        (vec![third.as_str(); 11], 20422),
    ] {
        let form: Vec<_> = sids.iter().map(|sid| ("MediaSid", *sid)).collect();
        assert_eq!(
            server.post(&messages, &form).await.refused(400),
            code,
            "{sids:?}"
        );
    }
    let form = [("MediaSid", third.as_str()), ("Body", "with words")];
    let said = server.post(&messages, &form).await.with(201);
    assert_eq!(
        (&said["index"], &said["body"]),
        (&json!(1), &json!("with words"))
    );

    // An edit leaves them; a message without has none.
    let path = format!("{messages}/{}", text(&said, "sid"));
    let edited = server
        .post(&path, &[("Body", "other words")])
        .await
        .with(200);
    assert_eq!(edited["media"][0]["sid"], json!(third));
    let plain = server
        .post(&messages, &[("Body", "x"), ("MediaSid", "")])
        .await
        .with(201);
    assert_eq!(plain["media"], Value::Null);
    server.stop().await;
}

#[sqlx::test]
async fn closed_conversations_and_other_services_get_none(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let media = Media::of(&server).await;
    let sid = media.note().await;
    let form = [("MediaSid", sid.as_str())];
    let other = server
        .post("/v1/Services", &[("FriendlyName", "other")])
        .await
        .with(201);
    let base = format!("/v1/Services/{}/Conversations", text(&other, "sid"));
    let talk = text(&server.post(&base, &[]).await.with(201), "sid");
    let there = format!("{base}/{talk}/Messages");
    assert_eq!(server.post(&there, &form).await.refused(400), 50507);
    // A conversation of another service is absent, whatever the message brings.
    let odd = format!("/v1/Conversations/{talk}/Messages");
    assert_eq!(server.post(&odd, &form).await.refused(404), 20404);
    let closed = server.conversation(&[]).await;
    server.post(&closed, &[("State", "closed")]).await.with(200);
    assert_eq!(
        server
            .post(&format!("{closed}/Messages"), &form)
            .await
            .refused(400),
        50377
    );
    let open = server.conversation(&[]).await;
    server
        .post(&format!("{open}/Messages"), &form)
        .await
        .with(201);
    server.stop().await;
}

#[sqlx::test]
async fn of_many_messages_at_once_one_gets_them(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let media = Media::of(&server).await;
    let (a, b) = (media.note().await, media.note().await);
    let talks = join_all((0..4).map(|_| server.conversation(&[]))).await;
    let posts = talks.iter().enumerate().map(|(nth, talk)| {
        let (first, second) = if nth % 2 == 0 { (&a, &b) } else { (&b, &a) };
        let path = format!("{talk}/Messages");
        let server = &server;
        async move {
            let form = [("MediaSid", first.as_str()), ("MediaSid", second.as_str())];
            let answer = server.post(&path, &form).await;
            (answer.status.as_u16(), answer.body["code"].as_i64())
        }
    });
    let mut ends = join_all(posts).await;
    ends.sort_unstable();
    let lost = (400, Some(50508));
    assert_eq!(ends, [(201, None), lost, lost, lost]);
    server.stop().await;
}

#[sqlx::test]
async fn sockets_send_and_hear_of_media(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let media = Media::of(&server).await;
    let talk = server.conversation(&[]).await;
    for identity in ["alice", "bob"] {
        let form = [("Identity", identity)];
        server
            .post(&format!("{talk}/Participants"), &form)
            .await
            .with(201);
    }
    let sid = talk.rsplit('/').next().expect("a SID");
    let service = media.path.split('/').nth(3).expect("a SID");
    let path = format!("/Client/v2/Services/{service}/Conversations/{sid}/Messages");
    let mut alice = server.socket("alice").await;
    let mut bob = server.socket("bob").await;
    bob.follow("list", &format!("{sid}.messages"), Some(0))
        .await;

    let token = server.good_token("alice").await;
    let upload = server
        .http
        .post(server.url(&format!("{}?Filename=a.txt", media.path)))
        .header("x-twilio-token", &token)
        .header("content-type", "text/plain")
        .body("file body");
    let record = super::answer(upload).await.with(201);
    assert_eq!(record["author"], "alice");
    let own = text(&record, "sid");
    // Another's upload, a program's one, and none at all look the same.
    for foreign in [
        media.note().await,
        "ME00000000000000000000000000000000".to_owned(),
    ] {
        let (status, body) = alice
            .ask("POST", &path, json!({ "media_sids": [foreign] }))
            .await;
        assert_eq!((status, &body["code"]), (400, &json!(50507)), "{body}");
    }
    let wish = json!({ "media_sids": [own], "attributes": "{}" });
    let (status, body) = alice.ask("POST", &path, wish.clone()).await;
    assert_eq!(status, 201, "{body}");
    assert_eq!(body["media"][0]["sid"], json!(own));
    let (status, body) = alice.ask("POST", &path, wish).await;
    assert_eq!((status, &body["code"]), (400, &json!(50508)));

    let heard = bob.next_notification().await;
    let data = &heard["events"][0]["item_data"];
    let piece = json!({
        "sid": own, "category": "media", "filename": "a.txt", "contentType": "text/plain", "size": 9,
    });
    assert_eq!(
        (&data["type"], &data["text"]),
        (&json!("media"), &Value::Null),
        "{heard}"
    );
    assert_eq!((&data["media"], &data["medias"]), (&piece, &json!([piece])));
    server.stop().await;
}

#[sqlx::test]
async fn media_and_words_need_a_permission_each(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let media = Media::of(&server).await;
    let talk = server.conversation(&[]).await;
    let role = async |name: &str, permission: &str| {
        let form = [
            ("FriendlyName", name),
            ("Type", "conversation"),
            ("Permission", permission),
        ];
        text(&server.post("/v1/Roles", &form).await.with(201), "sid")
    };
    let roles = [
        ("wordy", role("wordy", "sendMessage").await),
        ("pictorial", role("pictorial", "sendMediaMessage").await),
    ];
    let service = media.path.split('/').nth(3).expect("a SID").to_owned();
    let sid = talk.rsplit('/').next().expect("a SID");
    let path = format!("/Client/v2/Services/{service}/Conversations/{sid}/Messages");
    for (identity, role) in &roles {
        let form = [("Identity", *identity), ("RoleSid", role.as_str())];
        server
            .post(&format!("{talk}/Participants"), &form)
            .await
            .with(201);
        let token = server.good_token(identity).await;
        let upload = async || {
            let request = server
                .http
                .post(server.url(&media.path))
                .header("x-twilio-token", &token)
                .body("x");
            text(&super::answer(request).await.with(201), "sid")
        };
        let mut socket = server.socket(identity).await;
        let wordy = *identity == "wordy";
        for (wish, may) in [
            (json!({ "body": "x", "media_sids": [] }), wordy),
            (json!({ "media_sids": [upload().await] }), !wordy),
            (
                json!({ "body": "x", "media_sids": [upload().await] }),
                false,
            ),
        ] {
            let (status, body) = socket.ask("POST", &path, wish.clone()).await;
            if may {
                assert_eq!(status, 201, "{identity} {wish}: {body}");
            } else {
                assert_eq!(
                    (status, &body["code"]),
                    (403, &json!(50107)),
                    "{identity} {wish}"
                );
            }
        }
    }
    server.stop().await;
}
