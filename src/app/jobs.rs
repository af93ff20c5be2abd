//! Jobs: the one match from a job to the function that does it.

use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::channels::{Channels, outbound};
use crate::config::Settings;
use crate::domain::jobs::{Claimed, Job, Outcome};
use crate::ops::{self, Core};
use crate::worker::Worker;

/// Makes the worker.
pub(super) fn worker(core: &Arc<Core>, settings: &Settings) -> Worker {
    let channels = Channels::new(Arc::clone(core));
    let run = move |claimed: Claimed| -> BoxFuture<'static, Outcome> {
        let channels = channels.clone();
        async move {
            let done = match claimed.job {
                Job::SendToChannel {
                    conversation,
                    message,
                    receipt,
                    pair,
                } => {
                    let copy = outbound::Copy {
                        conversation,
                        message,
                        receipt,
                        pair,
                    };
                    outbound::send(&channels, copy, claimed.failures).await
                }
                Job::SendPlain { message, .. } => {
                    outbound::send_plain(&channels, message, claimed.failures).await
                }
                Job::ApplyTimers { conversation, .. } => {
                    ops::conversations::apply_timers(&channels.core, conversation).await
                }
                Job::ExpireMedia { media } => ops::media::expire(&channels.core, media).await,
                Job::RemoveMedia { conversation } => {
                    ops::media::remove_bytes(&channels.core, conversation).await
                }
                Job::ForgetReachability { service } => {
                    ops::presence::forget(&channels.core, service).await
                }
                Job::ReceiveFromHandset { account, message } => {
                    ops::handsets::receive(&channels.core, account, message).await
                }
                Job::ReportFromHandset {
                    message,
                    status,
                    error_code,
                } => ops::handsets::report(&channels.core, message, status, error_code).await,
            };
            done.unwrap_or_else(|error| Outcome::Failed(error.inside()))
        }
        .boxed()
    };
    let (clock, work) = (Arc::clone(&core.clock), Arc::clone(&core.work));
    Worker::new(
        core.store.clone(),
        clock,
        work,
        settings.worker.concurrency,
        Arc::new(run),
    )
}
