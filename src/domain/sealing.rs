//! Sealing: secrets that must be read back are kept encrypted.
//!
//! XChaCha20-Poly1305 with a random nonce in front. What is sealed is bound to whose it is, so a sealed secret that is
//! copied into another row does not open there.

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use sha2::{Digest, Sha256};

use super::errors::Error;

const NONCE_BYTES: usize = 24;

/// The key under which secrets are kept.
#[derive(Clone)]
pub struct Sealing(XChaCha20Poly1305);

impl std::fmt::Debug for Sealing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sealing(…)")
    }
}

/// What was sealed does not open: the key is another one, or the bytes were changed.
#[derive(Debug, Clone, Copy)]
pub struct DoesNotOpen;

impl std::fmt::Display for DoesNotOpen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(
            "a stored secret does not open: CONVOKE_SECRET_KEY is not the one it was sealed with",
        )
    }
}

impl std::error::Error for DoesNotOpen {}

impl Sealing {
    /// Takes the text of the setting as the key. It is a random secret, not a password, so hashing it once suffices.
    #[must_use]
    pub fn new(secret_key: &str) -> Self {
        Self(XChaCha20Poly1305::new(&Sha256::digest(
            secret_key.as_bytes(),
        )))
    }

    /// Seals a secret of `owner`.
    ///
    /// # Errors
    /// Only for texts beyond the cipher's size limit.
    pub fn seal(&self, owner: &str, secret: &str) -> Result<Vec<u8>, Error> {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload {
            msg: secret.as_bytes(),
            aad: owner.as_bytes(),
        };
        let sealed = self
            .0
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| Error::internal(DoesNotOpen))?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens a secret of `owner`.
    ///
    /// # Errors
    /// [`DoesNotOpen`], as a fault of ours.
    pub fn open(&self, owner: &str, sealed: &[u8]) -> Result<String, Error> {
        let open = || {
            let (nonce, sealed) = sealed.split_first_chunk::<NONCE_BYTES>()?;
            let payload = Payload {
                msg: sealed,
                aad: owner.as_bytes(),
            };
            let secret = self.0.decrypt(&XNonce::from(*nonce), payload).ok()?;
            String::from_utf8(secret).ok()
        };
        open().ok_or_else(|| Error::internal(DoesNotOpen))
    }
}

/// Makes a new secret: letters and digits only, because some official libraries refuse other credentials.
#[must_use]
pub fn new_secret() -> String {
    use rand::distr::{Alphanumeric, SampleString as _};
    Alphanumeric.sample_string(&mut rand::rng(), super::accounts::SECRET_CHARACTERS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_for_its_owner_and_key() {
        let sealing = Sealing::new("key");
        let sealed = sealing.seal("AC1", "secret").expect("sealed");
        assert_eq!(sealing.open("AC1", &sealed).expect("opens"), "secret");
        assert!(sealing.open("AC2", &sealed).is_err());
        assert!(Sealing::new("other").open("AC1", &sealed).is_err());
        assert!(sealing.open("AC1", &sealed[..20]).is_err());
        assert_ne!(sealed, sealing.seal("AC1", "secret").expect("sealed"));
    }

    #[test]
    fn secrets_are_letters_and_digits() {
        let secret = new_secret();
        assert_eq!(secret.len(), 32);
        assert!(secret.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(secret, new_secret());
    }
}
