//! SMS, WhatsApp and what comes next.
//!
//! A provider is a [`Backend`]: it sends, and it reads what the provider tells. It knows no conversations, and operations
//! know no provider. What is to be sent waits as jobs, one per copy; jobs of one pair of addresses run one at a time and
//! in order, so a conversation arrives in the order it was held.

pub mod backends;
pub mod outbound;

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::domain::addresses::AddressPair;
use crate::domain::{AccountSid, CopyOf};
use crate::ops::{Core, Simulator};
use backends::simulator::SimulatorBackend;

/// One copy of a message, to be handed to a provider.
#[derive(Debug, Clone)]
pub struct Outbound {
    /// The account.
    pub account: AccountSid,
    /// What it is a copy of.
    pub of: CopyOf,
    /// Who it goes to, and from which address.
    pub pair: AddressPair,
    /// The text.
    pub text: Option<String>,
    /// Where its media are.
    pub media_urls: Vec<String>,
}

/// How an attempt to hand over a copy ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sent {
    /// The provider has it; reports will follow.
    Accepted,
    /// The provider refused it for good, with a code of the published dictionary.
    Rejected(i32),
    /// It did not go out, and trying again can help.
    Retry(String),
}

/// A Messaging Service provider: carries messages to addresses.
pub trait Backend: Send + Sync {
    /// Hands one copy to the provider.
    fn send<'a>(&'a self, copy: &'a Outbound) -> BoxFuture<'a, Sent>;
}

/// The backends of this server.
#[derive(Clone)]
pub struct Channels {
    /// What operations need from the world.
    pub core: Arc<Core>,
    simulator: Option<Arc<dyn Backend>>,
}

impl Channels {
    /// The backends that the settings ask for.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        let simulator: Option<Arc<dyn Backend>> = match core.simulator {
            Simulator::On => Some(Arc::new(SimulatorBackend::new(Arc::clone(&core)))),
            Simulator::Off => None,
        };
        Self { core, simulator }
    }

    /// The backend of the Messaging Service that owns a copy's proxy address: the simulator owns what nobody else does.
    fn backend_of(&self, _copy: &Outbound) -> Option<&Arc<dyn Backend>> {
        self.simulator.as_ref()
    }
}
