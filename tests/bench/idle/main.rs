//! Idle: what a silent SDK connection costs, what happens when all are lost at once, and how long a start takes.
//!
//! Each connection does what the SDK does when it starts: it signs in, reads the configuration, opens the two maps of its
//! user, lists the user's ten conversations, opens document, messages and roster of each, and follows all of it; then it
//! says nothing. The growth of the server's resident memory, divided by their number, is the cost of one. Then two thousand
//! of them are lost and come back in the same moment, with what they had read. Needs `ulimit -n` above twice the number of
//! connections, in the server too.
//!
//! `cargo bench --bench idle -- --connections 5000`

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

#[path = "../support/mod.rs"]
mod support;

use std::time::Instant;

use futures_util::future::try_join_all;
use support::cluster::{Postgres, Result, Server};
use support::machine::{cpu_micros, facts, rss_kib};
use support::sdk::{Client, Object};
use support::{option, rest};

/// In how many conversations each user takes part.
const CONVERSATIONS: usize = 10;
/// How many things are done at a time while everything is set up.
const AT_A_TIME: usize = 32;
/// How many clients come back in the same moment.
const STORM: usize = 2000;

fn main() -> Result<()> {
    let connections = option("--connections", 5000)?;
    let postgres = Postgres::start()?;
    println!("{}\n", facts(&postgres)?);
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path(), Some(&postgres))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        // What the first connections cost once (pools, caches) is no connection's cost.
        make_conversations(&server.address, "warm", 100).await?;
        make_conversations(&server.address, "user", connections).await?;
        let warm = open(&server.address, "warm", 100).await?;
        let before = rss_kib(server.pid());
        let silent = open(&server.address, "user", connections).await?;
        let after = rss_kib(server.pid());
        let each = after.saturating_sub(before) as f64 / silent.len() as f64;
        println!(
            "{} idle connections, each of a user with {CONVERSATIONS} conversations: {before} KiB before, {after} KiB \
             after: {each:.1} KiB a connection",
            silent.len()
        );
        drop(warm);
        storm(&server, &postgres, silent).await
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

/// Makes as many conversations as users, so that each user takes part in ten and each conversation has ten.
async fn make_conversations(address: &str, name: &str, users: usize) -> Result<()> {
    let makers = (0..AT_A_TIME).map(async |maker| {
        let mut client = rest::Client::connect(address).await?;
        for number in (maker..users).step_by(AT_A_TIME) {
            let members: Vec<String> = (0..CONVERSATIONS)
                .map(|at| {
                    let user = (number + at) % users;
                    format!("Participant=%7B%22identity%22%3A%22{name}{user}%22%7D")
                })
                .collect();
            let path = "/v1/ConversationWithParticipants";
            client.create(address, path, &members.join("&")).await?;
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    });
    try_join_all(makers).await?;
    Ok(())
}

/// A connection, who it is of, and what it follows.
struct Silent {
    identity: String,
    client: Client,
    objects: Vec<Object>,
}

async fn open(address: &str, name: &str, count: usize) -> Result<Vec<Silent>> {
    let lots = (0..AT_A_TIME).map(async |lot| {
        let mut opened = Vec::new();
        for number in (lot..count).step_by(AT_A_TIME) {
            opened.push(start(address, format!("{name}{number}")).await?);
        }
        Ok::<_, Box<dyn std::error::Error>>(opened)
    });
    Ok(try_join_all(lots).await?.into_iter().flatten().collect())
}

/// Does what the SDK does when it starts.
async fn start(address: &str, identity: String) -> Result<Silent> {
    let mut client = Client::sign_in(address, &identity).await?;
    let mut objects = client.own_objects().await?;
    let talks = client.own_conversations().await?;
    if talks.len() != CONVERSATIONS {
        return Err(format!("{identity} has {} conversations", talks.len()).into());
    }
    for talk in talks {
        let opened = client.conversation(&talk).await?;
        client.participants(&opened[2]).await?;
        objects.extend(opened);
    }
    client.follow(&objects).await?;
    Ok(Silent {
        identity,
        client,
        objects,
    })
}

/// Has clients lose their connections and come back in the same moment.
async fn storm(server: &Server, postgres: &Postgres, silent: Vec<Silent>) -> Result<()> {
    let mut lost = Vec::new();
    for Silent {
        identity,
        client,
        objects,
    } in silent
    {
        drop(client);
        lost.push((identity, objects));
    }
    lost.truncate(STORM);
    let cpu = || (cpu_micros(server.pid()), cpu_micros(postgres.pid()));
    let (begun, before) = (Instant::now(), cpu());
    let back = try_join_all(lost.iter().map(async |(identity, objects)| {
        let mut client = Client::sign_in(&server.address, identity).await?;
        client.follow(objects).await?;
        Ok::<_, Box<dyn std::error::Error>>(client)
    }))
    .await?;
    let (took, after) = (begun.elapsed(), cpu());
    println!(
        "{} clients come back at once and follow {} objects each: {:.1} s until the last one does; CPU: server {:.1} s, \
         PostgreSQL {:.1} s",
        back.len(),
        lost[0].1.len(),
        took.as_secs_f64(),
        (after.0 - before.0) as f64 / 1e6,
        (after.1 - before.1) as f64 / 1e6
    );
    Ok(())
}
