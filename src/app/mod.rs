//! The composition root: the one place that knows everyone.
//!
//! It opens the database, brings the schema up to date, makes sure there is an account, connects the outlet of
//! committed events to the bus, mounts the doors that this process runs, and takes all of it down again in the order
//! that loses nothing.

mod database;
mod first_account;
mod housekeeping;
mod jobs;
mod listener;
mod probes;
mod stalling;
mod tls;

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::{CancellationToken, DropGuard};
use tracing::{error, info, warn};

use crate::blobs::Blobs;
use crate::bus::local::LocalBus;
use crate::bus::nats::{self, Carrier};
use crate::bus::{Bus, Parcel};
use crate::config::{Part, Settings, ShutdownSettings, Switch};
use crate::domain::bases::Bases;
use crate::domain::events::Outlet;
use crate::domain::{Clock, Error};
use crate::gateway::{self, Gateway};
use crate::ops::accounts::Checked;
use crate::ops::lanes::{self, Lanes};
use crate::ops::{Commits, Core, Simulator};
use crate::rest::{self, Rest};
use crate::worker::Worker;

use listener::Patience;

pub use database::Database;
pub use first_account::FirstAccount;
pub use tls::{BadCertificate, Certificate};

/// How long the bus may take for what was still to be told when a node stops.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Why the server cannot start.
#[derive(Debug)]
pub enum StartError {
    /// The address cannot be listened on.
    Listen(SocketAddr, std::io::Error),
    /// The database cannot be used.
    Database(Box<dyn std::error::Error + Send + Sync>),
    /// The store of media cannot be used.
    Media(Box<dyn std::error::Error + Send + Sync>),
    /// The first account cannot be made or read.
    Account(Error),
    /// The bus between nodes cannot be made.
    Bus(nats::BadAddress),
    /// The certificate cannot be used.
    Tls(BadCertificate),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(address, _) => write!(f, "cannot listen on {address}"),
            Self::Database(_) => f.write_str("the database cannot be used"),
            Self::Media(_) => f.write_str("the store of media cannot be used"),
            Self::Account(_) => f.write_str("the first account cannot be set up"),
            Self::Bus(_) => f.write_str("bus.url is not right"),
            Self::Tls(cause) => cause.fmt(f),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Listen(_, cause) => Some(cause),
            Self::Database(cause) | Self::Media(cause) => Some(cause.as_ref()),
            Self::Account(cause) => Some(cause),
            Self::Bus(cause) => Some(cause),
            Self::Tls(cause) => cause.source(),
        }
    }
}

/// A running server.
pub struct App {
    /// Where it listens.
    pub address: SocketAddr,
    /// How it is spoken to: `http` or `https`.
    pub scheme: &'static str,
    /// The account that the start found or made.
    pub account: FirstAccount,
    core: Arc<Core>,
    gateway: Gateway,
    worker: Arc<Worker>,
    database: Database,
    shutdown: ShutdownSettings,
    stopping: DropGuard,
    closed: DropGuard,
    hushed: DropGuard,
    server: JoinHandle<()>,
    working: JoinHandle<()>,
    delivering: JoinHandle<()>,
    carrying: JoinHandle<()>,
    tasks: JoinSet<()>,
}

impl App {
    /// Starts a server: everything is ready when this returns.
    ///
    /// # Errors
    /// [`StartError`]; nothing is left running.
    pub async fn start(settings: &Settings, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        // One for the process; where another server of it was first, this changes nothing.
        let _ = rustls::crypto::ring::default_provider().install_default();
        // The address first: it is the cheapest thing that can be wrong.
        let unheard = |cause| StartError::Listen(settings.listen, cause);
        let listener = TcpListener::bind(settings.listen).await.map_err(unheard)?;
        let address = listener.local_addr().map_err(unheard)?;
        let certificate = certificate(settings).map_err(StartError::Tls)?;
        let bus = bus(settings).await?;
        let database = Database::open(settings)
            .await
            .map_err(StartError::Database)?;
        let prepared = async {
            let place = settings.media.place(&settings.data_dir);
            let blobs = Blobs::open(place).map_err(StartError::Media)?;
            let account = prepare(&database, clock.as_ref(), settings).await?;
            Ok((account, blobs))
        };
        match prepared.await {
            Ok((account, blobs)) => Ok(Self::assemble(
                settings,
                clock,
                bus,
                (database, blobs),
                account,
                (listener, certificate),
                address,
            )),
            Err(error) => {
                close(database).await;
                Err(error)
            }
        }
    }

    fn assemble(
        settings: &Settings,
        clock: Arc<dyn Clock>,
        (bus, carrier): (Arc<dyn Bus>, Option<Carrier>),
        (database, blobs): (Database, Blobs),
        account: FirstAccount,
        (listener, certificate): (TcpListener, Option<Arc<Certificate>>),
        address: SocketAddr,
    ) -> Self {
        let [is_stopping, is_closed, is_hushed] = [(); 3].map(|()| CancellationToken::new());
        let [stopping, closed, hushed] =
            [&is_stopping, &is_closed, &is_hushed].map(|told| told.clone().drop_guard());
        let mut tasks = JoinSet::new();
        let (ways, lanes) = Lanes::new(settings.posting.lanes());
        let core = Arc::new(Core {
            store: database.store.clone(),
            clock,
            sealing: database.sealing.clone(),
            outlet: outlet(&bus),
            lanes: ways,
            commits: Commits::default(),
            work: Arc::new(Notify::new()),
            simulator: simulator(settings),
            credentials: Checked::default(),
            handsets: settings.handsets.clone(),
            blobs,
            media: settings.media.keeping.clone(),
        });
        if let Some(certificate) = &certificate {
            tasks.spawn(Arc::clone(certificate).renew());
        }
        let carrying = match carrier {
            Some(carrier) => tokio::spawn(carrier.run(is_hushed)),
            None => tokio::spawn(async {}),
        };
        for lane in lanes {
            tasks.spawn(lanes::run(Arc::clone(&core), lane));
        }
        tasks.spawn(housekeeping::run(
            Arc::clone(&core),
            settings.events.clone(),
        ));
        let bases = Arc::new(bases(settings, address));
        let gateway = Gateway::new(
            Arc::clone(&core),
            Arc::clone(&bus),
            settings.gateway.clone(),
            Arc::clone(&bases),
        );
        let delivering = tokio::spawn(gateway.clone().run(is_closed.clone()));
        let worker = Arc::new(jobs::worker(&core, settings));
        let router = routes(settings, &core, bus, &gateway, bases, is_stopping.clone());
        let working = if settings.parts.contains(&Part::Worker) {
            tokio::spawn(Arc::clone(&worker).run(is_stopping))
        } else {
            tokio::spawn(async {})
        };
        let seconds = |setting: u32| Duration::from_secs(setting.into());
        let patience = Patience {
            header: seconds(settings.header_seconds),
            stall: seconds(settings.stall_seconds),
        };
        let server = tokio::spawn(listener::serve(
            listener,
            certificate,
            router,
            patience,
            is_closed,
        ));
        info!(%address, "listening");
        Self {
            address,
            scheme: settings.tls.scheme(),
            account,
            core,
            gateway,
            worker,
            database,
            shutdown: settings.shutdown.clone(),
            stopping,
            closed,
            hushed,
            server,
            working,
            delivering,
            carrying,
            tasks,
        }
    }

    /// What operations need from the world; for tests that look at a running server from inside.
    #[must_use]
    pub const fn core(&self) -> &Arc<Core> {
        &self.core
    }

    /// Runs jobs until none is due, for tests.
    pub async fn drain(&self) {
        self.worker.drain().await;
    }

    /// Serves until `told` ends, then stops. Answers whether it was told: a private database that ended by itself ends
    /// the server too, because only a new start brings it back.
    pub async fn run_until(self, told: impl Future<Output = ()>) -> bool {
        let was_told = tokio::select! {
            () = told => true,
            () = self.database.ended() => {
                error!("the embedded database ended by itself; the next start recovers it");
                false
            }
        };
        self.stop().await;
        was_told
    }

    /// Stops, in the order that loses nothing: balancers are told to go elsewhere and no new jobs are taken; sockets are
    /// dropped, spread over a time; then no new requests are taken, requests and jobs under way end, and the database is
    /// closed last. Whoever is still connected meanwhile is served as always.
    pub async fn stop(mut self) {
        let [spread, grace] = [self.shutdown.spread_seconds, self.shutdown.grace_seconds]
            .map(|seconds| Duration::from_secs(seconds.into()));
        let deadline = Instant::now() + spread + grace;
        info!(
            at_most_seconds = (spread + grace).as_secs(),
            "stopping; a second signal ends it at once"
        );
        drop(self.stopping);
        self.gateway.leave(spread, deadline).await;
        drop(self.closed);
        for (name, task) in [
            ("requests", &mut self.server),
            ("jobs", &mut self.working),
            ("deliveries", &mut self.delivering),
        ] {
            if timeout_at(deadline, &mut *task).await.is_err() {
                warn!(
                    grace_seconds = grace.as_secs(),
                    "{name} under way did not end in time"
                );
                task.abort();
            }
        }
        // Those whose callers are gone.
        if timeout_at(deadline, self.core.commits.ended())
            .await
            .is_err()
        {
            warn!(
                grace_seconds = grace.as_secs(),
                "commits under way did not end in time"
            );
        }
        drop(self.hushed);
        if timeout(LAST_WORDS, &mut self.carrying).await.is_err() {
            warn!("other nodes were not told of the last changes; they find them by themselves");
            self.carrying.abort();
        }
        self.tasks.shutdown().await;
        close(self.database).await;
    }
}

/// Reads the certificate of these settings; none where TLS is off.
///
/// # Errors
/// [`BadCertificate`] with the file that is not right.
pub fn certificate(settings: &Settings) -> Result<Option<Arc<Certificate>>, BadCertificate> {
    let files = settings.tls.files();
    files
        .map(|(chain, key)| Certificate::open(chain, key))
        .transpose()
}

/// Brings the schema up to date, and makes sure that the secrets can be read and that there is an account.
async fn prepare(
    database: &Database,
    clock: &dyn Clock,
    settings: &Settings,
) -> Result<FirstAccount, StartError> {
    database
        .store
        .migrate()
        .await
        .map_err(|error| StartError::Database(error.into()))?;
    database
        .prove_key(settings)
        .await
        .map_err(StartError::Database)?;
    first_account::ensure(&database.store, clock, &database.sealing, settings)
        .await
        .map_err(StartError::Account)
}

async fn close(database: Database) {
    if let Err(fault) = database.close().await {
        warn!(error = %fault, "the database was not closed well");
    }
}

/// Makes the bus, and what carries it if that is to be run.
async fn bus(settings: &Settings) -> Result<(Arc<dyn Bus>, Option<Carrier>), StartError> {
    let Some(url) = &settings.bus.url else {
        return Ok((Arc::new(LocalBus::new()), None));
    };
    let (bus, carrier) = nats::connect(url.expose(), &settings.bus.subject)
        .await
        .map_err(StartError::Bus)?;
    Ok((Arc::new(bus), Some(carrier)))
}

/// Connects the outlet of committed events to the bus.
fn outlet(bus: &Arc<dyn Bus>) -> Outlet {
    let bus = Arc::clone(bus);
    Arc::new(move |announcements| bus.publish(Parcel::Committed(announcements.to_vec())))
}

fn simulator(settings: &Settings) -> Simulator {
    match settings.simulator {
        Some(Switch::On) => Simulator::On,
        Some(Switch::Off) => Simulator::Off,
        None if settings.database.url.is_none() => Simulator::On,
        None => Simulator::Off,
    }
}

/// How the base of printed URLs is found.
fn bases(settings: &Settings, address: SocketAddr) -> Bases {
    let proxies = settings.trusted_proxies.clone();
    let configured = settings.public_url.as_ref();
    Bases::new(settings.tls.scheme(), address)
        .always(configured.map(|url| url.as_str().to_owned()))
        .trusting(move |peer| proxies.iter().any(|network| network.contains(peer)))
        .echoing_twilio(settings.hosts.iter().any(|host| host == "twilio.com"))
}

/// Mounts the doors that this process runs.
fn routes(
    settings: &Settings,
    core: &Arc<Core>,
    bus: Arc<dyn Bus>,
    gateway: &Gateway,
    bases: Arc<Bases>,
    is_stopping: CancellationToken,
) -> Router {
    let mut router = probes::routes(Arc::clone(core), bus, is_stopping);
    if settings.parts.contains(&Part::Gateway) {
        router = router.merge(gateway::router(gateway.clone()));
    }
    if settings.parts.contains(&Part::Rest) {
        let patience = Duration::from_secs(settings.body_seconds.into());
        let rest = Rest::new(Arc::clone(core), bases, settings.hosts.clone(), patience);
        router = router.merge(rest::router(rest));
    }
    router
}
