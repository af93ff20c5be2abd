//! TLS on the listener: handshakes beside each other, and a certificate that is read again when it was renewed.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use axum::serve::Listener;
use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use rustls::ServerConfig;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::{debug, info, warn};

use super::listener::nodelay;

/// How long a handshake may take.
const PATIENCE: Duration = Duration::from_secs(10);
/// Handshakes that may be under way; more wait in the kernel's queue.
const MOST_SHAKING: usize = 256;
/// How often it is looked whether the certificate was renewed.
const EVERY: Duration = Duration::from_secs(60);

/// Why TLS cannot be served.
#[derive(Debug)]
pub struct BadCertificate {
    file: PathBuf,
    cause: Box<dyn std::error::Error + Send + Sync>,
}

impl fmt::Display for BadCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} cannot be used for TLS", self.file.display())
    }
}

impl std::error::Error for BadCertificate {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(self.cause.as_ref())
    }
}

/// The certificate that is shown, with its key.
#[derive(Debug)]
pub struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    shown: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// Reads a chain of certificates, the server's own first, and its private key, both PEM.
    ///
    /// # Errors
    /// [`BadCertificate`] with the file that is not right.
    pub fn open(chain: &Path, key: &Path) -> Result<Arc<Self>, BadCertificate> {
        Ok(Arc::new(Self {
            chain: chain.to_owned(),
            key: key.to_owned(),
            shown: RwLock::new(Arc::new(read(chain, key)?)),
        }))
    }

    /// Reads the files again whenever they changed, until it is aborted. What cannot be used is not shown.
    pub async fn renew(self: Arc<Self>) {
        let mut seen = self.changed();
        let mut tick = interval(EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let now = self.changed();
            if now == seen {
                continue;
            }
            match read(&self.chain, &self.key) {
                Ok(fresh) => {
                    *self.shown.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(fresh);
                    info!("the renewed TLS certificate is shown from now on");
                    seen = now;
                }
                // The two files may not have been written both: it is tried again.
                Err(error) => {
                    warn!(error = %error, "the TLS certificate changed and was not taken over")
                }
            }
        }
    }

    fn changed(&self) -> [Option<SystemTime>; 2] {
        [&self.chain, &self.key]
            .map(|file| std::fs::metadata(file).and_then(|of| of.modified()).ok())
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(
            &self.shown.read().unwrap_or_else(PoisonError::into_inner),
        ))
    }
}

fn read(chain: &Path, key: &Path) -> Result<CertifiedKey, BadCertificate> {
    let bad = |file: &Path, cause: Box<dyn std::error::Error + Send + Sync>| BadCertificate {
        file: file.to_owned(),
        cause,
    };
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|cause| bad(chain, cause.into()))?;
    if certificates.is_empty() {
        return Err(bad(chain, "it has no certificate in PEM".into()));
    }
    let private = PrivateKeyDer::from_pem_file(key).map_err(|cause| bad(key, cause.into()))?;
    CertifiedKey::from_der(certificates, private, &default_provider())
        .map_err(|cause| bad(key, cause.into()))
}

type Shaken = Option<(TlsStream<TcpStream>, SocketAddr)>;

/// A listener whose connections are encrypted.
pub struct TlsListener {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    shaking: FuturesUnordered<BoxFuture<'static, Shaken>>,
}

impl TlsListener {
    /// Encrypts the connections of a listener.
    ///
    /// # Errors
    /// When the versions of TLS that are wanted are not there.
    pub fn new(
        listener: TcpListener,
        certificate: Arc<Certificate>,
    ) -> Result<Self, rustls::Error> {
        let mut config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(certificate);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            listener,
            acceptor: TlsAcceptor::from(Arc::new(config)),
            shaking: FuturesUnordered::new(),
        })
    }

    fn shake(&self, stream: TcpStream, peer: SocketAddr) -> BoxFuture<'static, Shaken> {
        nodelay(&stream);
        let handshake = self.acceptor.accept(stream);
        Box::pin(async move {
            match timeout(PATIENCE, handshake).await {
                Ok(Ok(stream)) => return Some((stream, peer)),
                Ok(Err(error)) => debug!(%peer, error = %error, "a TLS handshake failed"),
                Err(_) => debug!(%peer, "a TLS handshake did not end in time"),
            }
            None
        })
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    /// One client's slow handshake keeps nobody else waiting.
    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        loop {
            tokio::select! {
                Some(shaken) = self.shaking.next(), if !self.shaking.is_empty() => {
                    if let Some(connection) = shaken {
                        return connection;
                    }
                }
                (stream, peer) = Listener::accept(&mut self.listener), if self.shaking.len() < MOST_SHAKING => {
                    let handshake = self.shake(stream, peer);
                    self.shaking.push(handshake);
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}
