//! The command line: `serve` and the verbs beside it.
//!
//! The verbs work on the database directly, so they need no running server, and work beside one. Those that look for
//! something in it make no new one.

use std::io::{self, Write as _};

use chrono::TimeDelta;
use clap::{Args, Parser, Subcommand};
use serde_json::{Value, json};

use crate::app::{self, Database};
use crate::config::Settings;
use crate::domain::accounts::{KeyKind, short_name};
use crate::domain::time::{self, SystemClock};
use crate::domain::{self, AccountSid, Identity, ServiceSid, tokens};
use crate::ops::keys::NewKey;
use crate::ops::{accounts, keys};

type Fault = Box<dyn std::error::Error + Send + Sync>;

/// A self-hosted multichannel conversations server, compatible with the Twilio Conversations API v1.
///
/// Settings come from config/default.toml (compiled in), from a file named by CONVOKE_CONFIG, and from the
/// environment: CONVOKE_LISTEN, CONVOKE_DATABASE_URL and so on.
#[derive(Debug, Parser)]
#[command(name = "convoke", version)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run the server until told to stop.
    Serve,
    /// Bring the database's schema up to date and leave.
    Migrate,
    /// Accounts.
    #[command(subcommand)]
    Account(AccountVerb),
    /// API keys.
    #[command(subcommand)]
    Key(KeyVerb),
    /// Access tokens.
    #[command(subcommand)]
    Token(TokenVerb),
    /// Settings.
    #[command(subcommand)]
    Config(ConfigVerb),
}

/// What to do with accounts.
#[derive(Debug, Subcommand)]
pub enum AccountVerb {
    /// Make an account; prints it with its auth token, which is shown only once, as one JSON object.
    Create {
        /// A name for people.
        #[arg(long, default_value = "Convoke account", value_parser = name)]
        name: String,
    },
}

/// What to do with API keys.
#[derive(Debug, Subcommand)]
pub enum KeyVerb {
    /// Make an API key; prints it with its secret, which is shown only once, as one JSON object.
    Create {
        /// The account; that of the settings (account.sid), or the first one, if none is named.
        #[arg(long)]
        account: Option<AccountSid>,
        /// A name for people.
        #[arg(long, default_value = "Convoke key", value_parser = name)]
        name: String,
        /// Make a main key, which may manage accounts and keys as the auth token does.
        #[arg(long)]
        main: bool,
    },
}

/// What to do with access tokens.
#[derive(Debug, Subcommand)]
pub enum TokenVerb {
    /// Mint an access token for an SDK client with the account's newest API key; prints the token.
    Mint(Mint),
}

/// An access token to be minted.
#[derive(Debug, Args)]
pub struct Mint {
    /// Who the client is.
    #[arg(long)]
    identity: String,
    /// The service; the account's default if none is named.
    #[arg(long)]
    service: Option<ServiceSid>,
    /// How long the token is good, in seconds; at most a day.
    #[arg(long, default_value_t = 3600, value_parser = clap::value_parser!(u32).range(1..=86_400))]
    ttl: u32,
    /// The account; that of the settings (account.sid), or the first one, if none is named.
    #[arg(long)]
    account: Option<AccountSid>,
}

/// What to do with settings.
#[derive(Debug, Subcommand)]
pub enum ConfigVerb {
    /// Check the settings and leave.
    Check,
}

/// Reads a name as the API does; an empty one is most likely a variable that is not set.
fn name(text: &str) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err("a name has a character at least".to_owned());
    }
    short_name(text.to_owned()).map_err(|refusal| refusal.to_string())
}

/// Runs a verb that is not `serve`.
///
/// # Errors
/// A sentence for the person at the terminal, with its causes.
pub async fn run(verb: Verb, settings: &Settings) -> Result<(), Fault> {
    match verb {
        Verb::Serve => Err("serve is run by main".into()),
        Verb::Config(ConfigVerb::Check) => {
            app::certificate(settings)?;
            print("the settings are right")
        }
        Verb::Migrate => migrate(settings).await,
        Verb::Account(AccountVerb::Create { name }) => {
            let database = Database::join(settings).await?;
            with(database, settings, async |database| {
                create_account(database, &name).await
            })
            .await
        }
        Verb::Key(KeyVerb::Create {
            account,
            name,
            main,
        }) => {
            let kind = if main {
                KeyKind::Main
            } else {
                KeyKind::Standard
            };
            let database = Database::join_existing(settings).await?;
            with(database, settings, async |database| {
                create_key(database, account.or(settings.account.sid), name, kind).await
            })
            .await
        }
        Verb::Token(TokenVerb::Mint(mut mint)) => {
            mint.account = mint.account.or(settings.account.sid);
            let database = Database::join_existing(settings).await?;
            with(database, settings, async |database| {
                mint_token(database, mint).await
            })
            .await
        }
    }
}

/// Brings the schema up to date. Touches no secrets, so that their key does not matter.
async fn migrate(settings: &Settings) -> Result<(), Fault> {
    let database = Database::join(settings).await?;
    let done = database.store.migrate().await;
    database.close().await?;
    done?;
    print("the schema is up to date")
}

/// Does something with a database and the secrets in it; it is closed again whatever comes of it.
async fn with(
    database: Database,
    settings: &Settings,
    what: impl AsyncFnOnce(&Database) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let prepared = async {
        database.store.migrate().await?;
        database.prove_key(settings).await
    };
    let done = match prepared.await {
        Ok(()) => what(&database).await,
        Err(fault) => Err(fault),
    };
    database.close().await?;
    done
}

async fn create_account(database: &Database, name: &str) -> Result<(), Fault> {
    let Database { store, sealing, .. } = database;
    let new = accounts::create(store, &SystemClock, sealing, name, None).await?;
    print_json(&json!({
        "sid": new.account.sid,
        "friendly_name": new.account.friendly_name,
        "auth_token": new.auth_token,
        "date_created": time::print(new.account.date_created),
    }))
}

async fn create_key(
    database: &Database,
    account: Option<AccountSid>,
    name: String,
    kind: KeyKind,
) -> Result<(), Fault> {
    let Database { store, sealing, .. } = database;
    let account = accounts::find(store, account)
        .await
        .map_err(|_| NO_ACCOUNT)?;
    let new = NewKey {
        account: account.sid,
        friendly_name: name,
        kind,
        policy: None,
    };
    let new = keys::create(store, &SystemClock, sealing, new, None).await?;
    print_json(&json!({
        "sid": new.key.sid,
        "account_sid": new.key.account_sid,
        "friendly_name": new.key.friendly_name,
        "secret": new.secret,
        "date_created": time::print(new.key.date_created),
    }))
}

async fn mint_token(database: &Database, mint: Mint) -> Result<(), Fault> {
    let Database { store, sealing, .. } = database;
    let account = accounts::find(store, mint.account)
        .await
        .map_err(|_| NO_ACCOUNT)?;
    let identity = Identity::parse(mint.identity)?;
    let lifetime = TimeDelta::seconds(mint.ttl.into()).min(tokens::MAX_LIFETIME);
    let token = keys::mint_token(
        store,
        &SystemClock,
        sealing,
        &account,
        mint.service,
        &identity,
        lifetime,
    )
    .await
    .map_err(|error| match error {
        domain::Error::NotFound => Fault::from("there is no such service in this account"),
        other => other.into(),
    })?
    .ok_or("there is no API key to sign with (make one: convoke key create)")?;
    print(&token)
}

const NO_ACCOUNT: &str = "there is no such account (make one: convoke account create)";

fn print_json(value: &Value) -> Result<(), Fault> {
    print(&value.to_string())
}

fn print(line: &str) -> Result<(), Fault> {
    Ok(writeln!(io::stdout(), "{line}")?)
}
