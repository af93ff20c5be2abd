//! The program as an operator meets it: probes, and verbs beside a running server.

use std::process::{Output, Stdio};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgPool};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::process::Command;
use tokio::time::timeout;

use crate::support::server::{ACCOUNT_SID, AUTH_TOKEN};
use crate::support::{TestServer, text, wait};

async fn convoke(pool: &PgPool, words: &[&str]) -> Output {
    convoke_with(pool, words, &[]).await
}

/// The same with further settings, by their names in the environment.
async fn convoke_with(pool: &PgPool, words: &[&str], more: &[(&str, &str)]) -> Output {
    let output = program(pool, words, more).output().await;
    output.expect("the program runs")
}

fn program(pool: &PgPool, words: &[&str], more: &[(&str, &str)]) -> Command {
    let url = pool.connect_options().to_url_lossy().to_string();
    let mut command = Command::new(env!("CARGO_BIN_EXE_convoke"));
    command
        .args(words)
        .env_clear()
        .env("CONVOKE_LISTEN", "127.0.0.1:0")
        .env("CONVOKE_DATABASE_URL", url)
        .env("CONVOKE_SECRET_KEY", "a key for tests")
        .envs(more.iter().copied());
    command
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
        ("/metrics", "# HELP convoke_http_requests Requests"),
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
    let long = "n".repeat(65);
    for (words, says) in [
        (
            &["key", "create", "--account", nobody][..],
            "there is no such account",
        ),
        (&["token", "mint", "--identity", "system"], "identity"),
        (
            &[
                "token",
                "mint",
                "--identity",
                "a",
                "--service",
                "IS000000000000000000000000000000ff",
            ],
            "convoke: there is no such service in this account\n",
        ),
        (&["account", "create", "--name", &long], "64 characters"),
        (&["key", "create", "--name", &long], "64 characters"),
        (&["key", "create", "--name", ""], "a character at least"),
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

#[sqlx::test]
async fn another_key_is_refused_before_anything_is_sealed_with_it(pool: PgPool) {
    TestServer::start(&pool).await.stop().await;
    let another = [("CONVOKE_SECRET_KEY", "another key of secrets")];
    let verbs = [
        &["serve"][..],
        &["account", "create"],
        &["key", "create"],
        &["token", "mint", "--identity", "a"],
    ];
    // The second time as a database from before there was a check, where an account's secret serves as one.
    for _ in 0..2 {
        for words in verbs {
            let output = convoke_with(&pool, words, &another).await;
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(!output.status.success(), "{words:?}");
            assert!(
                said.contains("CONVOKE_SECRET_KEY") && said.contains("sealed with"),
                "{words:?}: {said}"
            );
        }
        sqlx::query("delete from secret_key_checks")
            .execute(&pool)
            .await
            .expect("no check");
    }
    printed(&pool, &["key", "create"]).await;
    let output = convoke_with(&pool, &["migrate"], &another).await;
    assert!(output.status.success(), "it touches no secrets");
}

#[sqlx::test]
async fn verbs_mean_the_account_of_the_settings(pool: PgPool) {
    TestServer::start(&pool).await.stop().await;
    let other: Value =
        serde_json::from_str(&printed(&pool, &["account", "create"]).await).expect("JSON");
    let other = text(&other, "sid");
    let with = async |sid: &str| {
        let settings = [
            ("CONVOKE_ACCOUNT_SID", sid),
            ("CONVOKE_AUTH_TOKEN", AUTH_TOKEN),
        ];
        convoke_with(&pool, &["key", "create"], &settings).await
    };
    let key: Value = serde_json::from_slice(&with(&other).await.stdout).expect("JSON");
    assert_eq!(text(&key, "account_sid"), other);
    let refused = with("AC000000000000000000000000000000ff").await;
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(said.contains("there is no such account"), "{said}");
}

#[tokio::test]
async fn what_is_looked_for_in_a_folder_without_a_database_makes_none() {
    let place = TempDir::new().expect("a folder");
    let folder = place.path().join("data");
    for words in [
        &["key", "create"][..],
        &["token", "mint", "--identity", "a"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_convoke"))
            .args(words)
            .env_clear()
            .current_dir(place.path())
            .output()
            .await
            .expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success(), "{words:?}");
        let folder = folder.to_str().expect("text");
        assert!(
            said.contains(&format!("no database in {folder}")) && said.contains("CONVOKE_DATA_DIR"),
            "{words:?}: {said}"
        );
    }
    assert!(!folder.exists(), "nothing was made");
}

#[tokio::test]
async fn config_check_finds_what_a_server_could_not_run_with() {
    let place = TempDir::new().expect("a folder");
    let certificate = place.path().join("cert.pem");
    std::fs::write(&certificate, "no certificate").expect("a file");
    let certificate = certificate.to_str().expect("text");
    let files = [
        ("CONVOKE_TLS_CERT", certificate),
        ("CONVOKE_TLS_KEY", certificate),
    ];
    let several = [
        ("CONVOKE_LISTEN", "localhost:8080"),
        ("CONVOKE_DATABASE_MAX_CONNECTIONS", "0"),
        ("CONVOKE_LISTN", "127.0.0.1:1"),
    ];
    for (settings, says) in [
        (&files[..], &["cert.pem", "TLS"][..]),
        (
            &several,
            &[
                "127.0.0.1:8080",
                "\"localhost:8080\"",
                "max_connections",
                "CONVOKE_LISTN",
            ],
        ),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_convoke"))
            .args(["config", "check"])
            .env_clear()
            .envs(settings.iter().copied())
            .output()
            .await
            .expect("the program runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{said}");
        for part in says {
            assert!(said.contains(part), "{part} in {said}");
        }
    }
}

#[sqlx::test]
async fn a_database_that_cannot_be_reached_is_named_with_the_cause(pool: PgPool) {
    let options = pool.connect_options().as_ref().clone();
    let absent = options.database("no_such_database").to_url_lossy();
    for (url, parts) in [
        (
            absent.as_str(),
            &["\"no_such_database\" does not exist"][..],
        ),
        (
            "postgres://somebody:hidden@nowhere.invalid:5433/convoke",
            &["nowhere.invalid:5433"],
        ),
    ] {
        let output = convoke_with(&pool, &["serve"], &[("CONVOKE_DATABASE_URL", url)]).await;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success());
        for part in parts {
            assert_eq!(said.matches(part).count(), 1, "{part} in {said}");
        }
        assert!(!said.contains("hidden"), "{said}");
    }
}

#[sqlx::test]
async fn a_database_that_may_be_starting_is_waited_for_aloud(pool: PgPool) {
    // Nothing listens on a port that was free a moment ago.
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        free.local_addr().expect("an address").port()
    };
    let url = format!("postgres://somebody:hidden@127.0.0.1:{port}/convoke");
    let mut program = program(&pool, &["serve"], &[("CONVOKE_DATABASE_URL", &url)])
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program runs");
    let mut said = BufReader::new(program.stderr.take().expect("its log")).lines();
    let line = said.next_line().await.expect("text").expect("a line");
    for part in [
        &format!("127.0.0.1:{port}"),
        "Connection refused",
        "trying again",
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
    assert!(!line.contains("hidden"), "{line}");
}

#[sqlx::test]
async fn when_the_database_goes_away_the_log_says_what_it_said(pool: PgPool) {
    let mut program = program(&pool, &["serve"], &[])
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program runs");
    let mut said = BufReader::new(program.stderr.take().expect("its log")).lines();
    let mut hear = async |parts: &[&str]| loop {
        let line = said.next_line().await.expect("text").expect("a line");
        if parts.iter().all(|part| line.contains(part)) {
            return;
        }
    };
    hear(&["listening"]).await;
    let options = pool.connect_options().as_ref().clone();
    let name = options.get_database().expect("a name").to_owned();
    let mut beside = options
        .database("postgres")
        .connect()
        .await
        .expect("a connection");
    for statement in [
        format!("alter database \"{name}\" allow_connections false"),
        format!("select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"),
    ] {
        sqlx::raw_sql(AssertSqlSafe(statement))
            .execute(&mut beside)
            .await
            .expect("it is away");
    }
    let told = [
        "jobs could not be claimed",
        "not currently accepting connections",
    ];
    timeout(Duration::from_secs(30), hear(&told))
        .await
        .expect("it is told");
}

/// What a start prints for the person at the terminal.
async fn greeting(pool: &PgPool, more: &[(&str, &str)]) -> String {
    let mut program = program(pool, &["serve"], more)
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program runs");
    let mut said = BufReader::new(program.stdout.take().expect("its output")).lines();
    let mut greeting = String::new();
    while !greeting.contains("curl") {
        let line = said.next_line().await.expect("text").expect("a line");
        greeting = format!("{greeting}{line}\n");
    }
    kill(
        Pid::from_raw(program.id().expect("it runs").cast_signed()),
        Signal::SIGTERM,
    )
    .expect("it is told");
    program.wait().await.expect("it ends");
    greeting
}

#[sqlx::test]
async fn the_greeting_says_where_the_auth_token_is(pool: PgPool) {
    let quickly = ("CONVOKE_SHUTDOWN_SPREAD_SECONDS", "0");
    let public = ("CONVOKE_PUBLIC_URL", "https://convoke.example.com");
    let first = greeting(&pool, &[quickly]).await;
    assert!(first.contains("shown only this once"), "{first}");
    assert!(first.contains("/v1/Conversations"), "{first}");

    let second = greeting(&pool, &[quickly, public]).await;
    assert!(second.contains("shown at the first start"), "{second}");
    assert!(
        second.contains(concat!(env!("CARGO_BIN_EXE_convoke"), " key create --main")),
        "{second}"
    );
    assert!(
        second.contains("$AUTH_TOKEN https://convoke.example.com/v1/"),
        "{second}"
    );

    let credentials = [
        ("CONVOKE_ACCOUNT_SID", ACCOUNT_SID),
        ("CONVOKE_AUTH_TOKEN", AUTH_TOKEN),
        quickly,
    ];
    let third = greeting(&pool, &credentials).await;
    assert!(third.contains("in the settings"), "{third}");
    assert!(!third.contains(AUTH_TOKEN), "{third}");
}

#[sqlx::test]
async fn a_second_signal_ends_it_at_once(pool: PgPool) {
    let url = pool.connect_options().to_url_lossy().to_string();
    let mut program = Command::new(env!("CARGO_BIN_EXE_convoke"))
        .arg("serve")
        .env_clear()
        .env("CONVOKE_LISTEN", "127.0.0.1:0")
        .env("CONVOKE_DATABASE_URL", url)
        .env("CONVOKE_SECRET_KEY", "a key for tests")
        .env("CONVOKE_ACCOUNT_SID", ACCOUNT_SID)
        .env("CONVOKE_AUTH_TOKEN", AUTH_TOKEN)
        .env("CONVOKE_SHUTDOWN_GRACE_SECONDS", "3600")
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("the program runs");
    let mut said = BufReader::new(program.stdout.take().expect("its output")).lines();
    let line = said.next_line().await.expect("text").expect("a line");
    let address = line
        .split_once("http://")
        .expect("its address")
        .1
        .to_owned();
    let pid = Pid::from_raw(program.id().expect("it runs").cast_signed());

    // A request that does not end, for which it would wait: its body is asked for, so it is under way.
    let mut endless = TcpStream::connect(&address).await.expect("a connection");
    let credentials = STANDARD.encode(format!("{ACCOUNT_SID}:{AUTH_TOKEN}"));
    let request = format!(
        "POST /v1/Conversations HTTP/1.1\r\nHost: h\r\nAuthorization: Basic {credentials}\r\n\
         Content-Length: 9\r\nExpect: 100-continue\r\n\r\n"
    );
    endless
        .write_all(request.as_bytes())
        .await
        .expect("it is taken");
    let mut answer = [0; 12];
    endless.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 100");
    kill(pid, Signal::SIGTERM).expect("the first signal");
    wait::until("it takes no requests", async || {
        TcpStream::connect(&address).await.is_err()
    })
    .await;
    assert!(program.try_wait().expect("its state").is_none());
    kill(pid, Signal::SIGTERM).expect("the second signal");
    let status = timeout(Duration::from_secs(30), program.wait()).await;
    let status = status.expect("it ends").expect("its state");
    assert_eq!(status.code(), Some(1));
}
