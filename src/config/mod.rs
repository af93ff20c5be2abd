//! Settings: defaults, then a file, then the environment; checked once, with all complaints together.
//!
//! `config/default.toml` is the reference: every key, its default and its meaning. The type of a default is the type of
//! the setting. After the start nobody reads the environment again.

mod layers;
mod rules;
mod values;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use toml::Table;

use crate::blobs::{Bucket, Place};
use crate::domain::{AccountSid, ApiKeySid};
use crate::gateway;
use crate::ops::{handsets, media};
use layers::{leaves, merge, override_from, set, strangers};
pub use values::{LogFormat, MediaUrl, Network, Part, PublicUrl, Secret, Switch};
use values::{listened_on, unless_empty};

/// Every setting with its default, as text.
pub const DEFAULTS: &str = include_str!("../../config/default.toml");

/// What the names of all settings in the environment begin with.
const PREFIX: &str = "CONVOKE";
/// Names a file with settings; it is no setting itself.
const FILE: &str = "CONVOKE_CONFIG";

/// The settings of a process.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "config/default.toml says what each key means")]
pub struct Settings {
    #[serde(deserialize_with = "listened_on")]
    pub listen: SocketAddr,
    pub header_seconds: u32,
    pub body_seconds: u32,
    pub stall_seconds: u32,
    #[serde(deserialize_with = "unless_empty")]
    pub public_url: Option<PublicUrl>,
    pub hosts: Vec<String>,
    pub trusted_proxies: Vec<Network>,
    pub tls: TlsSettings,
    pub parts: Vec<Part>,
    pub data_dir: PathBuf,
    #[serde(deserialize_with = "unless_empty")]
    pub secret_key: Option<Secret>,
    #[serde(deserialize_with = "unless_empty")]
    pub simulator: Option<Switch>,
    #[serde(deserialize_with = "unless_empty")]
    pub auth_token: Option<Secret>,
    pub account: AccountSettings,
    pub api_key: ApiKeySettings,
    pub database: DatabaseSettings,
    pub posting: PostingSettings,
    pub worker: WorkerSettings,
    pub gateway: gateway::Settings,
    pub handsets: handsets::Settings,
    pub media: MediaSettings,
    pub bus: BusSettings,
    pub events: EventSettings,
    pub log: LogSettings,
    pub shutdown: ShutdownSettings,
}

/// The first account.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "config/default.toml says what each key means")]
pub struct AccountSettings {
    #[serde(deserialize_with = "unless_empty")]
    pub sid: Option<AccountSid>,
}

/// A first API key.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "config/default.toml says what each key means")]
pub struct ApiKeySettings {
    #[serde(deserialize_with = "unless_empty")]
    pub sid: Option<ApiKeySid>,
    #[serde(deserialize_with = "unless_empty")]
    pub secret: Option<Secret>,
}

/// The database.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "config/default.toml says what each key means")]
pub struct DatabaseSettings {
    #[serde(deserialize_with = "unless_empty")]
    pub url: Option<Secret>,
    pub max_connections: u16,
    #[serde(deserialize_with = "unless_empty")]
    pub bin_dir: Option<PathBuf>,
}

/// How messages are committed.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "config/default.toml says what each key means")]
pub struct PostingSettings {
    pub lanes: usize,
}

impl PostingSettings {
    /// How many lanes there are.
    #[must_use]
    pub fn lanes(&self) -> usize {
        match self.lanes {
            0 => std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2)),
            lanes => lanes,
        }
    }
}

/// How jobs are run.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "config/default.toml says what each key means")]
pub struct WorkerSettings {
    pub concurrency: usize,
}

/// Encryption of what is listened to.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "config/default.toml says what each key means")]
pub struct TlsSettings {
    #[serde(deserialize_with = "unless_empty")]
    pub cert: Option<PathBuf>,
    #[serde(deserialize_with = "unless_empty")]
    pub key: Option<PathBuf>,
}

impl TlsSettings {
    /// The files of the certificate and its key; none where TLS is off.
    #[must_use]
    pub fn files(&self) -> Option<(&Path, &Path)> {
        Some((self.cert.as_deref()?, self.key.as_deref()?))
    }

    /// How the server is spoken to.
    #[must_use]
    pub fn scheme(&self) -> &'static str {
        self.files().map_or("http", |_| "https")
    }
}

/// The bus between nodes.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "config/default.toml says what each key means")]
pub struct BusSettings {
    #[serde(deserialize_with = "unless_empty")]
    pub url: Option<Secret>,
    pub subject: String,
}

/// Media, and the store of their bytes.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "config/default.toml says what each key means")]
pub struct MediaSettings {
    #[serde(deserialize_with = "unless_empty")]
    pub url: Option<MediaUrl>,
    #[serde(flatten)]
    pub keeping: media::Settings,
    #[serde(deserialize_with = "unless_empty")]
    pub endpoint: Option<String>,
    #[serde(deserialize_with = "unless_empty")]
    pub region: Option<String>,
    #[serde(deserialize_with = "unless_empty")]
    pub access_key_id: Option<String>,
    #[serde(deserialize_with = "unless_empty")]
    pub secret_access_key: Option<Secret>,
}

impl MediaSettings {
    /// Where the bytes are.
    #[must_use]
    pub fn place(&self, data_dir: &Path) -> Place {
        match &self.url {
            None => Place::Folder(data_dir.join("media")),
            Some(MediaUrl::Folder(folder)) => Place::Folder(folder.clone()),
            Some(MediaUrl::Bucket { name, prefix }) => Place::S3(Bucket {
                name: name.clone(),
                prefix: prefix.clone(),
                endpoint: self.endpoint.clone(),
                region: self.region.clone(),
                access_key_id: self.access_key_id.clone(),
                secret_access_key: (self.secret_access_key.as_ref())
                    .map(|secret| secret.expose().to_owned()),
                spool: data_dir.join("uploads"),
            }),
        }
    }
}

/// The event log.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "config/default.toml says what each key means")]
pub struct EventSettings {
    pub keep_days: u32,
}

/// What is logged, and how.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "config/default.toml says what each key means")]
pub struct LogSettings {
    pub level: String,
    pub format: LogFormat,
}

/// How the process ends.
#[derive(Debug, Clone, Deserialize)]
#[expect(missing_docs, reason = "config/default.toml says what each key means")]
pub struct ShutdownSettings {
    pub spread_seconds: u32,
    pub grace_seconds: u32,
}

/// Everything that is wrong with the settings.
#[derive(Debug)]
pub struct Complaints(Vec<String>);

impl fmt::Display for Complaints {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the settings are not right:")?;
        self.0
            .iter()
            .try_for_each(|complaint| write!(f, "\n  {complaint}"))
    }
}

impl std::error::Error for Complaints {}

impl Settings {
    /// Reads the settings of this process: defaults, the file that `CONVOKE_CONFIG` names, the environment.
    ///
    /// # Errors
    /// All complaints together.
    pub fn load() -> Result<Self, Complaints> {
        Self::of_process().map_err(|Complaints(mut complaints)| {
            // Most likely meant to be one of those that are complained of.
            let strangers = Self::misspelt().into_iter();
            complaints.extend(strangers.map(|name| format!("{name}: no setting has this name")));
            Complaints(complaints)
        })
    }

    fn of_process() -> Result<Self, Complaints> {
        let environment: Vec<(String, String)> = std::env::vars().collect();
        let file = match std::env::var(FILE) {
            Err(_) => None,
            Ok(path) => match std::fs::read_to_string(&path) {
                Ok(text) => Some((path, text)),
                Err(error) => return Err(Complaints(vec![format!("{FILE}: {path}: {error}")])),
            },
        };
        Self::from(file, &environment)
    }

    /// Variables of this process's environment that look like settings and are none: most likely misspelt.
    #[must_use]
    pub fn misspelt() -> Vec<String> {
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        strangers(names, &DEFAULTS.parse().unwrap_or_default())
    }

    /// The same from what was read: a file with its name, and the environment.
    ///
    /// # Errors
    /// All complaints together.
    pub fn from(
        file: Option<(String, String)>,
        environment: &[(String, String)],
    ) -> Result<Self, Complaints> {
        let mut complaints = Vec::new();
        let mut table: Table = DEFAULTS
            .parse()
            .map_err(|error| Complaints(vec![format!("defaults: {error}")]))?;
        if let Some((path, text)) = file {
            match text.parse::<Table>() {
                Ok(wanted) => merge(&mut table, wanted, &format!("{path}: "), &mut complaints),
                Err(error) => complaints.push(format!("{path}: {error}")),
            }
        }
        override_from(environment, &mut table, PREFIX, &mut complaints);
        let settings = Self::check(&table, &mut complaints);
        match settings {
            Some(settings) if complaints.is_empty() => Ok(settings),
            _ => Err(Complaints(complaints)),
        }
    }

    /// Turns the merged table into settings. One wrong value must not hide the next, so each complaint's key is set
    /// back to its default and the rest is read again.
    fn check(table: &Table, complaints: &mut Vec<String>) -> Option<Self> {
        let defaults: Table = DEFAULTS.parse().ok()?;
        let mut trial = defaults.clone();
        for (path, value) in leaves(table, Vec::new()) {
            let mut next = trial.clone();
            set(&mut next, &path, value);
            match next.clone().try_into::<Self>() {
                Ok(_) => trial = next,
                Err(error) => complaints.push(format!("{}: {}", path.join("."), error.message())),
            }
        }
        let settings: Self = trial.try_into().ok()?;
        settings.check_rules(complaints);
        Some(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(environment: &[(&str, &str)]) -> Result<Settings, Complaints> {
        let environment: Vec<_> = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        Settings::from(None, &environment)
    }

    #[test]
    fn defaults_are_right() {
        let settings = with(&[]).expect("the defaults");
        assert_eq!(settings.listen.port(), 8080);
        assert!(settings.database.url.is_none());
        assert_eq!(settings.parts, [Part::Rest, Part::Gateway, Part::Worker]);
    }

    #[test]
    fn the_environment_overrides_the_file_which_overrides_the_defaults() {
        let file = "listen = \"127.0.0.1:1\"\n[posting]\nlanes = 3\n";
        let settings = Settings::from(
            Some(("file".to_owned(), file.to_owned())),
            &[("CONVOKE_LISTEN".to_owned(), "127.0.0.1:2".to_owned())],
        )
        .expect("right settings");
        assert_eq!((settings.listen.port(), settings.posting.lanes), (2, 3));
    }

    #[test]
    fn all_complaints_come_together() {
        let file = "colour = 1\nlisten = 5\n";
        let complaints = Settings::from(
            Some(("my.toml".to_owned(), file.to_owned())),
            &[
                ("CONVOKE_POSTING_LANES".to_owned(), "many".to_owned()),
                ("CONVOKE_SIMULATOR".to_owned(), "perhaps".to_owned()),
                ("CONVOKE_ACCOUNT_SID".to_owned(), "AC1".to_owned()),
                (
                    "CONVOKE_TRUSTED_PROXIES".to_owned(),
                    "10.0.0.0/8,10.0.0.0/99".to_owned(),
                ),
            ],
        )
        .expect_err("wrong settings")
        .to_string();
        for part in [
            "my.toml: colour: unknown",
            "my.toml: listen",
            "CONVOKE_POSTING_LANES",
            "simulator",
            "account.sid",
            "trusted_proxies",
        ] {
            assert!(complaints.contains(part), "{part} in {complaints}");
        }
    }

    #[test]
    fn secrets_are_not_printed() {
        let settings = with(&[
            ("CONVOKE_DATABASE_URL", "postgres://u:hidden@h/d"),
            ("CONVOKE_SECRET_KEY", "a hidden key of secrets"),
        ]);
        assert!(!format!("{settings:?}").contains("hidden"));
    }

    #[test]
    fn media_are_in_a_folder_or_a_bucket() {
        for (url, fits) in [
            ("file:///srv/media", true),
            ("s3://bucket", true),
            ("s3://bucket/some/prefix/", true),
            ("file://host/srv", false),
            ("s3:///prefix", false),
            ("http://h/", false),
            ("/srv/media", false),
        ] {
            assert_eq!(with(&[("CONVOKE_MEDIA_URL", url)]).is_ok(), fits, "{url}");
        }
        let lonely = with(&[("CONVOKE_MEDIA_ACCESS_KEY_ID", "id")]);
        assert!(lonely.is_err());
    }

    #[test]
    fn networks_contain_their_addresses() {
        let network: Network = "10.1.0.0/16".parse().expect("a network");
        assert!(network.contains("10.1.2.3".parse().expect("an address")));
        assert!(network.contains("::ffff:10.1.2.3".parse().expect("an address")));
        assert!(!network.contains("10.2.0.0".parse().expect("an address")));
        assert!(
            "0.0.0.0/0"
                .parse::<Network>()
                .expect("all")
                .contains("9.9.9.9".parse().expect("an address"))
        );
        assert!("10.0.0.0/33".parse::<Network>().is_err());
    }
}
