//! Posting: messages per second and latency of `POST …/Messages`, beside `pgbench` doing the bare minimum on the same
//! cluster in the same run.
//!
//! # Why beside pgbench
//! Machines are shared and noisy, so an absolute figure says little. pgbench updates a conversation's counter and inserts
//! a row of 300 bytes, once in one statement and once in four, with as many clients, in turns with the server, round by
//! round: the ratio says what HTTP, credentials, rules and the event log cost on top, and what lanes win.
//!
//! `cargo bench --bench posting -- --rounds 3 --seconds 5`; with `--clients 64` only that many.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

#[path = "../support/mod.rs"]
mod support;

mod http;
mod pgbench;

use std::time::Duration;

use support::cluster::{Postgres, Result, Server};
use support::machine::{cpu_micros, facts};
use support::{median, option};

/// How many conversations the load is spread over.
const CONVERSATIONS: usize = 1000;

/// What one round of one kind of load measured.
#[derive(Debug, Clone, Default)]
struct Round {
    per_second: f64,
    p50_ms: f64,
    p99_ms: f64,
    server_micros: f64,
    postgres_micros: f64,
    transactions: f64,
    wal_bytes: f64,
    one_statement: pgbench::Figures,
    four_statements: f64,
}

fn main() -> Result<()> {
    let rounds = option("--rounds", 3)?;
    let seconds = option("--seconds", 5)?;
    let only = option("--clients", 0)?;
    let postgres = Postgres::start()?;
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path(), Some(&postgres))?;
    pgbench::prepare(&postgres, CONVERSATIONS)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let conversations = runtime.block_on(http::conversations(&server.address, CONVERSATIONS))?;

    println!(
        "{}\n{rounds} rounds of {seconds} s; medians.\n",
        facts(&postgres)?
    );
    println!(
        "| load | messages/s | p50 ms | p99 ms | server CPU µs/message | PostgreSQL CPU µs/message | transactions/message | WAL bytes/message | \
         pgbench, one statement/s | ratio | pgbench, four/s | ratio | pgbench p50 ms |"
    );
    println!(
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"
    );
    let mut acknowledged = 0;
    for (name, targets) in [
        ("1000 conversations", &conversations[..]),
        ("one conversation", &conversations[..1]),
    ] {
        for clients in [1, 16, 64].into_iter().filter(|n| [0, *n].contains(&only)) {
            let mut measured = Vec::new();
            for _ in 0..rounds {
                let length = Duration::from_secs(seconds);
                let before = Counters::read(&postgres, &server)?;
                let load =
                    runtime.block_on(http::load(&server.address, targets, clients, length))?;
                let after = Counters::read(&postgres, &server)?;
                acknowledged += load.latencies.len();
                measured.push(Round {
                    one_statement: pgbench::one_statement(
                        &postgres,
                        targets.len(),
                        clients,
                        seconds,
                    )?,
                    four_statements: pgbench::four_statements(
                        &postgres,
                        targets.len(),
                        clients,
                        seconds,
                    )?,
                    ..round(load, &before, &after)
                });
            }
            print(&format!("{clients} clients, {name}"), &measured);
        }
    }
    check(&postgres, acknowledged)
}

/// What counts on while a load runs.
struct Counters {
    server: u64,
    postgres: u64,
    transactions: u64,
    wal: u64,
}

impl Counters {
    fn read(postgres: &Postgres, server: &Server) -> Result<Self> {
        let transactions = postgres.sql(
            "postgres",
            "select pg_stat_clear_snapshot(); select xact_commit from pg_stat_database where datname = 'convoke'",
        )?;
        let wal = postgres.sql(
            "postgres",
            "select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint",
        )?;
        Ok(Self {
            server: cpu_micros(server.pid()),
            postgres: cpu_micros(postgres.pid()),
            transactions: transactions.trim().parse()?,
            wal: wal.parse()?,
        })
    }
}

fn round(mut load: http::Load, before: &Counters, after: &Counters) -> Round {
    load.latencies.sort_unstable();
    let count = load.latencies.len().max(1);
    let at = |share: f64| {
        load.latencies
            .get((count as f64 * share) as usize)
            .map_or(0.0, |l| l.as_secs_f64() * 1e3)
    };
    let per_message = |after: u64, before: u64| after.saturating_sub(before) as f64 / count as f64;
    Round {
        per_second: count as f64 / load.took.as_secs_f64(),
        p50_ms: at(0.5),
        p99_ms: at(0.99),
        server_micros: per_message(after.server, before.server),
        postgres_micros: per_message(after.postgres, before.postgres),
        transactions: per_message(after.transactions, before.transactions),
        wal_bytes: per_message(after.wal, before.wal),
        ..Round::default()
    }
}

fn print(name: &str, rounds: &[Round]) {
    let median = |of: fn(&Round) -> f64| median(rounds.iter().map(of));
    println!(
        "| {name} | {:.0} | {:.2} | {:.2} | {:.0} | {:.0} | {:.2} | {:.0} | {:.0} | **{:.2}** | {:.0} | **{:.2}** | {:.2} |",
        median(|r| r.per_second),
        median(|r| r.p50_ms),
        median(|r| r.p99_ms),
        median(|r| r.server_micros),
        median(|r| r.postgres_micros),
        median(|r| r.transactions),
        median(|r| r.wal_bytes),
        median(|r| r.one_statement.per_second),
        median(|r| r.per_second / r.one_statement.per_second),
        median(|r| r.four_statements),
        median(|r| r.per_second / r.four_statements),
        median(|r| r.one_statement.latency_ms),
    );
}

/// A figure counts only if everything that was acknowledged is there, once and in order.
fn check(postgres: &Postgres, acknowledged: usize) -> Result<()> {
    let stored: usize = postgres
        .sql("convoke", "select count(*) from messages")?
        .parse()?;
    let gaps = postgres.sql(
        "convoke",
        "select count(*) from (select conversation_sid from messages group by 1
                               having count(*) <> max(index) + 1 or count(distinct sid) <> count(*)) g",
    )?;
    // Requests under way when a load ended may be stored without having been counted.
    if stored < acknowledged || gaps != "0" {
        return Err(format!(
            "{acknowledged} acknowledged, {stored} stored, {gaps} conversations with gaps"
        )
        .into());
    }
    println!(
        "\n{acknowledged} acknowledged messages are stored, each once, with indexes without gaps."
    );
    Ok(())
}
