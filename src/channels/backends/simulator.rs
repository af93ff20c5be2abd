//! Virtual handsets as a provider: makes the whole house usable and testable without an account anywhere.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::channels::{Backend, Outbound, Sent};
use crate::domain::ReceiptStatus;
use crate::domain::handsets::{Fate, fate};
use crate::ops::Core;
use crate::ops::handsets::{self, ToHandset};

/// Delivers to virtual handsets.
pub struct SimulatorBackend {
    core: Arc<Core>,
}

impl SimulatorBackend {
    /// A provider whose phones are in the database.
    #[must_use]
    pub const fn new(core: Arc<Core>) -> Self {
        Self { core }
    }
}

impl Backend for SimulatorBackend {
    fn send<'a>(&'a self, copy: &'a Outbound) -> BoxFuture<'a, Sent> {
        let ends = match fate(&copy.pair.address) {
            Fate::Refused(code) => return std::future::ready(Sent::Rejected(code)).boxed(),
            Fate::Usual => None,
            Fate::Undelivered(code) => Some((ReceiptStatus::Undelivered, code)),
            Fate::Failed(code) => Some((ReceiptStatus::Failed, code)),
        };
        async move {
            let to = ToHandset {
                account: copy.account,
                pair: copy.pair.clone(),
                of: copy.of,
                text: copy.text.clone(),
                media_urls: copy.media_urls.clone(),
                ends,
            };
            match handsets::deliver(&self.core, to).await {
                Ok(()) => Sent::Accepted,
                Err(error) => Sent::Retry(error.to_string()),
            }
        }
        .boxed()
    }
}
