//! The program as an operator meets it: probes, and verbs beside a running server.

use std::process::Output;

use serde_json::{Value, json};
use sqlx::{ConnectOptions as _, PgPool};
use tokio::process::Command;

use crate::support::{TestServer, text};

async fn convoke(pool: &PgPool, words: &[&str]) -> Output {
    let url = pool.connect_options().to_url_lossy().to_string();
    Command::new(env!("CARGO_BIN_EXE_convoke"))
        .args(words)
        .env_clear()
        .env("CONVOKE_DATABASE_URL", url)
        .env("CONVOKE_SECRET_KEY", "a key for tests")
        .output()
        .await
        .expect("the program runs")
}

async fn printed(pool: &PgPool, words: &[&str]) -> String {
    let output = convoke(pool, words).await;
    assert!(output.status.success(), "{words:?}: {output:?}");
    String::from_utf8(output.stdout)
        .expect("text")
        .trim()
        .to_owned()
}

#[sqlx::test]
async fn probes_tell_that_it_lives_is_ready_and_counts(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    server.conversation(&[]).await;
    for (path, says) in [
        ("/healthz", "ok"),
        ("/readyz", "ready"),
        ("/metrics", "convoke_http_requests{status=\"2xx\"}"),
    ] {
        let answer = server
            .http
            .get(server.url(path))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), 200, "{path}");
        let body = answer.text().await.expect("a body");
        assert!(body.contains(says), "{path}: {body}");
    }
}

#[sqlx::test]
async fn verbs_work_beside_a_running_server(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    assert_eq!(
        printed(&pool, &["migrate"]).await,
        "the schema is up to date"
    );

    let account: Value =
        serde_json::from_str(&printed(&pool, &["account", "create", "--name", "Two"]).await)
            .expect("JSON");
    let sid = text(&account, "sid");
    let key: Value =
        serde_json::from_str(&printed(&pool, &["key", "create", "--account", &sid]).await)
            .expect("JSON");
    for (name, secret) in [
        (&sid, text(&account, "auth_token")),
        (&text(&key, "sid"), text(&key, "secret")),
    ] {
        let answer = server
            .http
            .get(server.url("/v1/Conversations"))
            .basic_auth(name, Some(secret))
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status(), 200);
    }

    let token = printed(
        &pool,
        &["token", "mint", "--identity", "zoe", "--account", &sid],
    )
    .await;
    let mut client = server.silent_socket().await;
    let status = client
        .say(json!({ "method": "init", "token": token }))
        .await;
    assert_eq!(status["code"], 200, "{status}");
}

#[sqlx::test]
async fn what_cannot_be_done_is_said_in_one_sentence(pool: PgPool) {
    TestServer::start(&pool).await.stop().await;
    let nobody = "AC000000000000000000000000000000ff";
    for (words, says) in [
        (
            &["key", "create", "--account", nobody][..],
            "there is no such account",
        ),
        (&["token", "mint", "--identity", "system"], "identity"),
        (
            &["token", "mint", "--identity", "a", "--ttl", "86401"],
            "86400",
        ),
    ] {
        let output = convoke(&pool, words).await;
        let said = String::from_utf8_lossy(&output.stderr).to_lowercase();
        assert!(!output.status.success(), "{words:?}");
        assert!(
            said.contains(says) && !said.contains("panicked"),
            "{words:?}: {said}"
        );
    }
}

#[sqlx::test]
async fn a_schema_of_a_newer_program_is_left_alone(pool: PgPool) {
    TestServer::start(&pool).await.stop().await;
    sqlx::query(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (99991231000000, 'of tomorrow', true, '', 0)",
    )
    .execute(&pool)
    .await
    .expect("a row");
    for words in [&["migrate"][..], &["serve"]] {
        let output = convoke(&pool, words).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{words:?}");
        assert!(said.contains("newer version"), "{words:?}: {said}");
    }
}
