//! Accounts and credentials: who is calling.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use chrono::TimeDelta;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq as _;

use super::Core;
use super::services::new_service;
use crate::domain::accounts::Credentials;
use crate::domain::sealing::{Sealing, new_secret};
use crate::domain::tokens::{Claims, NewToken, Unverified};
use crate::domain::{
    Account, AccountSid, ApiKey, ApiKeySid, Clock, Error, Identity, MessagingService,
    MessagingServiceSid, Service, ServiceSid, Timestamp, TokenFault,
};
use crate::store::{self, Store};

/// For how long checked credentials are taken for good without asking the database again. A secret that was revoked
/// or changed by another process is therefore good for this long.
const TRUSTED_FOR: TimeDelta = TimeDelta::seconds(1);
/// How many checked credentials are remembered; beyond that all are forgotten at once.
const MOST_REMEMBERED: usize = 10_000;

/// Credentials that were checked a moment ago, by user name.
///
/// # Why
/// A look-up per request would cost more than writing the message it carries. Only right credentials are remembered,
/// so a new key works at once, and strangers cannot fill the memory.
#[derive(Debug, Default)]
pub struct Checked(RwLock<HashMap<String, Remembered>>);

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
/// [`Error::Unauthenticated`].
pub async fn authenticate(
    core: &Core,
    user_name: &str,
    password: &str,
) -> Result<Authenticated, Error> {
    let digest: [u8; 32] = Sha256::digest(password.as_bytes()).into();
    let now = core.clock.now();
    if let Some(known) = core.credentials.get(user_name, now) {
        return if known.digest.ct_eq(&digest).into() {
            Ok(known.caller)
        } else {
            Err(Error::Unauthenticated)
        };
    }
    let (secret, caller) = look_up(core, user_name)
        .await?
        .ok_or(Error::Unauthenticated)?;
    let right: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
    if !bool::from(right.ct_eq(&digest)) {
        return Err(Error::Unauthenticated);
    }
    core.credentials.put(
        user_name,
        Remembered {
            digest,
            caller: caller.clone(),
            until: now + TRUSTED_FOR,
        },
    );
    Ok(caller)
}

async fn look_up(core: &Core, user_name: &str) -> Result<Option<(String, Authenticated)>, Error> {
    let mut conn = core.store.visit().await?;
    if let Ok(sid) = user_name.parse::<AccountSid>() {
        let Some(row) = store::accounts::find(&mut conn, sid).await? else {
            return Ok(None);
        };
        let secret = core.sealing.open(user_name, &row.auth_token)?;
        let account = Arc::new(row.account);
        return Ok(Some((
            secret,
            Authenticated {
                account,
                credentials: Credentials::AuthToken,
            },
        )));
    }
    let Ok(sid) = user_name.parse::<ApiKeySid>() else {
        return Ok(None);
    };
    let Some((secret, account)) = key_and_account(core, sid).await? else {
        return Ok(None);
    };
    Ok(Some((
        secret,
        Authenticated {
            account,
            credentials: Credentials::StandardKey,
        },
    )))
}

async fn key_and_account(
    core: &Core,
    sid: ApiKeySid,
) -> Result<Option<(String, Arc<Account>)>, Error> {
    let mut conn = core.store.visit().await?;
    let Some(row) = store::accounts::find_key(&mut conn, sid).await? else {
        return Ok(None);
    };
    let secret = core.sealing.open(&sid.to_string(), &row.secret)?;
    let account = store::accounts::find(&mut conn, row.key.account_sid).await?;
    Ok(account.map(|account| (secret, Arc::new(account.account))))
}

impl Checked {
    fn get(&self, user_name: &str, now: Timestamp) -> Option<Remembered> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known
            .get(user_name)
            .filter(|known| now < known.until)
            .cloned()
    }

    fn put(&self, user_name: &str, what: Remembered) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MOST_REMEMBERED {
            known.clear();
        }
        known.insert(user_name.to_owned(), what);
    }
}

/// What a good access token is for.
#[derive(Debug, Clone)]
pub struct Bearer {
    /// The account.
    pub account: Arc<Account>,
    /// The service.
    pub service: ServiceSid,
    /// What the token says.
    pub claims: Claims,
}

/// Checks an access token.
///
/// # Errors
/// [`Error::Token`].
pub async fn check_token(core: &Core, token: &str) -> Result<Bearer, Error> {
    let token = Unverified::read(token)?;
    let (secret, account) = key_and_account(core, token.issuer())
        .await?
        .ok_or(TokenFault::Issuer)?;
    let claims = token.verify(account.sid, &secret, core.clock.now())?;
    let service = claims.service.unwrap_or(account.default_chat_service_sid);
    let mut conn = core.store.visit().await?;
    if store::services::find(&mut conn, account.sid, service)
        .await?
        .is_none()
    {
        return Err(TokenFault::Grants.into());
    }
    Ok(Bearer {
        account,
        service,
        claims,
    })
}

/// An account that was just made, with its secret.
#[derive(Debug)]
pub struct NewAccount {
    /// The account.
    pub account: Account,
    /// The auth token, shown once.
    pub auth_token: String,
}

/// Makes an account with its default service and Messaging Service; answers the existing one's SID when the wanted SID
/// is taken, after giving it the wanted auth token.
///
/// # Errors
/// As the database.
pub async fn create(
    store: &Store,
    clock: &dyn Clock,
    sealing: &Sealing,
    friendly_name: &str,
    wanted: Option<(AccountSid, String)>,
) -> Result<NewAccount, Error> {
    let now = clock.now();
    let (sid, auth_token) = wanted.unwrap_or_else(|| (AccountSid::new(now), new_secret()));
    let sealed = sealing.seal(&sid.to_string(), &auth_token)?;
    let messaging_service = MessagingServiceSid::new(now);
    let (service, roles) = new_service(sid, "Default Conversations Service".to_owned(), now);
    let account = Account {
        sid,
        friendly_name: friendly_name.to_owned(),
        default_chat_service_sid: service.sid,
        default_messaging_service_sid: messaging_service,
        default_inactive_timer: None,
        default_closed_timer: None,
        date_created: now,
        date_updated: now,
    };
    let mut tx = store.begin().await?;
    if !store::accounts::insert(&mut tx, &account, &sealed).await? {
        store::accounts::set_auth_token(&mut tx, sid, &sealed, now).await?;
        tx.commit().await?;
        return Ok(NewAccount {
            account,
            auth_token,
        });
    }
    store::services::insert(&mut tx, &service).await?;
    for role in roles {
        store::roles::insert(&mut tx, &role).await?;
    }
    let messaging_service = MessagingService {
        sid: messaging_service,
        account_sid: sid,
        friendly_name: "Default Messaging Service for Conversations".to_owned(),
    };
    store::accounts::insert_messaging_service(&mut tx, &messaging_service, now).await?;
    tx.commit().await?;
    Ok(NewAccount {
        account,
        auth_token,
    })
}

/// Finds an account, or the oldest one when none is named.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn find(store: &Store, sid: Option<AccountSid>) -> Result<Account, Error> {
    let mut conn = store.visit().await?;
    let row = match sid {
        Some(sid) => store::accounts::find(&mut conn, sid).await?,
        None => store::accounts::find_first(&mut conn).await?,
    };
    row.map(|row| row.account).ok_or(Error::NotFound)
}

/// An API key that was just made, with its secret.
#[derive(Debug)]
pub struct NewKey {
    /// The key.
    pub key: ApiKey,
    /// The secret, shown once.
    pub secret: String,
}

/// Makes a standard API key of an account, or gives the key of the wanted SID the wanted secret.
///
/// # Errors
/// As the database.
pub async fn create_key(
    store: &Store,
    clock: &dyn Clock,
    sealing: &Sealing,
    account: AccountSid,
    friendly_name: &str,
    wanted: Option<(ApiKeySid, String)>,
) -> Result<NewKey, Error> {
    let now = clock.now();
    let (sid, secret) = wanted.unwrap_or_else(|| (ApiKeySid::new(now), new_secret()));
    let sealed = sealing.seal(&sid.to_string(), &secret)?;
    let key = ApiKey {
        sid,
        account_sid: account,
        friendly_name: friendly_name.to_owned(),
        date_created: now,
        date_updated: now,
    };
    let mut conn = store.visit().await?;
    store::accounts::upsert_key(&mut conn, &key, &sealed).await?;
    Ok(NewKey { key, secret })
}

/// Mints an access token with an account's newest API key.
///
/// # Errors
/// [`Error::NotFound`] when the account has no API key, or no such service.
pub async fn mint_token(
    store: &Store,
    clock: &dyn Clock,
    sealing: &Sealing,
    account: &Account,
    service: Option<ServiceSid>,
    identity: &Identity,
    lifetime: TimeDelta,
) -> Result<String, Error> {
    let mut conn = store.visit().await?;
    let service = service.unwrap_or(account.default_chat_service_sid);
    let service: Service = store::services::find(&mut conn, account.sid, service)
        .await?
        .ok_or(Error::NotFound)?;
    let row = store::accounts::find_newest_key(&mut conn, account.sid)
        .await?
        .ok_or(Error::NotFound)?;
    let secret = sealing.open(&row.key.sid.to_string(), &row.secret)?;
    let token = NewToken {
        account: account.sid,
        issuer: row.key.sid,
        service: service.sid,
        identity,
        lifetime,
    };
    token.mint(&secret, clock.now())
}
