//! Access tokens: JWTs that a program mints with an API key's secret and hands to its clients.
//!
//! The shape is what the official helper libraries mint (`cty: twilio-fpa;v=1`, `iss` the key, `sub` the account,
//! the identity and the grants under `grants`). The key must be looked up between reading and checking, so checking
//! has two steps: [`Unverified::read`] and [`Unverified::verify`].

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::TimeDelta;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::accounts::{AccountSid, ApiKeySid};
use super::credentials::CredentialSid;
use super::errors::{Error, TokenFault};
use super::services::ServiceSid;
use super::time::Timestamp;
use super::too_long;
use super::users::{Identity, UserSid};

/// The longest life of a token (access tokens page).
pub const MAX_LIFETIME: TimeDelta = TimeDelta::hours(24);
/// How far a client's clock may be ahead in `nbf` (our choice).
const SKEW: TimeDelta = TimeDelta::seconds(60);
/// The content type of access tokens, in all official libraries.
const CONTENT_TYPE: &str = "twilio-fpa;v=1";
/// No token of the libraries comes near this size.
const MAX_BYTES: usize = 8 * 1024;

/// A token that could be read, but whose signature was not yet checked.
#[derive(Debug)]
pub struct Unverified<'a> {
    signed: &'a str,
    signature: &'a str,
    algorithm: Algorithm,
    payload: Payload,
    issuer: ApiKeySid,
    account: AccountSid,
}

/// What a checked token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The account.
    pub account: AccountSid,
    /// The user.
    pub identity: Identity,
    /// The service; none for the account's default.
    pub service: Option<ServiceSid>,
    /// From when on the token is no longer good.
    pub expires: Timestamp,
    /// What the client's devices are pushed to with.
    pub push_credential: Option<CredentialSid>,
}

#[derive(Debug, Deserialize)]
struct Header {
    alg: String,
    typ: Option<String>,
    cty: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Payload {
    iss: Option<String>,
    sub: Option<String>,
    exp: Option<f64>,
    nbf: Option<f64>,
    iat: Option<f64>,
    grants: Option<Grants>,
}

#[derive(Debug, Deserialize)]
struct Grants {
    identity: Option<String>,
    #[serde(alias = "ip_messaging")]
    chat: Option<ChatGrant>,
}

#[derive(Debug, Deserialize)]
struct ChatGrant {
    service_sid: Option<String>,
    push_credential_sid: Option<String>,
}

impl<'a> Unverified<'a> {
    /// Reads a token as far as that goes without its key.
    ///
    /// # Errors
    /// 20101 when it is no JWT, 20102 for a foreign header, 20103 when issuer or subject are not of their kinds.
    pub fn read(token: &'a str) -> Result<Self, Error> {
        if token.len() > MAX_BYTES {
            return Err(TokenFault::Malformed.into());
        }
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
        let (header, payload) = signed
            .split_once('.')
            .filter(|(_, payload)| !payload.contains('.'))
            .ok_or(TokenFault::Malformed)?;
        let header: Header = part(header)?;
        let algorithm = match header.alg.as_str() {
            "HS256" => Algorithm::HS256,
            "HS384" => Algorithm::HS384,
            "HS512" => Algorithm::HS512,
            _ => return Err(TokenFault::Header.into()),
        };
        let is_jwt = header.typ.is_none_or(|typ| typ.eq_ignore_ascii_case("JWT"));
        if !is_jwt || header.cty.as_deref() != Some(CONTENT_TYPE) {
            return Err(TokenFault::Header.into());
        }
        let payload: Payload = part(payload)?;
        let issuer = payload.iss.as_deref().and_then(|sid| sid.parse().ok());
        let account = payload.sub.as_deref().and_then(|sid| sid.parse().ok());
        let (Some(issuer), Some(account)) = (issuer, account) else {
            return Err(TokenFault::Issuer.into());
        };
        Ok(Self {
            signed,
            signature,
            algorithm,
            payload,
            issuer,
            account,
        })
    }

    /// The API key that must have signed the token.
    #[must_use]
    pub const fn issuer(&self) -> ApiKeySid {
        self.issuer
    }

    /// Checks the signature with the key's secret, that the key is the account's, the times and the grants.
    ///
    /// # Errors
    /// In this order: 20103 for a key of another account, 20107, 20105, 20104, 20157, 20106, 50207.
    pub fn verify(self, owner: AccountSid, secret: &str, now: Timestamp) -> Result<Claims, Error> {
        if owner != self.account {
            return Err(TokenFault::Issuer.into());
        }
        let key = DecodingKey::from_secret(secret.as_bytes());
        let genuine = jsonwebtoken::crypto::verify(
            self.signature,
            self.signed.as_bytes(),
            &key,
            self.algorithm,
        );
        if !genuine.unwrap_or(false) {
            return Err(TokenFault::Signature.into());
        }
        let expires = self.payload.check_times(now)?;
        let grants = self.payload.grants.ok_or(TokenFault::Grants)?;
        let chat = grants.chat.ok_or(TokenFault::Grants)?;
        let service = chat
            .service_sid
            .map(|sid| sid.parse().map_err(|_| TokenFault::Grants))
            .transpose()?;
        // What is no SID names no credential, as one that was deleted; it is no reason to keep a user out.
        let push_credential = chat.push_credential_sid.and_then(|sid| sid.parse().ok());
        let identity = grants.identity.unwrap_or_default();
        if too_long(&identity) {
            return Err(TokenFault::IdentityTooLong.into());
        }
        if UserSid::has_shape(&identity) {
            return Err(TokenFault::Grants.into());
        }
        let identity = Identity::parse(identity).map_err(|_| TokenFault::Grants)?;
        Ok(Claims {
            account: self.account,
            identity,
            service,
            expires,
            push_credential,
        })
    }
}

impl Payload {
    fn check_times(&self, now: Timestamp) -> Result<Timestamp, Error> {
        let not_before = self.nbf.map(moment).transpose()?;
        if not_before.is_some_and(|nbf| nbf > now + SKEW) {
            return Err(TokenFault::NotYetValid.into());
        }
        let expires = self
            .exp
            .map(moment)
            .transpose()?
            .filter(|exp| *exp > now)
            .ok_or(TokenFault::Expired)?;
        let issued = self.iat.map(moment).transpose()?;
        let start = issued.or(not_before).unwrap_or(now).max(now - MAX_LIFETIME);
        if expires - start > MAX_LIFETIME || expires > now + MAX_LIFETIME + SKEW {
            return Err(TokenFault::LifetimeTooLong.into());
        }
        Ok(expires)
    }
}

/// Reads seconds since 1970, whole or not.
fn moment(seconds: f64) -> Result<Timestamp, Error> {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "casts of floats saturate, and dates are checked"
    )]
    let millis = (seconds * 1000.0) as i64;
    Timestamp::from_timestamp_millis(millis).ok_or_else(|| TokenFault::Malformed.into())
}

fn part<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, Error> {
    let json = URL_SAFE_NO_PAD
        .decode(text)
        .map_err(|_| TokenFault::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| TokenFault::Malformed.into())
}

/// What a new token is to say.
#[derive(Debug)]
pub struct NewToken<'a> {
    /// The account.
    pub account: AccountSid,
    /// The signing key.
    pub issuer: ApiKeySid,
    /// The service.
    pub service: ServiceSid,
    /// The user.
    pub identity: &'a Identity,
    /// How long it is good.
    pub lifetime: TimeDelta,
}

impl NewToken<'_> {
    /// Mints the token as the official libraries do.
    ///
    /// # Errors
    /// When the signature cannot be made.
    pub fn mint(&self, secret: &str, now: Timestamp) -> Result<String, Error> {
        #[derive(Serialize)]
        struct Grants<'a> {
            identity: &'a Identity,
            chat: serde_json::Value,
        }
        let issued = now.timestamp();
        let mut header = jsonwebtoken::Header::new(Algorithm::HS256);
        header.cty = Some(CONTENT_TYPE.to_owned());
        let payload = json!({
            "jti": format!("{}-{issued}", self.issuer),
            "iss": self.issuer,
            "sub": self.account,
            "iat": issued,
            "exp": issued + self.lifetime.num_seconds(),
            "grants": Grants { identity: self.identity, chat: json!({ "service_sid": self.service }) },
        });
        jsonwebtoken::encode(
            &header,
            &payload,
            &EncodingKey::from_secret(secret.as_bytes()),
        )
        .map_err(Error::internal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use uuid::Uuid;

    const SECRET: &str = "correct0horse0battery0staple0000";

    fn now() -> Timestamp {
        Timestamp::UNIX_EPOCH + TimeDelta::days(20_000)
    }

    fn account() -> AccountSid {
        AccountSid::from_uuid(Uuid::from_u128(1))
    }

    fn header() -> serde_json::Value {
        json!({ "alg": "HS256", "typ": "JWT", "cty": CONTENT_TYPE })
    }

    fn payload() -> serde_json::Value {
        json!({
            "iss": ApiKeySid::from_uuid(Uuid::from_u128(2)),
            "sub": account(),
            "exp": now().timestamp() + 3600,
            "grants": { "identity": "alice", "chat": { "service_sid": ServiceSid::from_uuid(Uuid::from_u128(3)) } },
        })
    }

    fn sign(header: &serde_json::Value, payload: &serde_json::Value, secret: &str) -> String {
        let text = [header, payload]
            .map(|part| URL_SAFE_NO_PAD.encode(part.to_string()))
            .join(".");
        let key = EncodingKey::from_secret(secret.as_bytes());
        let signature = jsonwebtoken::crypto::sign(text.as_bytes(), &key, Algorithm::HS256);
        format!("{text}.{}", signature.expect("HMAC takes any key"))
    }

    fn check(token: &str) -> Result<Claims, u32> {
        Unverified::read(token)
            .and_then(|read| read.verify(account(), SECRET, now()))
            .map_err(|refusal| refusal.published().code)
    }

    #[test]
    fn a_good_token_tells_who_it_is_for() {
        let claims = check(&sign(&header(), &payload(), SECRET)).expect("the token is good");
        assert_eq!(claims.identity.as_str(), "alice");
        assert_eq!(
            claims.service,
            Some(ServiceSid::from_uuid(Uuid::from_u128(3)))
        );
    }

    #[test]
    fn what_we_mint_we_accept() {
        let alice = Identity::parse("alice".to_owned()).expect("a fine identity");
        let token = NewToken {
            account: account(),
            issuer: ApiKeySid::from_uuid(Uuid::from_u128(2)),
            service: ServiceSid::from_uuid(Uuid::from_u128(3)),
            identity: &alice,
            lifetime: TimeDelta::hours(1),
        };
        assert_eq!(
            check(&token.mint(SECRET, now()).expect("minted")).map(|c| c.identity),
            Ok(alice)
        );
    }

    #[test]
    fn each_fault_has_its_code() {
        let seconds = now().timestamp();
        let with = |key: &str, value: serde_json::Value| {
            let mut changed = payload();
            changed[key] = value;
            sign(&header(), &changed, SECRET)
        };
        let grants = |grants: serde_json::Value| with("grants", grants);
        let mut foreign = header();
        foreign["cty"] = json!("other");
        let mut none = header();
        none["alg"] = json!("none");
        for (token, code) in [
            ("a.b.c".to_owned(), 20101),
            (String::new(), 20101),
            (sign(&foreign, &payload(), SECRET), 20102),
            (sign(&none, &payload(), SECRET), 20102),
            (with("iss", json!(account())), 20103),
            (
                with("sub", json!(AccountSid::from_uuid(Uuid::from_u128(9)))),
                20103,
            ),
            (sign(&header(), &payload(), "wrong"), 20107),
            (with("nbf", json!(seconds + 61)), 20105),
            (with("exp", json!(seconds)), 20104),
            (with("exp", json!(null)), 20104),
            (with("exp", json!(seconds + 86_400 + 61)), 20157),
            (with("iat", json!(seconds - 86_400)), 20157),
            (grants(json!({ "identity": "alice" })), 20106),
            (grants(json!({ "chat": {} })), 20106),
            (grants(json!({ "identity": "system", "chat": {} })), 20106),
            (grants(json!({ "identity": "a\u{0}b", "chat": {} })), 20106),
            (
                grants(json!({ "identity": "x".repeat(257), "chat": {} })),
                50207,
            ),
            (
                grants(json!({ "identity": "alice", "chat": { "service_sid": "x" } })),
                20106,
            ),
        ] {
            assert_eq!(check(&token).err(), Some(code), "{token}");
        }
        assert!(check(&with("exp", json!(seconds as f64 + 10.5))).is_ok());
        assert!(check(&grants(json!({ "identity": "alice", "ip_messaging": {} }))).is_ok());
    }

    proptest! {
        #[test]
        fn never_panics(token in "\\PC{0,80}", dots in prop::collection::vec("[A-Za-z0-9_-]{0,40}", 0..5)) {
            prop_assert!(check(&token).is_err());
            prop_assert!(check(&dots.join(".")).is_err());
        }
    }
}
