//! Several servers over one database and one bus.

use sqlx::PgPool;

use super::{NatsServer, TestServer, wait};

/// Servers that behave as one.
pub struct TestCluster {
    /// The servers.
    pub nodes: Vec<TestServer>,
    /// What carries their parcels.
    pub nats: NatsServer,
}

impl TestCluster {
    /// Starts servers that compare positions with the database every `sweep_seconds`.
    pub async fn start(pool: &PgPool, count: usize, sweep_seconds: u32) -> Self {
        Self::start_with(pool, count, sweep_seconds, &[]).await
    }

    /// The same with further settings, by their names in the environment.
    pub async fn start_with(
        pool: &PgPool,
        count: usize,
        sweep_seconds: u32,
        more: &[(&str, &str)],
    ) -> Self {
        let nats = NatsServer::start().await;
        let (url, sweep) = (nats.url(), sweep_seconds.to_string());
        let own = [
            ("CONVOKE_BUS_URL", url.as_str()),
            ("CONVOKE_GATEWAY_SWEEP_SECONDS", sweep.as_str()),
            ("CONVOKE_DATABASE_MAX_CONNECTIONS", "5"),
        ];
        let settings = [more, &own].concat();
        let mut nodes = Vec::new();
        for _ in 0..count {
            let node = TestServer::start_with(pool, &settings).await;
            wait::until("the node is ready", async || {
                let answer = node.http.get(node.url("/readyz")).send().await;
                answer.is_ok_and(|answer| answer.status() == 200)
            })
            .await;
            nodes.push(node);
        }
        Self { nodes, nats }
    }
}
