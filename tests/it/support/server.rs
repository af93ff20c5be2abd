//! A server in the test's process, started by the very function that `main` uses.

use std::net::SocketAddr;
use std::sync::Arc;

use chrono::TimeDelta;
use convoke::app::App;
use convoke::config::Settings;
use convoke::domain::Timestamp;
use convoke::domain::time::{ManualClock, SystemClock};
use reqwest::{Client, Method, RequestBuilder};
use sqlx::{ConnectOptions as _, PgPool};
use tempfile::TempDir;

use super::Credentials;

/// The account of every test server.
pub const ACCOUNT_SID: &str = "AC00000000000000000000000000000001";
/// Its auth token.
pub const AUTH_TOKEN: &str = "test0auth0token0test0auth0token0";
/// Its API key.
pub const API_KEY_SID: &str = "SK00000000000000000000000000000002";
/// The API key's secret.
pub const API_KEY_SECRET: &str = "test0key0secret0test0key0secret0";

/// A running server with a clock that stands still until it is moved.
pub struct TestServer {
    /// The clock.
    pub clock: Arc<ManualClock>,
    /// The HTTP client.
    pub http: Client,
    app: Option<App>,
    _data: TempDir,
}

impl TestServer {
    /// Starts a server on the database of a test.
    pub async fn start(pool: &PgPool) -> Self {
        Self::start_with(pool, &[]).await
    }

    /// The same with further settings, by their names in the environment.
    pub async fn start_with(pool: &PgPool, more: &[(&str, &str)]) -> Self {
        let data = TempDir::new().expect("a temporary folder");
        let url = pool.connect_options().to_url_lossy().to_string();
        let data_dir = data.path().to_string_lossy().into_owned();
        let environment: Vec<(String, String)> = [
            ("CONVOKE_LISTEN", "127.0.0.1:0"),
            ("CONVOKE_DATABASE_URL", url.as_str()),
            ("CONVOKE_DATABASE_MAX_CONNECTIONS", "10"),
            ("CONVOKE_DATA_DIR", data_dir.as_str()),
            ("CONVOKE_SECRET_KEY", "a key for tests"),
            ("CONVOKE_SIMULATOR", "on"),
            ("CONVOKE_SHUTDOWN_SPREAD_SECONDS", "0"),
            // Jobs run when a test says so, not beside it.
            ("CONVOKE_PARTS", "rest,gateway"),
            ("CONVOKE_ACCOUNT_SID", ACCOUNT_SID),
            ("CONVOKE_AUTH_TOKEN", AUTH_TOKEN),
            ("CONVOKE_API_KEY_SID", API_KEY_SID),
            ("CONVOKE_API_KEY_SECRET", API_KEY_SECRET),
        ]
        .iter()
        .chain(more)
        .rev() // the first of a name counts, so what the test wants comes first
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
        let settings = Settings::from(None, &environment).expect("right settings");
        let start: Timestamp = convoke::domain::Clock::now(&SystemClock);
        let clock = Arc::new(ManualClock::new(start));
        let app = App::start(&settings, clock.clone())
            .await
            .expect("the server starts");
        Self {
            clock,
            http: Client::new(),
            app: Some(app),
            _data: data,
        }
    }

    fn app(&self) -> &App {
        self.app.as_ref().expect("the server runs")
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.app().address
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.app().address)
    }

    /// A request with the account's credentials.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http
            .request(method, self.url(path))
            .basic_auth(ACCOUNT_SID, Some(AUTH_TOKEN))
    }

    /// Makes another account, whose world is its own.
    pub async fn another_account(&self) -> Credentials {
        let core = self.app().core();
        let (store, clock, sealing) = (&core.store, core.clock.as_ref(), &core.sealing);
        let new = convoke::ops::accounts::create(store, clock, sealing, "another", None)
            .await
            .expect("an account");
        Credentials {
            user: new.account.sid.to_string(),
            password: new.auth_token,
        }
    }

    /// Moves the clock, then runs jobs until none is due.
    pub async fn advance(&self, by: TimeDelta) {
        self.clock.advance(by);
        self.drain().await;
    }

    /// Runs jobs until none is due.
    pub async fn drain(&self) {
        self.app().drain().await;
    }

    /// Stops the server as an operator would.
    pub async fn stop(mut self) {
        if let Some(app) = self.app.take() {
            app.stop().await;
        }
    }
}
