//! Push credentials: what Apple and Google want to see before they deliver to devices.

use std::str::FromStr;
use std::sync::Arc;

use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use serde::{Deserialize, Serialize};

use super::Field;
use super::accounts::AccountSid;
use super::errors::{Error, Invalid};
use super::sids::{Kind, Sid};
use super::time::Timestamp;

/// The SID of a push credential.
pub type CredentialSid = Sid<Credential>;

/// The longest friendly name, in characters (API reference).
pub const MAX_NAME_CHARACTERS: usize = 64;
/// The longest certificate, private key or service account, in bytes (our choice: real ones are a few thousand).
const MAX_SECRET_BYTES: usize = 64 * 1024;

/// A push credential, without its secret.
#[derive(Debug, Clone, sqlx::FromRow)]
pub struct Credential {
    /// Its SID.
    pub sid: CredentialSid,
    /// The account.
    pub account_sid: AccountSid,
    /// A name for people.
    pub friendly_name: Option<String>,
    /// Whose devices it is for.
    #[sqlx(rename = "type")]
    pub platform: Platform,
    /// Whether Apple's sandbox is meant.
    pub sandbox: bool,
    /// When it was created.
    pub date_created: Timestamp,
    /// When it was last changed.
    pub date_updated: Timestamp,
}

impl Kind for Credential {
    const PREFIX: &'static str = "CR";
}

/// Whose devices a credential is for.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema, sqlx::Type,
)]
#[serde(rename_all = "lowercase")]
#[sqlx(type_name = "text", rename_all = "lowercase")]
#[expect(missing_docs, reason = "the names are the published ones")]
pub enum Platform {
    Apn,
    Gcm,
    Fcm,
}

impl FromStr for Platform {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text.to_ascii_lowercase().as_str() {
            "apn" => Ok(Self::Apn),
            "gcm" => Ok(Self::Gcm),
            "fcm" => Ok(Self::Fcm),
            _ => Err(Invalid::Parameter {
                name: "Type",
                wants: "apn, gcm or fcm",
            }
            .into()),
        }
    }
}

/// Checks a friendly name.
///
/// # Errors
/// [`Invalid::FriendlyNameTooLong`].
pub fn friendly_name(name: String) -> Result<String, Error> {
    if name.chars().count() > MAX_NAME_CHARACTERS {
        return Err(Invalid::FriendlyNameTooLong.into());
    }
    Ok(name)
}

/// The secret part, kept sealed as JSON.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secrets {
    /// Apple's certificate, PEM.
    pub certificate: Option<String>,
    /// The certificate's private key, PEM.
    pub private_key: Option<String>,
    /// Google's key of old.
    pub api_key: Option<String>,
    /// Firebase's server key, or the JSON of a service account.
    pub secret: Option<String>,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets(…)")
    }
}

/// What a caller says of a credential; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CredentialChanges {
    /// Whose devices it is for.
    pub platform: Option<Platform>,
    /// A name for people.
    pub friendly_name: Field<String>,
    /// Whether Apple's sandbox is meant.
    pub sandbox: Option<bool>,
    /// The secret part.
    pub secrets: Secrets,
}

impl Secrets {
    /// Puts what `newer` has in place of one's own.
    #[must_use]
    pub fn replaced_by(self, newer: Self) -> Self {
        Self {
            certificate: newer.certificate.or(self.certificate),
            private_key: newer.private_key.or(self.private_key),
            api_key: newer.api_key.or(self.api_key),
            secret: newer.secret.or(self.secret),
        }
    }

    /// Leaves out what the platform does not need: what nobody uses is better not kept.
    #[must_use]
    pub fn of(self, platform: Platform) -> Self {
        match platform {
            Platform::Apn => Self {
                certificate: self.certificate,
                private_key: self.private_key,
                ..Self::default()
            },
            Platform::Gcm => Self {
                api_key: self.api_key,
                ..Self::default()
            },
            Platform::Fcm => Self {
                secret: self.secret,
                ..Self::default()
            },
        }
    }

    /// Checks that there is what the platform needs, and that it can be what it says: a certificate with its own private
    /// key, a key, a service account.
    ///
    /// # Errors
    /// 20422 that names the parameter.
    pub fn check(&self, platform: Platform) -> Result<(), Error> {
        let refuse = |name, wants| Err(Invalid::Parameter { name, wants }.into());
        match platform {
            Platform::Apn => self.check_apn(),
            Platform::Gcm if !self.api_key.as_deref().is_some_and(is_key) => {
                refuse("ApiKey", "the API key of the Google project")
            }
            Platform::Fcm if !self.secret.as_deref().is_some_and(is_fcm_secret) => refuse(
                "Secret",
                "the server key of the Firebase project, or the JSON of a service account with client_email and private_key",
            ),
            Platform::Gcm | Platform::Fcm => Ok(()),
        }
    }

    fn check_apn(&self) -> Result<(), Error> {
        let pem = |text: &Option<String>| {
            let text = text
                .as_deref()
                .filter(|text| text.len() <= MAX_SECRET_BYTES);
            text.unwrap_or_default().as_bytes().to_vec()
        };
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&pem(&self.certificate))
            .collect::<Result<_, _>>()
            .unwrap_or_default();
        if chain.is_empty() {
            return Err(Invalid::Parameter {
                name: "Certificate",
                wants: "a certificate in PEM",
            }
            .into());
        }
        let Ok(key) = PrivateKeyDer::from_pem_slice(&pem(&self.private_key)) else {
            return Err(Invalid::Parameter {
                name: "PrivateKey",
                wants: "a private key in PEM",
            }
            .into());
        };
        let provider = Arc::new(default_provider());
        CertifiedKey::from_der(chain, key, &provider)
            .map(drop)
            .map_err(|_| {
                Invalid::Parameter {
                    name: "PrivateKey",
                    wants: "the private key of the certificate",
                }
                .into()
            })
    }
}

fn is_key(text: &str) -> bool {
    (1..=4096).contains(&text.len()) && !text.contains(char::is_control)
}

fn is_fcm_secret(text: &str) -> bool {
    #[derive(Deserialize)]
    struct ServiceAccount {
        client_email: String,
        private_key: String,
    }
    if !text.trim_start().starts_with('{') {
        return is_key(text);
    }
    if text.len() > MAX_SECRET_BYTES {
        return false;
    }
    serde_json::from_str(text).is_ok_and(|account: ServiceAccount| {
        account.client_email.contains('@')
            && PrivateKeyDer::from_pem_slice(account.private_key.as_bytes()).is_ok()
    })
}
