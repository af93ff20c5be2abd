//! The bare minimum, by pgbench: count a conversation up and insert a row of 300 bytes.

use std::fs;

use crate::support::cluster::{Postgres, Result};

/// What pgbench measured.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    pub per_second: f64,
    pub latency_ms: f64,
}

/// Makes the tables.
pub fn prepare(postgres: &Postgres, conversations: usize) -> Result<()> {
    postgres.sql(
        "bench",
        &format!(
            "create table conversations (id int primary key, last_index bigint not null) with (fillfactor = 50);
             insert into conversations select n, -1 from generate_series(1, {conversations}) n;
             create table messages (conversation_id int, index bigint, body text, primary key (conversation_id, index))"
        ),
    )?;
    Ok(())
}

/// One statement a transaction.
pub fn one_statement(
    postgres: &Postgres,
    spread: usize,
    clients: usize,
    seconds: u64,
) -> Result<Figures> {
    run(
        postgres,
        spread,
        clients,
        seconds,
        "with counted as (update conversations set last_index = last_index + 1 where id = :id returning last_index)
         insert into messages select :id, last_index, repeat('x', 300) from counted;",
    )
}

/// Four statements a transaction; answers transactions per second.
pub fn four_statements(
    postgres: &Postgres,
    spread: usize,
    clients: usize,
    seconds: u64,
) -> Result<f64> {
    let script = "begin;
         update conversations set last_index = last_index + 1 where id = :id returning last_index \\gset
         insert into messages values (:id, :last_index, repeat('x', 300));
         commit;";
    Ok(run(postgres, spread, clients, seconds, script)?.per_second)
}

fn run(
    postgres: &Postgres,
    spread: usize,
    clients: usize,
    seconds: u64,
    script: &str,
) -> Result<Figures> {
    let path = postgres.folder.path().join("pgbench.sql");
    fs::write(&path, format!("\\set id random(1, {spread})\n{script}\n"))?;
    let output = postgres
        .program("pgbench")
        .args([
            "-n",
            "-M",
            "prepared",
            "-j",
            "2",
            "-c",
            &clients.to_string(),
            "-T",
            &seconds.to_string(),
            "-f",
        ])
        .arg(&path)
        .arg("bench")
        .output()?;
    let said = String::from_utf8(output.stdout)?;
    let figure = |name: &str| {
        let line = said.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next())
            .and_then(|text| text.parse::<f64>().ok())
    };
    match (figure("tps = "), figure("latency average = ")) {
        (Some(per_second), Some(latency_ms)) => Ok(Figures {
            per_second,
            latency_ms,
        }),
        _ => Err(format!("pgbench: {}", String::from_utf8_lossy(&output.stderr)).into()),
    }
}
