//! The first account: from settings, or made and shown once.

use crate::config::Settings;
use crate::domain::accounts::KeyKind;
use crate::domain::sealing::Sealing;
use crate::domain::{AccountSid, Clock, Error};
use crate::ops::accounts;
use crate::ops::keys::{self, NewKey};
use crate::store::Store;

/// The account that a start found or made.
#[derive(Debug, Clone)]
pub struct FirstAccount {
    /// Its SID.
    pub sid: AccountSid,
    /// Its auth token, when this start made it: it is shown once.
    pub new_auth_token: Option<String>,
}

/// Makes sure that there is an account, and the API key that settings ask for.
pub(super) async fn ensure(
    store: &Store,
    clock: &dyn Clock,
    sealing: &Sealing,
    settings: &Settings,
) -> Result<FirstAccount, Error> {
    let account = match (settings.account.sid, &settings.auth_token) {
        (Some(sid), Some(token)) => {
            let wanted = Some((sid, token.expose().to_owned()));
            accounts::create(store, clock, sealing, NAME, wanted).await?;
            FirstAccount {
                sid,
                new_auth_token: None,
            }
        }
        _ => match accounts::find(store, None).await {
            Ok(account) => FirstAccount {
                sid: account.sid,
                new_auth_token: None,
            },
            Err(Error::NotFound) => {
                let new = accounts::create(store, clock, sealing, NAME, None).await?;
                FirstAccount {
                    sid: new.account.sid,
                    new_auth_token: Some(new.auth_token),
                }
            }
            Err(error) => return Err(error),
        },
    };
    if let (Some(sid), Some(secret)) = (settings.api_key.sid, &settings.api_key.secret) {
        let wanted = Some((sid, secret.expose().to_owned()));
        let new = NewKey {
            account: account.sid,
            friendly_name: "from the settings".to_owned(),
            kind: KeyKind::Standard,
            policy: None,
        };
        keys::create(store, clock, sealing, new, wanted).await?;
    }
    Ok(account)
}

const NAME: &str = "My first Convoke account";
