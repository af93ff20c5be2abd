//! Idle: what a silent SDK connection costs, and how long a start takes.
//!
//! Opens many connections that do what the SDK does when it starts (sign in, read the configuration, open the two maps of
//! its user and follow them) and then say nothing; the growth of the server's resident memory, divided by their number,
//! is the cost of one. Needs `ulimit -n` above twice their number, in the server too.
//!
//! `cargo bench --bench idle -- --connections 2000`

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

#[path = "../support/mod.rs"]
mod support;

use support::cluster::{Postgres, Result, Server};
use support::machine::{facts, rss_kib};
use support::option;
use support::sdk::Client;

fn main() -> Result<()> {
    let connections = option("--connections", 2000)?;
    let postgres = Postgres::start()?;
    println!("{}\n", facts(&postgres)?);
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path(), Some(&postgres))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // What the first connections cost once (pools, caches) is no connection's cost.
        let warm = open(&server, "warm", 100).await?;
        let before = rss_kib(server.pid());
        let silent = open(&server, "user", connections).await?;
        let after = rss_kib(server.pid());
        let each = after.saturating_sub(before) as f64 / silent.len() as f64;
        println!("{} idle connections: {before} KiB before, {after} KiB after: {each:.1} KiB a connection", silent.len());
        drop(warm);
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    drop(server);

    let embedded = tempfile::Builder::new().prefix("convoke-idle-").tempdir()?;
    std::fs::set_permissions(
        embedded.path(),
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )?;
    let fresh = Server::start(embedded.path(), None)?.ready_after;
    let again = Server::start(embedded.path(), None)?.ready_after;
    println!(
        "start to ready: {:.2} s on a fresh cluster, {:.2} s on an existing one",
        fresh.as_secs_f64(),
        again.as_secs_f64()
    );
    Ok(())
}

async fn open(server: &Server, name: &str, count: usize) -> Result<Vec<Client>> {
    let mut sockets = Vec::with_capacity(count);
    for number in 0..count {
        sockets.push(start(&server.address, &format!("{name}{number}")).await?);
    }
    Ok(sockets)
}

/// Does what the SDK does when it starts.
async fn start(address: &str, identity: &str) -> Result<Client> {
    let mut client = Client::sign_in(address, identity).await?;
    let objects = client.own_objects().await?;
    client.follow(&objects).await?;
    Ok(client)
}
