//! What does not stay: uploads that no message takes, that do not end, that do not fit, and what is deleted.

use std::path::Path;
use std::process::Command;

use chrono::TimeDelta;
use reqwest::Method;
use serde_json::json;
use sqlx::PgPool;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{Media, answer, files};
use crate::support::{TestServer, text, wait};

async fn start(pool: &PgPool, folder: &Path) -> TestServer {
    let url = format!("file://{}", folder.display());
    TestServer::start_with(pool, &[("CONVOKE_MEDIA_URL", &url)]).await
}

#[sqlx::test]
async fn what_no_message_takes_goes_after_five_minutes(pool: PgPool) {
    let folder = TempDir::new().expect("a folder");
    let server = start(&pool, folder.path()).await;
    let media = Media::of(&server).await;
    let talk = server.conversation(&[]).await;
    let (kept, lost) = (media.note().await, media.note().await);
    server
        .post(&format!("{talk}/Messages"), &[("MediaSid", &kept)])
        .await
        .with(201);
    server.advance(TimeDelta::seconds(299)).await;
    server.get(&media.one(&lost)).await.with(200);
    // It is gone when its time is over, whether or not the job has come.
    server.clock.advance(TimeDelta::seconds(1));
    assert_eq!(server.get(&media.one(&lost)).await.refused(404), 20404);
    let late = server
        .post(&format!("{talk}/Messages"), &[("MediaSid", &lost)])
        .await;
    assert_eq!(late.refused(400), 50507);
    server.drain().await;
    assert_eq!(files(folder.path()), std::slice::from_ref(&kept));
    server.advance(TimeDelta::days(1)).await;
    server.get(&media.one(&kept)).await.with(200);
    assert_eq!(media.content(&kept).await.0, 200);
    server.stop().await;
}

#[sqlx::test]
async fn what_is_deleted_takes_its_media_along(pool: PgPool) {
    let folder = TempDir::new().expect("a folder");
    let server = start(&pool, folder.path()).await;
    let service = server
        .post("/v1/Services", &[("FriendlyName", "s")])
        .await
        .with(201);
    let service = text(&service, "sid");
    let media = Media::of_service(&server, &service);
    let base = format!("/v1/Services/{service}/Conversations");
    let talk = format!(
        "{base}/{}",
        text(&server.post(&base, &[]).await.with(201), "sid")
    );
    let mut said = Vec::new();
    for _ in 0..3 {
        let sid = media.note().await;
        let message = server
            .post(&format!("{talk}/Messages"), &[("MediaSid", &sid)])
            .await
            .with(201);
        said.push((format!("{talk}/Messages/{}", text(&message, "sid")), sid));
    }
    let loose = media.note().await;
    assert_eq!(files(folder.path()).len(), 4);

    let (message, sid) = &said[0];
    server.delete(message).await.with(204);
    assert_eq!(server.get(&media.one(sid)).await.refused(404), 20404);
    server.drain().await;
    assert_eq!(files(folder.path()).len(), 3);

    server.delete(&talk).await.with(204);
    assert_eq!(server.get(&media.one(&said[1].1)).await.refused(404), 20404);
    server.drain().await;
    assert_eq!(files(folder.path()), std::slice::from_ref(&loose));

    // What no message has is gone at once; its bytes go when its time is over.
    let other = media.note().await;
    server.delete(&media.one(&other)).await.with(204);
    assert_eq!(server.get(&media.one(&other)).await.refused(404), 20404);
    assert_eq!(server.delete(&media.one(&other)).await.refused(404), 20404);
    server
        .delete(&format!("/v1/Services/{service}"))
        .await
        .with(204);
    assert_eq!(server.get(&media.one(&loose)).await.refused(404), 20404);
    server.advance(TimeDelta::seconds(300)).await;
    assert!(files(folder.path()).is_empty());
    server.stop().await;
}

/// Begins an upload by hand, and sends less than it says.
async fn half_an_upload(server: &TestServer, path: &str, says: &str, body: &[u8]) -> TcpStream {
    let address = server.url("").replace("http://", "");
    let mut stream = TcpStream::connect(&address).await.expect("a connection");
    let credentials = "QUMwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMTp0ZXN0MGF1dGgwdG9rZW4wdGVzdDBhdXRoMHRva2VuMA==";
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic {credentials}\r\n{says}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("sent");
    stream.write_all(body).await.expect("sent");
    stream
}

async fn beginning_of_answer(stream: &mut TcpStream) -> String {
    let mut answer = vec![0; 4096];
    let count = stream.read(&mut answer).await.expect("an answer");
    String::from_utf8_lossy(&answer[..count]).into_owned()
}

#[sqlx::test]
async fn an_upload_that_breaks_off_leaves_nothing(pool: PgPool) {
    let folder = TempDir::new().expect("a folder");
    let server = start(&pool, folder.path()).await;
    let media = Media::of(&server).await;
    let form =
        b"--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n\r\nhalf of it";
    let kind = "Content-Length: 1000000\r\nContent-Type: multipart/form-data; boundary=B";
    for (says, body) in [
        ("Content-Length: 1000000", &[b'x'; 300_000][..]),
        ("Transfer-Encoding: chunked", b"4\r\nhalf\r\n"),
        (kind, form),
    ] {
        let stream = half_an_upload(&server, &media.path, says, body).await;
        wait::until("the upload has begun", async || {
            files(folder.path()).len() == 1
        })
        .await;
        drop(stream);
        wait::until("nothing is left", async || files(folder.path()).is_empty()).await;
    }
    let rows = async || -> i64 {
        sqlx::query_scalar("select count(*) from media")
            .fetch_one(&pool)
            .await
            .expect("a count")
    };
    // Whatever the connection's end interrupted, the job of each upload sees to it.
    server.advance(TimeDelta::hours(1)).await;
    assert_eq!(rows().await, 0);
    assert_eq!(files(folder.path()), Vec::<String>::new());
    server.stop().await;
}

#[sqlx::test]
async fn what_a_crash_left_is_swept(pool: PgPool) {
    let folder = TempDir::new().expect("a folder");
    let server = start(&pool, folder.path()).await;
    let media = Media::of(&server).await;
    let sid = media.note().await;
    let path = media.path.clone();
    server.stop().await;
    // As a crash in the middle would have left them.
    let half = folder.path().join(format!("{sid}#1"));
    std::fs::rename(folder.path().join(&sid), half).expect("renamed");
    sqlx::query("update media set state = 'uploading'")
        .execute(&pool)
        .await
        .expect("a row");

    let server = start(&pool, folder.path()).await;
    let media = Media {
        server: &server,
        path,
    };
    assert_eq!(server.get(&media.one(&sid)).await.refused(404), 20404);
    server.advance(TimeDelta::minutes(59)).await;
    assert_eq!(files(folder.path()).len(), 1);
    server.advance(TimeDelta::minutes(2)).await;
    assert!(files(folder.path()).is_empty());
    server.stop().await;
}

#[sqlx::test]
async fn what_is_too_large_is_refused_before_it_is_read(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let media = Media::of(&server).await;
    for (says, code) in [
        ("Content-Length: 157286401", "50512"),
        (
            "Content-Length: 10000000000\r\nContent-Type: multipart/form-data; boundary=B",
            "50512",
        ),
    ] {
        let mut stream = half_an_upload(&server, &media.path, says, b"").await;
        let answer = beginning_of_answer(&mut stream).await;
        assert!(
            answer.starts_with("HTTP/1.1 400") && answer.contains(code),
            "{answer}"
        );
    }
    for (query, code) in [
        ("?Category=other", 20422),
        ("?Filename=%00", 20422),
        ("?Filename=%0A", 20422),
    ] {
        let upload = server
            .request(Method::POST, &format!("{}{query}", media.path))
            .body("x");
        assert_eq!(answer(upload).await.refused(400), code, "{query}");
    }
    server.stop().await;
}

#[sqlx::test]
async fn what_is_no_file_is_not_held_without_end(pool: PgPool) {
    let folder = TempDir::new().expect("a folder");
    let server = start(&pool, folder.path()).await;
    let media = Media::of(&server).await;
    let kind = "Content-Length: 100000000\r\nContent-Type: multipart/form-data; boundary=B";
    let part = "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"f\"\r\n";
    for beginning in [
        String::new(),
        format!("{part}X-Long: "),
        format!("{part}\r\na file\r\n{part}X-Long: "),
    ] {
        let mut body = beginning.clone().into_bytes();
        body.resize(300_000, b'x');
        let mut stream = half_an_upload(&server, &media.path, kind, &body).await;
        let answer = beginning_of_answer(&mut stream).await;
        assert!(
            answer.starts_with("HTTP/1.1 400") && answer.contains("too much beside its file"),
            "{beginning}: {answer}"
        );
    }
    // The file goes beside the answer.
    wait::until("nothing is left", async || files(folder.path()).is_empty()).await;

    // As much as a file is no limit to what belongs to it, however it arrives.
    let file = "x".repeat(1_000_000);
    let form = format!("{part}\r\n{file}\r\n--B--\r\n");
    let length = form.len();
    let says = format!("Content-Length: {length}\r\nContent-Type: multipart/form-data; boundary=B");
    let mut stream = half_an_upload(&server, &media.path, &says, form.as_bytes()).await;
    let answer = beginning_of_answer(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    server.stop().await;
}

/// A file system of one megabyte, where one may be made; otherwise a folder that is none.
struct Tiny {
    folder: TempDir,
    mounted: bool,
}

impl Tiny {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(folder.path())
            .status()
            .is_ok_and(|status| status.success());
        Self { folder, mounted }
    }
}

impl Drop for Tiny {
    fn drop(&mut self) {
        if self.mounted {
            let _ = Command::new("umount")
                .arg("-l")
                .arg(self.folder.path())
                .status();
        }
    }
}

#[sqlx::test]
async fn a_full_disk_refuses_and_keeps_nothing(pool: PgPool) {
    let tiny = Tiny::new();
    if !tiny.mounted {
        eprintln!(
            "SKIPPED: no small file system can be made here (it takes root), so none was filled"
        );
        return;
    }
    let server = start(&pool, tiny.folder.path()).await;
    let media = Media::of(&server).await;
    let small = media.note().await;
    let upload = server
        .request(Method::POST, &media.path)
        .body(vec![b'x'; 2_000_000]);
    assert_eq!(answer(upload).await.refused(503), 20503);
    assert_eq!(files(tiny.folder.path()), std::slice::from_ref(&small));
    assert_eq!(media.content(&small).await, (200, b"note".to_vec()));
    // There is room again for what fits.
    let fits = server
        .request(Method::POST, &media.path)
        .body(vec![b'x'; 500_000]);
    let record = answer(fits).await.with(201);
    assert_eq!(record["size"], json!(500_000));
    server.advance(TimeDelta::seconds(300)).await;
    assert!(files(tiny.folder.path()).is_empty());
    server.stop().await;
}
