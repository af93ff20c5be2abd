//! Up and down again.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;
use tempfile::TempDir;

use super::{Media, answer, bytes};
use crate::support::{TestServer, text};

#[sqlx::test]
async fn what_goes_up_comes_down(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let media = Media::of(&server).await;
    let record = media
        .upload(
            "?Filename=na%C3%AFve%20name.txt",
            "text/plain; charset=utf-8",
            b"hello, bytes",
        )
        .await;
    let sid = text(&record, "sid");
    let keys: BTreeSet<&str> = record
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    let wanted = [
        "account_sid",
        "author",
        "category",
        "channel_sid",
        "content_type",
        "date_created",
        "date_updated",
        "date_upload_updated",
        "filename",
        "is_multipart_upstream",
        "links",
        "message_sid",
        "service_sid",
        "sid",
        "size",
        "url",
    ];
    assert_eq!(keys, BTreeSet::from(wanted));
    assert!(sid.starts_with("ME"), "{sid}");
    assert_eq!(record["filename"], "naïve name.txt");
    assert_eq!(record["content_type"], "text/plain; charset=utf-8");
    assert_eq!(record["size"], 12);
    assert_eq!(record["category"], "media");
    assert_eq!(record["author"], "sender");
    assert_eq!(record["is_multipart_upstream"], false);
    assert_eq!(
        (&record["channel_sid"], &record["message_sid"]),
        (&json!(null), &json!(null))
    );
    assert_eq!(
        text(&record, "date_created").len(),
        "2024-01-02T03:04:05Z".len()
    );
    assert_eq!(text(&record, "url"), server.url(&media.one(&sid)));
    assert_eq!(
        record["links"]["content"],
        format!("{}/Content", media.one(&sid))
    );

    let again = server.get(&media.one(&sid)).await.with(200);
    assert_eq!(again["size"], 12);
    let got = server
        .request(Method::GET, &format!("{}/Content", media.one(&sid)))
        .send()
        .await
        .expect("an answer");
    assert_eq!(got.status(), 200);
    let header = |name: &str| got.headers()[name].to_str().expect("text").to_owned();
    assert_eq!(header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(header("content-length"), "12");
    assert_eq!(header("x-content-type-options"), "nosniff");
    assert_eq!(
        header("content-disposition"),
        "inline; filename*=UTF-8''na%C3%AFve%20name.txt"
    );
    assert_eq!(header("access-control-allow-origin"), "*");
    assert_eq!(got.bytes().await.expect("bytes"), &b"hello, bytes"[..]);
    server.stop().await;
}

#[sqlx::test]
async fn a_form_brings_one_file(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let media = Media::of(&server).await;
    let file = |name: &str, more: &str, body: &str| {
        format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"{more}\r\n\r\n{body}\r\n")
    };
    let named = |name: &str, filename: &str, kind: &str, body: &str| {
        file(
            name,
            &format!("; filename=\"{filename}\"\r\nContent-Type: {kind}"),
            body,
        )
    };
    let post = async |query: &str, form: String| {
        answer(
            server
                .request(Method::POST, &format!("{}{query}", media.path))
                .header("content-type", "multipart/form-data; boundary=B")
                .body(form),
        )
        .await
    };
    let end = "--B--\r\n";
    let one = named(
        "größe.png",
        "größe.png",
        "image/png",
        "\u{89}PNG\r\n--A not yet",
    );
    let record = post("?Category=body", format!("{one}{end}"))
        .await
        .with(201);
    assert_eq!(record["filename"], "größe.png");
    assert_eq!(record["content_type"], "image/png");
    assert_eq!(record["category"], "body");
    assert_eq!(record["is_multipart_upstream"], true);
    let (status, got) = media.content(&text(&record, "sid")).await;
    assert_eq!((status, got), (200, "\u{89}PNG\r\n--A not yet".into()));

    let fields = file("Category", "", "history") + &file("photo.jpg", "", "x");
    let record = post("", format!("{fields}{end}")).await.with(201);
    assert_eq!(
        (&record["filename"], &record["category"]),
        (&json!("photo.jpg"), &json!("history"))
    );
    assert_eq!(record["content_type"], "application/octet-stream");

    let broken = [
        (end.to_owned(), 20422),
        (one.clone(), 20422),
        (one[..one.len() - 8].to_owned(), 20422),
        (format!("{one}{one}{end}"), 20422),
        (format!("{}{end}", file("Category", "", "other")), 20422),
        ("nonsense".to_owned(), 20422),
    ];
    for (form, code) in broken {
        assert_eq!(post("", form.clone()).await.refused(400), code, "{form}");
    }
    server.stop().await;
}

#[sqlx::test]
async fn ranges_heads_and_what_browsers_must_not_run(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let media = Media::of(&server).await;
    let sid = text(&media.upload("", "video/mp4", b"0123456789").await, "sid");
    let content = format!("{}/Content", media.one(&sid));
    let ask = async |range: &str| {
        let got = server
            .request(Method::GET, &content)
            .header("range", range)
            .send()
            .await
            .expect("an answer");
        let of = got
            .headers()
            .get("content-range")
            .map(|value| value.to_str().expect("text").to_owned());
        (got.status().as_u16(), of, got.text().await.expect("text"))
    };
    assert_eq!(
        ask("bytes=2-4").await,
        (206, Some("bytes 2-4/10".to_owned()), "234".to_owned())
    );
    assert_eq!(
        ask("bytes=-2").await,
        (206, Some("bytes 8-9/10".to_owned()), "89".to_owned())
    );
    assert_eq!(ask("bytes=4-2").await, (200, None, "0123456789".to_owned()));
    let (status, of, body) = ask("bytes=10-").await;
    assert_eq!((status, of.as_deref()), (416, Some("bytes */10")));
    assert!(body.contains("\"code\":"), "{body}");
    let head = server
        .request(Method::HEAD, &content)
        .send()
        .await
        .expect("an answer");
    assert_eq!(head.status(), 200);
    assert_eq!(head.headers()["content-length"], "10");
    assert_eq!(head.bytes().await.expect("nothing").len(), 0);

    for (kind, bytes, shown, policy) in [
        (
            "text/html",
            &b"<script>1</script>"[..],
            "attachment",
            Some("sandbox"),
        ),
        (
            "text/xsl",
            b"<script>1</script>",
            "attachment",
            Some("sandbox"),
        ),
        ("image/svg+xml", b"<svg/>", "attachment", Some("sandbox")),
        ("image/png", b"GIF89a...", "attachment", Some("sandbox")),
        ("image/gif", b"GIF89a...", "inline", Some("sandbox")),
        ("text/plain", b"GIF89a...", "inline", Some("sandbox")),
        ("application/pdf", b"%PDF-1.7", "inline", None),
        (
            "application/pdf",
            b"<script>1</script>",
            "attachment",
            Some("sandbox"),
        ),
    ] {
        let sid = text(&media.upload("", kind, bytes).await, "sid");
        let got = server
            .request(Method::GET, &format!("{}/Content", media.one(&sid)))
            .send()
            .await
            .expect("an answer");
        assert_eq!(got.headers()["content-type"], kind);
        assert_eq!(got.headers()["content-disposition"], shown, "{kind}");
        let got = got.headers().get("content-security-policy");
        let got = got.map(|value| value.to_str().expect("text"));
        assert_eq!(got, policy, "{kind}");
    }
    // A browser would take this list for its last type.
    let list = media.upload("", "text/plain;x=x,text/html", b"<b>").await;
    assert_eq!(list["content_type"], "text/plain");
    let empty = text(&media.upload("", "text/plain", b"").await, "sid");
    assert_eq!(media.content(&empty).await, (200, Vec::new()));
    let odd = media.upload("", "not a type", b"x").await;
    assert_eq!(odd["content_type"], "application/octet-stream");
    server.stop().await;
}

#[sqlx::test]
async fn a_temporary_url_needs_nothing_but_itself(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let media = Media::of(&server).await;
    let record = media.upload("", "text/plain", b"bytes").await;
    let url = text(&record["links"], "content_direct_temporary");
    let stranger = async |url: &str| {
        let got = server.http.get(url).send().await.expect("an answer");
        (got.status().as_u16(), got.text().await.expect("text"))
    };
    assert_eq!(stranger(&url).await, (200, "bytes".to_owned()));
    let other = media.note().await;
    let (base, query) = url.split_once('?').expect("a query");
    for changed in [
        base.to_owned(),
        format!("{base}?{}", query.split_once('&').expect("two").0),
        format!("{base}?{}", query.split_once('&').expect("two").1),
        url.replace("Expires=1", "Expires=2"),
        format!("{url}x"),
        url.replace(&text(&record, "sid"), &other),
        format!("{base}?Expires=9999999999&Signature="),
    ] {
        let (status, body) = stranger(&changed).await;
        assert_eq!(status, 403, "{changed}: {body}");
    }
    // One byte of many, by the same URL.
    let part = server.http.get(&url).header("range", "bytes=1-1");
    assert_eq!(bytes(part).await, (206, b"y".to_vec()));

    // On a message it stays, so that time alone ends the URL.
    let talk = server.conversation(&[]).await;
    let sid = text(&record, "sid");
    server
        .post(&format!("{talk}/Messages"), &[("MediaSid", &sid)])
        .await
        .with(201);
    server.clock.advance(TimeDelta::seconds(298));
    assert_eq!(stranger(&url).await.0, 200);
    server.clock.advance(TimeDelta::seconds(2));
    let (status, body) = stranger(&url).await;
    assert_eq!(status, 403, "{body}");
    assert!(body.contains("20403"), "{body}");
    let fresh = server.get(&media.one(&sid)).await.with(200);
    let url = text(&fresh["links"], "content_direct_temporary");
    assert_eq!(stranger(&url).await.0, 200);
    server.delete(&talk).await.with(204);
    assert_eq!(stranger(&url).await.0, 404);
    server.drain().await;
    server.stop().await;
}

#[sqlx::test]
async fn sets_say_of_each_what_became_of_it(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let media = Media::of(&server).await;
    let (a, b) = (media.note().await, media.note().await);
    let set = async |body: serde_json::Value| {
        answer(
            server
                .request(Method::POST, &format!("{}Set", media.path))
                .json(&body),
        )
        .await
    };
    let absent = "ME00000000000000000000000000000000";
    let list = json!([{ "media_sid": b }, { "media_sid": absent }, { "media_sid": "x" }, { "media_sid": a }]);
    let answer = set(json!({ "command": "get", "list": list }))
        .await
        .with(200);
    let told: Vec<_> = answer
        .as_array()
        .expect("an array")
        .iter()
        .map(|one| {
            (
                one["code"].as_i64().expect("a code"),
                text(&one["media_record"], "sid"),
            )
        })
        .collect();
    let wanted = [
        (200, b),
        (404, absent.to_owned()),
        (404, "x".to_owned()),
        (200, a),
    ];
    assert_eq!(told, wanted);
    assert!(answer[0]["media_record"]["links"]["content_direct_temporary"].is_string());
    for wrong in [
        json!({ "command": "delete", "list": [] }),
        json!({ "command": "get" }),
        json!({ "command": "get", "list": vec![json!({ "media_sid": "x" }); 101] }),
    ] {
        assert_eq!(set(wrong).await.refused(400), 20422);
    }
    server.stop().await;
}

#[sqlx::test]
async fn foreign_media_are_as_absent_and_strangers_learn_nothing(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let media = Media::of(&server).await;
    let other = server
        .post("/v1/Services", &[("FriendlyName", "other")])
        .await
        .with(201);
    let others = Media::of_service(&server, &text(&other, "sid"));
    let sid = media.note().await;
    for path in [
        others.one(&sid),
        media.one("ME1"),
        media.one("IM00000000000000000000000000000000"),
    ] {
        assert_eq!(server.get(&path).await.refused(404), 20404);
        assert_eq!(
            server.get(&format!("{path}/Content")).await.refused(404),
            20404
        );
        assert_eq!(server.delete(&path).await.refused(404), 20404);
    }
    let nowhere = Media::of_service(&server, "IS00000000000000000000000000000000");
    let upload = server.request(Method::POST, &nowhere.path).body("x");
    assert_eq!(answer(upload).await.refused(404), 20404);
    for path in [
        media.path.clone(),
        media.one(&sid),
        format!("{}/Content", media.one(&sid)),
    ] {
        let method = if path == media.path {
            Method::POST
        } else {
            Method::GET
        };
        let stranger = server.http.request(method, server.url(&path));
        assert_eq!(answer(stranger).await.refused(401), 20003);
    }
    let preflight = server
        .http
        .request(Method::OPTIONS, server.url(&media.path));
    let preflight = preflight.send().await.expect("an answer");
    assert_eq!(preflight.status(), 204);
    let allowed = preflight.headers()["access-control-allow-headers"]
        .to_str()
        .expect("text");
    assert!(allowed.contains("X-Twilio-Token"), "{allowed}");
    server.stop().await;
}

#[sqlx::test]
async fn what_was_uploaded_is_there_after_a_restart(pool: PgPool) {
    let folder = TempDir::new().expect("a folder");
    let url = format!("file://{}", folder.path().display());
    let settings = [("CONVOKE_MEDIA_URL", url.as_str())];
    let server = TestServer::start_with(&pool, &settings).await;
    let media = Media::of(&server).await;
    let record = media.upload("", "text/plain", b"kept").await;
    let sid = text(&record, "sid");
    let path = media.path.clone();
    server.stop().await;

    let server = TestServer::start_with(&pool, &settings).await;
    let media = Media {
        server: &server,
        path,
    };
    assert_eq!(media.content(&sid).await, (200, b"kept".to_vec()));
    let talk = server.conversation(&[]).await;
    let said = server
        .post(&format!("{talk}/Messages"), &[("MediaSid", &sid)])
        .await
        .with(201);
    assert_eq!(text(&said["media"][0], "sid"), sid);
    server.stop().await;
}
