//! TLS, and hosts that name products: programs whose source cannot be touched reach the server by name.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::{SinkExt as _, StreamExt as _};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use reqwest::{Certificate, Client};
use rustls::pki_types::{CertificateDer, ServerName};
use serde_json::Value;
use sqlx::PgPool;
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::Message;

use crate::support::server::{ACCOUNT_SID, API_KEY_SECRET, AUTH_TOKEN};
use crate::support::{TestServer, text};

/// Names of hosts as unmodified programs call them.
const NAMES: [&str; 5] = [
    "conversations.twilio.com",
    "messaging.twilio.com",
    "api.sydney.au1.twilio.com",
    "mcs.us1.twilio.com",
    "tsock.us1.twilio.com",
];

/// A certificate for all names, in files.
struct Files {
    folder: TempDir,
    certificate: CertifiedKey<rcgen::KeyPair>,
}

impl Files {
    fn new() -> Self {
        let names: Vec<String> = NAMES.iter().map(ToString::to_string).collect();
        let certificate = generate_simple_self_signed(names).expect("a certificate");
        let folder = TempDir::new().expect("a folder");
        let files = Self {
            folder,
            certificate,
        };
        fs::write(files.chain(), files.certificate.cert.pem()).expect("written");
        fs::write(files.key(), files.certificate.signing_key.serialize_pem()).expect("written");
        files
    }

    fn chain(&self) -> PathBuf {
        self.folder.path().join("chain.pem")
    }

    fn key(&self) -> PathBuf {
        self.folder.path().join("key.pem")
    }

    async fn server(&self, pool: &PgPool) -> TestServer {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let settings = [
            ("CONVOKE_TLS_CERT", text(&self.chain())),
            ("CONVOKE_TLS_KEY", text(&self.key())),
            ("CONVOKE_HOSTS", "twilio.com".to_owned()),
        ];
        let settings: Vec<(&str, &str)> = settings.iter().map(|(n, v)| (*n, v.as_str())).collect();
        TestServer::start_with(pool, &settings).await
    }

    /// A client that trusts the certificate and resolves the names to the server.
    fn client(&self, server: SocketAddr) -> Client {
        let root = Certificate::from_der(self.certificate.cert.der()).expect("a certificate");
        let builder = NAMES.iter().fold(Client::builder(), |builder, name| {
            builder.resolve(name, server)
        });
        builder.tls_certs_only([root]).build().expect("a client")
    }
}

async fn get(client: &Client, server: SocketAddr, url: &str) -> (u16, Value) {
    // The port is not 443 here, which only tests see.
    let url = url.replacen(".com/", &format!(".com:{}/", server.port()), 1);
    let answer = client
        .get(url)
        .basic_auth(ACCOUNT_SID, Some(AUTH_TOKEN))
        .send()
        .await
        .expect("an answer");
    let status = answer.status().as_u16();
    (status, answer.json().await.expect("JSON"))
}

#[sqlx::test]
async fn unmodified_programs_reach_products_by_name(pool: PgPool) {
    let files = Files::new();
    let server = files.server(&pool).await;
    let address = server.address();
    let client = files.client(address);
    let (status, body) = get(
        &client,
        address,
        "https://conversations.twilio.com/v1/Services",
    )
    .await;
    assert_eq!(status, 200, "{body}");
    let url = text(&body["services"][0], "url");
    let own = format!(
        "https://conversations.twilio.com:{}/v1/Services/IS",
        address.port()
    );
    assert!(url.starts_with(&own), "{url}");
    // Media has no such path, so the label was understood.
    let (status, body) = get(&client, address, "https://mcs.us1.twilio.com/v1/Services").await;
    assert_eq!(
        (status, body["code"].as_i64()),
        (404, Some(20404)),
        "{body}"
    );
}

#[sqlx::test]
async fn sockets_are_encrypted_too(pool: PgPool) {
    let files = Files::new();
    let server = files.server(&pool).await;
    let address = server.address();
    let service = text(
        &get(
            &files.client(address),
            address,
            "https://conversations.twilio.com/v1/Services",
        )
        .await
        .1["services"][0],
        "sid",
    );
    let token = server.token_of(&service, "alice", TimeDelta::hours(1), API_KEY_SECRET);
    let mut roots = rustls::RootCertStore::empty();
    let root: CertificateDer<'static> = files.certificate.cert.der().clone();
    roots.add(root).expect("a root");
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from("tsock.us1.twilio.com").expect("a name");
    let stream = TcpStream::connect(address).await.expect("a connection");
    let stream = TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .expect("a handshake");
    let (mut socket, _) = client_async("wss://tsock.us1.twilio.com/v3/wsconnect", stream)
        .await
        .expect("an upgrade");
    let header = serde_json::json!({
        "method": "init", "id": "TM00000000000000000000000000000001", "token": token, "payload_size": 0,
    })
    .to_string();
    let frame = format!("TWILSOCK V3.0 {}\r\n{header}\r\n", header.len());
    socket
        .send(Message::Binary(frame.into_bytes().into()))
        .await
        .expect("sent");
    let answer = socket.next().await.expect("a frame").expect("a frame");
    let answer = String::from_utf8_lossy(&answer.into_data()).into_owned();
    assert!(answer.contains("\"code\":200"), "{answer}");
}

#[sqlx::test]
async fn one_silent_handshake_keeps_nobody_waiting(pool: PgPool) {
    let files = Files::new();
    let server = files.server(&pool).await;
    let address = server.address();
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(address).await.expect("a connection"));
    }
    let client = files.client(address);
    let (status, _) = get(
        &client,
        address,
        "https://conversations.twilio.com/v1/Services",
    )
    .await;
    assert_eq!(status, 200);
}
