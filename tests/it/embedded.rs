//! The private cluster, with real servers and real signals. Nothing here is simulated: what must survive a kill is killed.
//!
//! As root the servers run as the user `postgres`, as in production; as an ordinary user they run as that user.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use convoke::embedded::{Cluster, Error, Settings};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use sqlx::Connection;
use sqlx::postgres::PgConnection;
use tempfile::TempDir;

/// Tells [`holds_a_cluster_until_killed`] which data directory to hold.
const HOLD: &str = "CONVOKE_TEST_HOLD";

#[tokio::test]
async fn a_fresh_cluster_is_private_and_durable() {
    let place = place();
    let data_dir = place.path().join("not/yet/there");
    let began = Instant::now();
    let cluster = start(&data_dir).await;
    let took = began.elapsed();
    assert!(
        took < Duration::from_secs(20),
        "a fresh start took {took:?}"
    );

    let mut connection = connect(&cluster).await;
    for (setting, value) in [
        ("fsync", "on"),
        ("synchronous_commit", "on"),
        ("full_page_writes", "on"),
        ("data_checksums", "on"),
        ("listen_addresses", ""),
        ("server_encoding", "UTF8"),
        ("lc_collate", "C"),
        ("max_connections", "20"),
    ] {
        let query = sqlx::query_scalar("SELECT current_setting($1)").bind(setting);
        let actual: String = query.fetch_one(&mut connection).await.expect("a setting");
        assert_eq!(actual, value, "{setting}");
    }
    let database: String = sqlx::query_scalar("SELECT current_database()")
        .fetch_one(&mut connection)
        .await
        .expect("a name");
    assert_eq!(database, "convoke");
    assert_eq!(mode(&data_dir.join("postgres")), 0o700);
    assert_ne!(
        fs::metadata(data_dir.join("postgres"))
            .expect("the cluster")
            .uid(),
        0,
        "root cannot run it"
    );

    let pid = cluster.postmaster_pid();
    cluster.stop().await.expect("a stop");
    assert!(gone(pid));
    assert!(!data_dir.join("postgres/postmaster.pid").exists());
}

#[tokio::test]
async fn a_restart_keeps_the_data_whatever_the_path() {
    let place = place();
    let data_dir = place.path().join(r#"it's a "nice", größer (\) path "#);
    let cluster = start(&data_dir).await;
    remember(&cluster, "kept").await;
    cluster.stop().await.expect("a stop");

    let cluster = start(&data_dir).await;
    assert_eq!(remembered(&cluster).await, ["kept"]);
    cluster.stop().await.expect("a stop");
}

#[tokio::test]
async fn a_path_too_long_for_a_socket_works() {
    let place = place();
    let data_dir = place
        .path()
        .join("long".repeat(30))
        .join("longer".repeat(30));
    let cluster = start(&data_dir).await;
    remember(&cluster, "kept").await;
    let sockets = cluster
        .connect_options()
        .get_socket()
        .expect("a socket")
        .clone();
    assert!(sockets.starts_with("/tmp"), "{sockets:?}");
    assert_eq!(mode(&sockets), 0o700);
    cluster.stop().await.expect("a stop");
    assert!(!sockets.exists());

    // Somebody else may have taken the name.
    fs::create_dir(&sockets).expect("a directory");
    fs::set_permissions(&sockets, fs::Permissions::from_mode(0o755)).expect("a mode");
    assert!(matches!(refusal(&data_dir).await, Error::SocketDirectory(path) if path == sockets));
    fs::remove_dir(&sockets).expect("an empty directory");

    let cluster = start(&data_dir).await;
    assert_eq!(remembered(&cluster).await, ["kept"]);
    cluster.stop().await.expect("a stop");
}

#[tokio::test]
async fn only_one_holds_a_data_directory() {
    let place = place();
    let first = start(place.path()).await;
    let error = refusal(place.path()).await;
    assert!(matches!(error, Error::Held(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .contains(&place.path().display().to_string()),
        "{error}"
    );
    first.stop().await.expect("a stop");

    start(place.path()).await.stop().await.expect("a stop");
}

#[tokio::test]
async fn a_server_that_was_dropped_is_waited_for_and_started_again() {
    let place = place();
    let cluster = start(place.path()).await;
    remember(&cluster, "kept").await;
    let pid = cluster.postmaster_pid();
    drop(cluster);

    let cluster = start(place.path()).await;
    assert_ne!(cluster.postmaster_pid(), pid);
    assert_eq!(remembered(&cluster).await, ["kept"]);
    cluster.stop().await.expect("a stop");
}

#[tokio::test]
async fn what_was_committed_survives_a_kill_of_everything() {
    let place = place();
    let cluster = start(place.path()).await;
    remember(&cluster, "kept").await;
    kill_all(&cluster).await;
    drop(cluster);

    // In a small container another process soon has the number in postmaster.pid. Give it to one of the same user.
    let pid_file = place.path().join("postgres/postmaster.pid");
    let stale = fs::read_to_string(&pid_file).expect("what the killed server left");
    let stranger = Stranger::of_the_owner(&place.path().join("postgres"));
    let (_, rest) = stale.split_once('\n').expect("lines");
    fs::write(&pid_file, format!("{}\n{rest}", stranger.0.id())).expect("a file");

    let cluster = start(place.path()).await;
    assert_eq!(remembered(&cluster).await, ["kept"]);
    cluster.stop().await.expect("a stop");
}

#[tokio::test]
async fn a_killed_server_is_noticed_and_its_children_are_waited_for() {
    let place = place();
    let cluster = start(place.path()).await;
    remember(&cluster, "kept").await;
    // One of the children takes its time: it keeps the shared memory until it goes on and notices.
    let mut connection = connect(&cluster).await;
    let child =
        sqlx::query_scalar("SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'");
    let child: i32 = child.fetch_one(&mut connection).await.expect("a process");
    send(Signal::SIGSTOP, child.unsigned_abs());
    send(Signal::SIGKILL, cluster.postmaster_pid());
    tokio::time::timeout(Duration::from_secs(30), cluster.ended())
        .await
        .expect("the end is noticed");
    drop(cluster);

    let log = place.path().join("postgres.log");
    let refused = || {
        fs::read_to_string(&log)
            .ok()?
            .contains("pre-existing shared memory block")
            .then_some(())
    };
    let (cluster, ()) = tokio::join!(start(place.path()), async {
        until("PostgreSQL refuses", refused).await;
        send(Signal::SIGCONT, child.unsigned_abs());
    });
    assert_eq!(remembered(&cluster).await, ["kept"]);
    cluster.stop().await.expect("a stop");
}

#[tokio::test]
async fn a_server_that_outlived_its_convoke_is_taken_over() {
    let place = place();
    // The first as by Ctrl-C in a terminal, which goes to the whole process group; the second without any warning.
    for (signal, text) in [(Signal::SIGINT, "first"), (Signal::SIGKILL, "second")] {
        let mut holder = hold(place.path());
        let pid = until("the other process has a ready server", || {
            fs::read_to_string(place.path().join("ready"))
                .ok()?
                .parse::<u32>()
                .ok()
        })
        .await;
        fs::remove_file(place.path().join("ready")).expect("its file");
        killpg(Pid::from_raw(holder.id().cast_signed()), signal).expect("a signal");
        holder.wait().expect("its end");

        let began = Instant::now();
        let cluster = start(place.path()).await;
        assert_eq!(cluster.postmaster_pid(), pid, "the same server");
        let took = began.elapsed();
        assert!(took < Duration::from_secs(5), "taking over took {took:?}");
        remember(&cluster, text).await;
        cluster.stop().await.expect("a stop");
        until("it ended", || gone(pid).then_some(())).await;
    }
    let cluster = start(place.path()).await;
    assert_eq!(remembered(&cluster).await, ["first", "second"]);
    cluster.stop().await.expect("a stop");
}

#[tokio::test]
async fn a_creation_that_was_killed_is_begun_again() {
    let place = place();
    let unfinished = || {
        let names = fs::read_dir(place.path())
            .expect("a directory")
            .flatten()
            .map(|entry| entry.path());
        names
            .filter(|path| path.display().to_string().contains("postgres.init-"))
            .collect::<Vec<PathBuf>>()
    };
    let mut holder = hold(place.path());
    until("the other process creates the cluster", || {
        unfinished()
            .first()
            .filter(|path| path.join("PG_VERSION").exists())
            .map(|_| ())
    })
    .await;
    // Not its children: an initdb that goes on alone must do no harm.
    send(Signal::SIGKILL, holder.id());
    holder.wait().expect("its end");
    assert!(!place.path().join("postgres").exists(), "no half cluster");

    let cluster = start(place.path()).await;
    remember(&cluster, "kept").await;
    assert_eq!(remembered(&cluster).await, ["kept"]);
    cluster.stop().await.expect("a stop");
    // It may still have been at work in what the start cleared away; what it left then goes with the next start.
    let place_of = place.path().display().to_string();
    until("the initdb that went on alone ends", || {
        (!is_named_by_a_process(&place_of)).then_some(())
    })
    .await;
    // Now it surely left something.
    fs::create_dir_all(place.path().join("postgres.init-1/base")).expect("a directory");
    let cluster = start(place.path()).await;
    assert_eq!(remembered(&cluster).await, ["kept"]);
    cluster.stop().await.expect("a stop");
    assert!(unfinished().is_empty(), "{:?}", unfinished());
}

/// Whether a process runs whose command line or environment has this text: `initdb` tells its children by `PGDATA`.
fn is_named_by_a_process(text: &str) -> bool {
    let processes = fs::read_dir("/proc").expect("processes").flatten();
    processes
        .flat_map(|process| ["cmdline", "environ"].map(|file| process.path().join(file)))
        .filter_map(|file| fs::read(file).ok())
        .any(|words| String::from_utf8_lossy(&words).contains(text))
}

/// Not a test of its own: the process that is killed in other tests. Alone it does nothing.
#[tokio::test]
async fn holds_a_cluster_until_killed() {
    let Some(data_dir) = std::env::var_os(HOLD).map(PathBuf::from) else {
        return;
    };
    let cluster = start(&data_dir).await;
    fs::write(
        data_dir.join("ready.new"),
        cluster.postmaster_pid().to_string(),
    )
    .expect("a file");
    fs::rename(data_dir.join("ready.new"), data_dir.join("ready")).expect("a file");
    let minute = tokio::time::timeout(Duration::from_secs(60), std::future::pending::<()>());
    minute.await.expect_err("nobody killed this process");
}

#[tokio::test]
async fn without_a_server_the_way_out_is_named() {
    let place = place();
    let settings = Settings {
        bin_dir: Some(place.path().join("bin")),
        ..settings(place.path())
    };
    let error = Cluster::start(&settings)
        .await
        .expect_err("no server there");
    assert!(matches!(error, Error::NoServer { .. }), "{error:?}");
    for part in [
        "apt-get install postgresql",
        "CONVOKE_DATABASE_URL",
        &place.path().join("bin").display().to_string(),
    ] {
        assert!(error.to_string().contains(part), "{part} in {error}");
    }
    assert!(!place.path().join("postgres").exists());
}

#[tokio::test]
async fn another_version_is_refused_by_name() {
    let place = place();
    pretend_cluster(place.path(), "PG_VERSION", "13\n");
    let error = refusal(place.path()).await;
    let Error::WrongVersion {
        needs: 13, found, ..
    } = &error
    else {
        panic!("{error:?}")
    };
    let newest = found
        .last()
        .expect("the one that the other tests use")
        .to_string();
    assert!(error.to_string().contains("PostgreSQL 13"), "{error}");
    assert!(
        error.to_string().contains(&format!("PostgreSQL {newest}")),
        "{error}"
    );
}

#[tokio::test]
async fn other_files_are_left_alone() {
    let place = place();
    pretend_cluster(place.path(), "letter.txt", "dear");
    assert!(
        matches!(refusal(place.path()).await, Error::NotACluster(path) if path.ends_with("postgres"))
    );
    assert_eq!(
        fs::read_to_string(place.path().join("postgres/letter.txt")).expect("the letter"),
        "dear"
    );
}

#[tokio::test]
async fn a_server_that_does_not_start_says_why() {
    let place = place();
    start(place.path()).await.stop().await.expect("a stop");
    fs::write(
        place.path().join("postgres/postgresql.auto.conf"),
        "no_such_setting = 1\n",
    )
    .expect("a file");
    let error = refusal(place.path()).await;
    assert!(matches!(error, Error::Exited { .. }), "{error:?}");
    assert!(error.to_string().contains("no_such_setting"), "{error}");
}

#[tokio::test]
async fn root_is_told_which_directory_is_in_the_way() {
    if !nix::unistd::geteuid().is_root() {
        return; // an ordinary user's servers run as that user, who gets wherever Convoke gets
    }
    let place = place();
    let closed = place.path().join("closed");
    fs::create_dir(&closed).expect("a directory");
    fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).expect("a mode");
    let error = refusal(&closed.join("data")).await;
    assert!(
        matches!(&error, Error::OutOfReach { closed: dir, .. } if dir.ends_with("closed")),
        "{error:?}"
    );
    assert!(error.to_string().contains("user postgres"), "{error}");

    pretend_cluster(place.path(), "PG_VERSION", "15\n");
    std::os::unix::fs::chown(place.path().join("postgres"), Some(0), Some(0)).expect("an owner");
    let error = refusal(place.path()).await;
    assert!(
        matches!(&error, Error::NotOurs { owner, .. } if owner == "root"),
        "{error:?}"
    );
}

/// A directory that the user `postgres` can get to.
fn place() -> TempDir {
    let place = tempfile::tempdir().expect("a directory");
    fs::set_permissions(place.path(), fs::Permissions::from_mode(0o711)).expect("a mode");
    place
}

fn settings(data_dir: &Path) -> Settings {
    Settings {
        data_dir: data_dir.to_owned(),
        bin_dir: None,
        max_connections: 20,
    }
}

async fn start(data_dir: &Path) -> Cluster {
    Cluster::start(&settings(data_dir))
        .await
        .unwrap_or_else(|error| panic!("{error}"))
}

async fn refusal(data_dir: &Path) -> Error {
    Cluster::start(&settings(data_dir))
        .await
        .map(|_| ())
        .expect_err("a refusal")
}

async fn connect(cluster: &Cluster) -> PgConnection {
    PgConnection::connect_with(&cluster.connect_options())
        .await
        .expect("a connection")
}

async fn remember(cluster: &Cluster, text: &str) {
    let mut connection = connect(cluster).await;
    let create = sqlx::query("CREATE TABLE IF NOT EXISTS memory (id serial, text text)");
    create.execute(&mut connection).await.expect("a table");
    sqlx::query("INSERT INTO memory (text) VALUES ($1)")
        .bind(text)
        .execute(&mut connection)
        .await
        .expect("a row");
}

async fn remembered(cluster: &Cluster) -> Vec<String> {
    let mut connection = connect(cluster).await;
    sqlx::query_scalar("SELECT text FROM memory ORDER BY id")
        .fetch_all(&mut connection)
        .await
        .expect("rows")
}

/// Kills the server and every process of it, as a power failure would.
async fn kill_all(cluster: &Cluster) {
    let mut connection = connect(cluster).await;
    let children: Vec<i32> = sqlx::query_scalar("SELECT pid FROM pg_stat_activity")
        .fetch_all(&mut connection)
        .await
        .expect("processes");
    send(Signal::SIGKILL, cluster.postmaster_pid());
    for child in children {
        // Some may have noticed the first kill already.
        kill(Pid::from_raw(child), Signal::SIGKILL).ok();
    }
    tokio::time::timeout(Duration::from_secs(30), cluster.ended())
        .await
        .expect("its end");
}

/// Starts another process of this program that holds `data_dir`, with a process group of its own.
fn hold(data_dir: &Path) -> Child {
    let (_, module) = module_path!()
        .split_once("::")
        .expect("a module in a crate");
    Command::new(std::env::current_exe().expect("this program"))
        .args([
            "--exact",
            &format!("{module}::holds_a_cluster_until_killed"),
        ])
        .env(HOLD, data_dir)
        .stdout(Stdio::null())
        .process_group(0)
        .spawn()
        .expect("another process")
}

/// A process that has nothing to do with PostgreSQL.
struct Stranger(Child);

impl Stranger {
    fn of_the_owner(cluster: &Path) -> Self {
        let mut command = Command::new("sleep");
        command.arg("60").current_dir("/");
        if nix::unistd::geteuid().is_root() {
            command.uid(fs::metadata(cluster).expect("the cluster").uid());
        }
        Self(command.spawn().expect("a process"))
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.0.kill().expect("a kill");
        self.0.wait().expect("its end");
    }
}

/// Makes a directory that is called like the cluster and belongs to whom the cluster would.
fn pretend_cluster(data_dir: &Path, file: &str, text: &str) {
    let cluster = data_dir.join("postgres");
    fs::create_dir(&cluster).expect("a directory");
    fs::write(cluster.join(file), text).expect("a file");
    if nix::unistd::geteuid().is_root() {
        let postgres = nix::unistd::User::from_name("postgres")
            .expect("users")
            .expect("the user postgres");
        std::os::unix::fs::chown(&cluster, Some(postgres.uid.as_raw()), None).expect("an owner");
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a file").permissions().mode() & 0o777
}

fn send(signal: Signal, pid: u32) {
    kill(Pid::from_raw(pid.cast_signed()), signal).expect("a signal");
}

/// Says whether a process has ended. One that nobody has collected yet has.
fn gone(pid: u32) -> bool {
    kill(Pid::from_raw(pid.cast_signed()), None).is_err()
        || fs::read_to_string(format!("/proc/{pid}/status"))
            .is_ok_and(|status| status.contains("State:\tZ"))
}

/// Looks often, gives up late.
async fn until<T>(what: &str, mut condition: impl FnMut() -> Option<T>) -> T {
    let looking = async {
        loop {
            if let Some(found) = condition() {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), looking)
        .await
        .unwrap_or_else(|_| panic!("never: {what}"))
}
