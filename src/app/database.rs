//! The database a process uses: an external one, or a private cluster in the data directory; and the key of the
//! secrets in it.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use sqlx::postgres::PgConnectOptions;

use crate::config::{Secret, Settings};
use crate::domain::sealing::{Sealing, new_secret};
use crate::embedded::{self, Cluster};
use crate::ops::secret_key;
use crate::store::Store;

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// The file in the data directory that keeps a generated key.
const KEY_FILE: &str = "secret_key";

/// An open database.
pub struct Database {
    /// The way to it.
    pub store: Store,
    /// The key of the secrets in it.
    pub sealing: Sealing,
    cluster: Option<Cluster>,
}

impl Database {
    /// Opens the database of these settings. The schema is not touched.
    ///
    /// # Errors
    /// A sentence an operator can act on, with its causes.
    pub async fn open(settings: &Settings) -> Result<Self, Fault> {
        fs::create_dir_all(&settings.data_dir)
            .map_err(|error| format!("{}: cannot be made: {error}", settings.data_dir.display()))?;
        let key = match &settings.secret_key {
            Some(key) => key.clone(),
            None => generated_key(&settings.data_dir)?,
        };
        let (options, cluster): (PgConnectOptions, _) = match &settings.database.url {
            // The parser's own message quotes no secrets.
            Some(url) => (
                url.expose()
                    .parse()
                    .map_err(|error| format!("database.url: {error}"))?,
                None,
            ),
            None => {
                let cluster = Cluster::start(&embedded_settings(settings)).await?;
                (cluster.connect_options(), Some(cluster))
            }
        };
        let store = Store::open(options, settings.database.max_connections.into()).await?;
        Ok(Self {
            store,
            sealing: Sealing::new(key.expose()),
            cluster,
        })
    }

    /// As [`Database::join`], but makes no database where there is none: whoever looks for what is in one is most likely
    /// in the wrong folder, or lacks the server's environment.
    ///
    /// # Errors
    /// As [`Database::open`]; a sentence that names the folder.
    pub async fn join_existing(settings: &Settings) -> Result<Self, Fault> {
        if settings.database.url.is_none() && !embedded::is_made(&settings.data_dir) {
            let folder = std::path::absolute(&settings.data_dir)?;
            return Err(format!(
                "there is no database in {}; is CONVOKE_DATA_DIR the server's?",
                folder.display()
            )
            .into());
        }
        Self::join(settings).await
    }

    /// Opens the database beside a server that may be running: its private cluster is used, not started.
    ///
    /// # Errors
    /// As [`Database::open`].
    pub async fn join(settings: &Settings) -> Result<Self, Fault> {
        if settings.database.url.is_none()
            && let Some(options) = Cluster::running(&embedded_settings(settings)).await
        {
            let key = settings
                .secret_key
                .clone()
                .map_or_else(|| generated_key(&settings.data_dir), Ok)?;
            let store = Store::open(options, 1).await?;
            return Ok(Self {
                store,
                sealing: Sealing::new(key.expose()),
                cluster: None,
            });
        }
        Self::open(settings).await
    }

    /// Refuses a key that is not the one of the secrets in the database. The schema must be up to date.
    ///
    /// # Errors
    /// A sentence that names where the key came from; a fault of the database.
    pub async fn prove_key(&self, settings: &Settings) -> Result<(), Fault> {
        if secret_key::is_right(&self.store, &self.sealing).await? {
            return Ok(());
        }
        let key = match &settings.secret_key {
            Some(_) => "CONVOKE_SECRET_KEY (secret_key)".to_owned(),
            None => format!("the key in {}", settings.data_dir.join(KEY_FILE).display()),
        };
        Err(format!(
            "{key} is not the one that the secrets in this database are sealed with: \
             give back the key that its first start had; with another one no stored credential can be read"
        )
        .into())
    }

    /// Waits until a private cluster has ended though nobody stopped it; forever, where the database is an external one.
    pub async fn ended(&self) {
        match &self.cluster {
            Some(cluster) => cluster.ended().await,
            None => std::future::pending().await,
        }
    }

    /// Closes the database; a private cluster is stopped.
    ///
    /// # Errors
    /// When the cluster does not stop.
    pub async fn close(self) -> Result<(), Fault> {
        self.store.close().await;
        if let Some(cluster) = self.cluster {
            cluster.stop().await?;
        }
        Ok(())
    }
}

fn embedded_settings(settings: &Settings) -> embedded::Settings {
    embedded::Settings {
        data_dir: settings.data_dir.clone(),
        bin_dir: settings.database.bin_dir.clone(),
        // The pool, the lanes, and room for verbs and for looking in by hand.
        max_connections: (settings.database.max_connections)
            .saturating_add(u16::try_from(settings.posting.lanes()).unwrap_or(64))
            .saturating_add(20),
    }
}

/// Reads the generated key, or makes it. It is written whole or not at all: a key that was lost in a crash would leave
/// secrets that nobody can open.
fn generated_key(data_dir: &Path) -> Result<Secret, Fault> {
    let path = data_dir.join(KEY_FILE);
    let told = |error: std::io::Error| format!("{}: {error}", path.display());
    match fs::read_to_string(&path) {
        Ok(key) if !key.trim().is_empty() => return Ok(key.trim().parse()?),
        Ok(_) => return Err(format!("{}: is empty", path.display()).into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
        Err(error) => return Err(told(error).into()),
    }
    let key = new_secret();
    let draft = data_dir.join(format!("{KEY_FILE}.new"));
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&draft)?;
    file.write_all(key.as_bytes())
        .and_then(|()| file.sync_all())
        .map_err(told)?;
    fs::rename(&draft, &path).map_err(told)?;
    fs::File::open(data_dir)
        .and_then(|directory| directory.sync_all())
        .map_err(told)?;
    Ok(key.parse()?)
}
