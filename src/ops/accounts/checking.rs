//! Who is calling: credentials and access tokens.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use chrono::TimeDelta;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use crate::domain::accounts::{Credentials, KeyKind};
use crate::domain::tokens::{Claims, Unverified};
use crate::domain::{
    Account, AccountSid, ApiKey, ApiKeySid, Error, ServiceSid, Timestamp, TokenFault,
};
use crate::ops::Core;
use crate::store;

/// For how long checked credentials are taken for good without asking the database again. A secret that was revoked
/// or changed by another process is therefore good for this long; here it is forgotten at once.
const TRUSTED_FOR: TimeDelta = TimeDelta::seconds(1);
/// How many checked credentials are remembered; beyond that all are forgotten at once.
const MOST_REMEMBERED: usize = 10_000;

/// Whose credentials they are. One SID, however it is spelled: its digits may be capitals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum UserName {
    /// An account.
    Account(AccountSid),
    /// An API key.
    Key(ApiKeySid),
}

impl UserName {
    fn parse(text: &str) -> Option<Self> {
        let account = text.parse().map(Self::Account);
        account.or_else(|_| text.parse().map(Self::Key)).ok()
    }
}

/// Credentials that were checked a moment ago, by user name.
///
/// # Why
/// A look-up per request would cost more than writing the message it carries. Only right credentials are remembered,
/// so a new key works at once, and strangers cannot fill the memory.
#[derive(Debug, Default)]
pub struct Checked(RwLock<Memory>);

#[derive(Debug, Default)]
struct Memory {
    known: HashMap<UserName, Remembered>,
    /// How often something was forgotten on purpose. What was looked up before must not be remembered after.
    forgotten: u64,
}

#[derive(Debug, Clone)]
struct Remembered {
    digest: [u8; 32],
    caller: Authenticated,
    until: Timestamp,
}

/// Somebody with good credentials.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// The account.
    pub account: Arc<Account>,
    /// What kind of credentials.
    pub credentials: Credentials,
}

/// Checks a user name and password: account SID and auth token, or API key SID and secret.
///
/// # Errors
/// [`Error::Unauthenticated`]; [`Error::AccountNotActive`] only for right ones, so that strangers learn nothing.
pub async fn authenticate(
    core: &Core,
    user_name: &str,
    password: &str,
) -> Result<Authenticated, Error> {
    let user_name = UserName::parse(user_name).ok_or(Error::Unauthenticated)?;
    let digest: [u8; 32] = Sha256::digest(password.as_bytes()).into();
    let now = core.clock.now();
    if let Some(known) = core.credentials.get(user_name, now) {
        return if known.digest.ct_eq(&digest).into() {
            Ok(known.caller)
        } else {
            Err(Error::Unauthenticated)
        };
    }
    let forgotten = core.credentials.forgotten();
    let (secret, caller) = look_up(core, user_name)
        .await?
        .ok_or(Error::Unauthenticated)?;
    let right: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
    if !bool::from(right.ct_eq(&digest)) {
        return Err(Error::Unauthenticated);
    }
    caller.account.accepts_requests()?;
    core.credentials.put(
        user_name,
        Remembered {
            digest,
            caller: caller.clone(),
            until: now + TRUSTED_FOR,
        },
        forgotten,
    );
    Ok(caller)
}

async fn look_up(
    core: &Core,
    user_name: UserName,
) -> Result<Option<(String, Authenticated)>, Error> {
    match user_name {
        UserName::Account(sid) => {
            let mut conn = core.store.visit().await?;
            let Some(row) = store::accounts::find(&mut conn, sid).await? else {
                return Ok(None);
            };
            let secret = core.sealing.open(&sid.to_string(), &row.auth_token)?;
            let caller = Authenticated {
                account: Arc::new(row.account),
                credentials: Credentials::Main,
            };
            Ok(Some((secret, caller)))
        }
        UserName::Key(sid) => {
            let found = key_and_account(core, sid).await?;
            Ok(found.map(|(secret, key, account)| {
                let credentials = key.credentials();
                let caller = Authenticated {
                    account,
                    credentials,
                };
                (secret, caller)
            }))
        }
    }
}

async fn key_and_account(
    core: &Core,
    sid: ApiKeySid,
) -> Result<Option<(String, ApiKey, Arc<Account>)>, Error> {
    let mut conn = core.store.visit().await?;
    let Some(row) = store::keys::find_secret(&mut conn, sid).await? else {
        return Ok(None);
    };
    let secret = core.sealing.open(&sid.to_string(), &row.secret)?;
    let account = store::accounts::find(&mut conn, row.key.account_sid).await?;
    Ok(account.map(|account| (secret, row.key, Arc::new(account.account))))
}

impl Checked {
    fn get(&self, user_name: UserName, now: Timestamp) -> Option<Remembered> {
        let memory = self.0.read().unwrap_or_else(PoisonError::into_inner);
        memory
            .known
            .get(&user_name)
            .filter(|known| now < known.until)
            .cloned()
    }

    fn forgotten(&self) -> u64 {
        self.0
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .forgotten
    }

    /// Remembers what was looked up when so much had been forgotten.
    fn put(&self, user_name: UserName, what: Remembered, forgotten: u64) {
        let mut memory = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if memory.forgotten != forgotten {
            return;
        }
        if memory.known.len() >= MOST_REMEMBERED {
            memory.known.clear();
        }
        memory.known.insert(user_name, what);
    }

    /// Forgets the credentials of a user name: they were changed or revoked.
    pub fn forget(&self, user_name: UserName) {
        let mut memory = self.0.write().unwrap_or_else(PoisonError::into_inner);
        memory.forgotten += 1;
        memory.known.remove(&user_name);
    }

    /// Forgets all credentials of an account: it was changed.
    pub fn forget_account(&self, sid: AccountSid) {
        let mut memory = self.0.write().unwrap_or_else(PoisonError::into_inner);
        memory.forgotten += 1;
        memory
            .known
            .retain(|_, known| known.caller.account.sid != sid);
    }
}

/// What a good access token is for.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// The account.
    pub account: Arc<Account>,
    /// The key that signed the token.
    pub key: ApiKeySid,
    /// The service.
    pub service: ServiceSid,
    /// Whether the service keeps who is online.
    pub reachability_enabled: bool,
    /// What the token says.
    pub claims: Claims,
}

/// Checks an access token.
///
/// # Errors
/// [`Error::Token`]; [`Error::AccountNotActive`] for a good one.
pub async fn check_token(core: &Core, token: &str) -> Result<Bearer, Error> {
    let token = Unverified::read(token)?;
    let (secret, key, account) = key_and_account(core, token.issuer())
        .await?
        // Restricted keys sign no tokens (API page of restricted keys).
        .filter(|(_, key, _)| key.kind != KeyKind::Restricted)
        .ok_or(TokenFault::Issuer)?;
    let claims = token.verify(account.sid, &secret, core.clock.now())?;
    account.accepts_requests()?;
    let service = claims.service.unwrap_or(account.default_chat_service_sid);
    let mut conn = core.store.visit().await?;
    let service = store::services::find(&mut conn, account.sid, service)
        .await?
        .ok_or(TokenFault::Grants)?;
    Ok(Bearer {
        account,
        key: key.sid,
        service: service.sid,
        reachability_enabled: service.reachability_enabled,
        claims,
    })
}

/// Which of these keys may still sign tokens: those that are there, of accounts that are active.
///
/// # Errors
/// As the database.
pub async fn good_signers(
    core: &Core,
    keys: &HashSet<ApiKeySid>,
) -> Result<HashSet<ApiKeySid>, Error> {
    let keys: Vec<ApiKeySid> = keys.iter().copied().collect();
    let mut conn = core.store.visit().await?;
    let good = store::keys::list_good_signers(&mut conn, &keys).await?;
    Ok(good.into_iter().collect())
}
