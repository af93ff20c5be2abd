//! Sealing: secrets that must be read back are kept encrypted.
//!
//! XChaCha20-Poly1305 with a random nonce in front. What is sealed is bound to whose it is, so a sealed secret that is
//! copied into another row does not open there.
//!
//! The same key, by another way, signs what strangers carry around and must not change: HMAC-SHA256.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac as _};
use sha2::{Digest, Sha256, Sha512};

use super::errors::Error;

const NONCE_BYTES: usize = 24;

/// The key under which secrets are kept.
#[derive(Clone)]
pub struct Sealing {
    cipher: XChaCha20Poly1305,
    signer: Hmac<Sha256>,
}

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
        // The text in front keeps the two keys apart: neither tells anything of the other.
        let for_signing = Sha512::new_with_prefix("convoke signatures\0").chain_update(secret_key);
        Self {
            cipher: XChaCha20Poly1305::new(&Sha256::digest(secret_key.as_bytes())),
            signer: Hmac::new(&for_signing.finalize()),
        }
    }

    /// Signs a text, for one purpose: letters, digits, `-` and `_`.
    #[must_use]
    pub fn sign(&self, purpose: &str, text: &str) -> String {
        URL_SAFE_NO_PAD.encode(self.signature(purpose, text).finalize().into_bytes())
    }

    /// Whether a signature is of this text and purpose; takes the same time for every wrong one.
    #[must_use]
    pub fn is_signed(&self, purpose: &str, text: &str, signature: &str) -> bool {
        URL_SAFE_NO_PAD
            .decode(signature)
            .is_ok_and(|given| self.signature(purpose, text).verify_slice(&given).is_ok())
    }

    fn signature(&self, purpose: &str, text: &str) -> Hmac<Sha256> {
        self.signer
            .clone()
            .chain_update(purpose)
            .chain_update("\0")
            .chain_update(text)
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
            .cipher
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
            let secret = self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()?;
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
    fn a_signature_is_good_for_its_text_purpose_and_key_only() {
        let sealing = Sealing::new("key");
        let signature = sealing.sign("a", "text");
        assert!(sealing.is_signed("a", "text", &signature));
        for (purpose, text) in [("b", "text"), ("a", "other"), ("a\0t", "ext")] {
            assert!(!sealing.is_signed(purpose, text, &signature));
        }
        assert!(!Sealing::new("other").is_signed("a", "text", &signature));
        for wrong in ["", "!", &signature[1..]] {
            assert!(!sealing.is_signed("a", "text", wrong));
        }
    }

    #[test]
    fn secrets_are_letters_and_digits() {
        let secret = new_secret();
        assert_eq!(secret.len(), 32);
        assert!(secret.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_ne!(secret, new_secret());
    }
}
