//! The load: posts over keep-alive connections.

use std::time::{Duration, Instant};

use tokio::task::LocalSet;

use crate::support::cluster::Result;
use crate::support::rest::{Client, request};

/// What a load measured.
pub struct Load {
    pub latencies: Vec<Duration>,
    pub took: Duration,
}

/// Creates conversations; answers the paths of their messages.
pub async fn conversations(address: &str, count: usize) -> Result<Vec<String>> {
    let mut client = Client::connect(address).await?;
    let mut paths = Vec::with_capacity(count);
    for _ in 0..count {
        let made = client.create(address, "/v1/Conversations", "").await?;
        let sid = made["sid"].as_str().ok_or("a conversation without a SID")?;
        paths.push(format!("/v1/Conversations/{sid}/Messages"));
    }
    Ok(paths)
}

/// Posts messages with `clients` connections for a while, each after the other's answer.
pub async fn load(
    address: &str,
    paths: &[String],
    clients: usize,
    length: Duration,
) -> Result<Load> {
    let form = format!("Author=bench&Body={}", "x".repeat(300));
    let requests: std::rc::Rc<Vec<Vec<u8>>> = std::rc::Rc::new(
        paths
            .iter()
            .map(|path| request(address, path, &form))
            .collect(),
    );
    let begun = Instant::now();
    let tasks = LocalSet::new();
    let running: Vec<_> = (0..clients)
        .map(|number| {
            let (requests, address) = (requests.clone(), address.to_owned());
            tasks.spawn_local(async move {
                let mut client = Client::connect(&address).await.map_err(|e| e.to_string())?;
                let mut latencies = Vec::new();
                // Each client walks the conversations with its own stride, so that they meet by chance only.
                let mut at = number * 37;
                while begun.elapsed() < length {
                    let sent = Instant::now();
                    client
                        .ask(&requests[at % requests.len()])
                        .await
                        .map_err(|e| e.to_string())?;
                    latencies.push(sent.elapsed());
                    at += 2 * number + 1;
                }
                Ok::<_, String>(latencies)
            })
        })
        .collect();
    let mut latencies = Vec::new();
    tasks
        .run_until(async {
            for task in running {
                latencies.extend(task.await??);
            }
            Ok::<_, Box<dyn std::error::Error>>(())
        })
        .await?;
    Ok(Load {
        latencies,
        took: begun.elapsed(),
    })
}
