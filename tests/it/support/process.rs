//! A server as a process of its own, which can be killed and measured.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use sqlx::{ConnectOptions as _, PgPool};

use super::{TestServer, wait};

/// A node beside a test's own server, over the same database. Its clock is the real one.
pub struct Process {
    child: Child,
    /// Where it listens.
    pub address: SocketAddr,
}

impl Process {
    /// Starts a node that runs these parts.
    pub async fn start(pool: &PgPool, beside: &TestServer, parts: &str) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = free.local_addr().expect("an address");
        drop(free);
        let child = Command::new(env!("CARGO_BIN_EXE_convoke"))
            .arg("serve")
            .env_clear()
            .env("CONVOKE_LISTEN", address.to_string())
            .env(
                "CONVOKE_DATABASE_URL",
                pool.connect_options().to_url_lossy().to_string(),
            )
            .env("CONVOKE_DATABASE_MAX_CONNECTIONS", "3")
            .env("CONVOKE_SECRET_KEY", "a key for tests")
            .env("CONVOKE_PARTS", parts)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        wait::until("the node is ready", async || {
            let asked = beside.http.get(format!("http://{address}/readyz")).send();
            asked.await.is_ok_and(|answer| answer.status() == 200)
        })
        .await;
        Self { child, address }
    }

    /// The most memory that was ever resident, in bytes.
    pub fn most_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()));
        let status = status.expect("the process runs");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().strip_suffix(" kB"));
        kib.and_then(|kib| kib.parse::<u64>().ok())
            .expect("a number")
            * 1024
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.child.kill().expect("the process is killed");
        self.child.wait().expect("the process ended");
    }
}
