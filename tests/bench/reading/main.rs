//! Reading: the newest fifty messages of a conversation that has a million of them, beside one that has a thousand.
//!
//! # Why a ratio
//! A list is a range of an index, so its cost must not grow with the conversation's age. Both conversations are read in
//! turns on the same server and cluster, so that what else the machine does falls on both; the ratio of the medians says
//! what the age costs.
//!
//! `cargo bench --bench reading -- --reads 2000`

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

#[path = "../support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use reqwest::Client;
use serde_json::Value;
use support::cluster::{ACCOUNT_SID, AUTH_TOKEN, Postgres, Result, Server};
use support::machine::facts;
use support::{median, option};

/// The most that the million may cost, measured in the thousand.
const AIM: f64 = 1.3;

/// What is read of a conversation.
const READS: [(&str, &str); 3] = [
    ("newest 50", "?Order=desc&PageSize=50"),
    ("oldest 50", "?PageSize=50"),
    ("second page of the newest", ""), // its link comes with the first
];

fn main() -> Result<()> {
    let reads = option("--reads", 2000)?;
    // The client wants a provider, though it speaks no TLS here.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let postgres = Postgres::start()?;
    println!(
        "{}\n{reads} reads of each, in turns; medians.\n",
        facts(&postgres)?
    );
    let data = tempfile::tempdir()?;
    let server = Server::start(data.path(), Some(&postgres))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let slow = runtime.block_on(measure(&server, &postgres, reads))?;
    if slow.is_empty() {
        return Ok(());
    }
    Err(format!("more than {AIM} times as slow: {}", slow.join(", ")).into())
}

/// Prints a row for each read; answers which are slower than they may be.
async fn measure(server: &Server, postgres: &Postgres, reads: usize) -> Result<Vec<&'static str>> {
    let http = Client::new();
    let old = filled(&http, server, postgres, 1_000_000).await?;
    let young = filled(&http, server, postgres, 1_000).await?;
    postgres.sql("convoke", "vacuum analyze")?;
    println!("| read | 1,000 messages, ms | 1,000,000 messages, ms | ratio |");
    println!("| --- | ---: | ---: | ---: |");
    let mut slow = Vec::new();
    for (name, query) in READS {
        let place = async |messages: &str| -> Result<String> {
            if !query.is_empty() {
                return Ok(format!("{messages}{query}"));
            }
            let (_, first) = read(&http, &format!("{messages}{}", READS[0].1)).await?;
            let next = first["meta"]["next_page_url"].as_str();
            Ok(next.ok_or("no second page")?.to_owned())
        };
        let places = [place(&young).await?, place(&old).await?];
        let mut took = [Vec::new(), Vec::new()];
        for turn in 0..reads {
            // Who goes first changes, so that neither always finds what the other left in a cache.
            for which in if turn % 2 == 0 { [0, 1] } else { [1, 0] } {
                let (time, page) = read(&http, &places[which]).await?;
                if page["messages"].as_array().map(Vec::len) != Some(50) {
                    return Err(format!("not fifty messages: {page}").into());
                }
                took[which].push(time.as_secs_f64() * 1e3);
            }
        }
        let [of_young, of_old] = took.map(median);
        let ratio = of_old / of_young;
        println!("| {name} | {of_young:.2} | {of_old:.2} | **{ratio:.2}** |");
        if ratio > AIM {
            slow.push(name);
        }
    }
    Ok(slow)
}

/// Makes a conversation and fills it by SQL; answers the URL of its messages.
async fn filled(http: &Client, server: &Server, postgres: &Postgres, count: u32) -> Result<String> {
    let url = format!("http://{}/v1/Conversations", server.address);
    let made = http
        .post(url)
        .basic_auth(ACCOUNT_SID, Some(AUTH_TOKEN))
        .send()
        .await?;
    let made: Value = made.error_for_status()?.json().await?;
    let sid = made["sid"].as_str().ok_or("no SID")?;
    let id = &sid[2..];
    postgres.sql(
        "convoke",
        &format!(
            "insert into messages (conversation_sid, index, sid, author, body, attributes, created_position, position,
                                   date_created, date_updated)
             select '{id}', n, ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, 'alice',
                    repeat('hello ', 40), '{{}}', n + 2, n + 2, now(), now()
               from generate_series(0, {count} - 1) n;
             update conversations
                set last_message_index = {count} - 1, position = {count} + 1, messages_position = {count} + 1
              where sid = '{id}'"
        ),
    )?;
    Ok(format!(
        "http://{}/v1/Conversations/{sid}/Messages",
        server.address
    ))
}

/// Reads a page; answers how long it took, to the last byte.
async fn read(http: &Client, url: &str) -> Result<(Duration, Value)> {
    let begun = Instant::now();
    let answer = http
        .get(url)
        .basic_auth(ACCOUNT_SID, Some(AUTH_TOKEN))
        .send()
        .await?;
    let bytes = answer.error_for_status()?.bytes().await?;
    let took = begun.elapsed();
    Ok((took, serde_json::from_slice(&bytes)?))
}
