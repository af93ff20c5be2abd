//! What can be done: the only way in.
//!
//! REST, sockets and channels translate their own language into one call of an operation and translate the answer
//! back. An operation gets hold of what it needs (`access`), locks, changes, records, and answers; a change, the event
//! that tells of it and the jobs that follow from it are rows of one transaction (`record`). No network call happens
//! inside one.

pub mod access;
pub mod accounts;
pub mod address_configurations;
mod addresses;
pub mod bindings;
pub mod configuration;
pub mod contents;
pub mod conversations;
pub mod credentials;
pub mod events;
pub mod handsets;
pub mod idempotency;
pub mod inbound;
pub mod keys;
pub mod lanes;
pub mod media;
pub mod memberships;
pub mod messages;
pub mod messaging_services;
pub mod participants;
pub mod phone_numbers;
pub mod plain_messages;
pub mod presence;
pub mod reads;
pub mod receipts;
mod record;
pub mod roles;
pub mod secret_key;
pub mod senders;
pub mod services;
pub mod users;
pub mod webhooks;

pub use record::Commits;

use std::sync::Arc;

use tokio::sync::Notify;

use crate::blobs::Blobs;
use crate::domain::events::Outlet;
use crate::domain::sealing::Sealing;
use crate::domain::{Clock, Error};
use crate::store::{self, Store};

/// What operations need from the world.
pub struct Core {
    /// The database.
    pub store: Store,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The key of stored secrets.
    pub sealing: Sealing,
    /// Where committed events go.
    pub outlet: Outlet,
    /// Drafts on their way to a commit.
    pub lanes: lanes::Lanes,
    /// Changes whose commit is under way.
    pub commits: Commits,
    /// Told when a job was written that is due now.
    pub work: Arc<Notify>,
    /// Whether virtual handsets own every proxy address that nobody else owns.
    pub simulator: Simulator,
    /// How virtual handsets behave.
    pub handsets: handsets::Settings,
    /// The bytes of media.
    pub blobs: Blobs,
    /// How media are kept.
    pub media: media::Settings,
    /// Credentials that were checked a moment ago.
    pub credentials: accounts::Checked,
}

/// Checks that the database answers and its schema is there.
///
/// # Errors
/// What the database says.
pub async fn ready(core: &Core) -> Result<(), Error> {
    let mut conn = core.store.visit().await?;
    store::ping(&mut conn).await?;
    Ok(())
}

/// Whether there are virtual handsets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Simulator {
    /// Every account's default Messaging Service is a simulator.
    On,
    /// The default Messaging Service has no backend.
    Off,
}
