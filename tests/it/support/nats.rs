//! A real NATS server, which tests may stop and start again.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use super::wait;

/// A NATS server of one test, on a port of its own.
pub struct NatsServer {
    port: u16,
    process: Option<Child>,
}

impl NatsServer {
    /// Starts a server and waits until it takes connections.
    pub async fn start() -> Self {
        let free = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = free.local_addr().expect("an address").port();
        drop(free);
        let mut server = Self {
            port,
            process: None,
        };
        server.start_again().await;
        server
    }

    /// Its URL, as settings take it.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Kills the server: what it carried is lost.
    pub fn kill(&mut self) {
        if let Some(mut process) = self.process.take() {
            process.kill().expect("the server is killed");
            process.wait().expect("the server ended");
        }
    }

    /// Starts the server again on the same port.
    pub async fn start_again(&mut self) {
        let process = Command::new("nats-server")
            .args(["--addr", "127.0.0.1", "--port", &self.port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("nats-server is installed: see script/setup --tests");
        self.process = Some(process);
        let address = ("127.0.0.1", self.port);
        wait::until("NATS takes connections", async || {
            TcpStream::connect(address).is_ok()
        })
        .await;
    }
}

impl Drop for NatsServer {
    fn drop(&mut self) {
        self.kill();
    }
}
