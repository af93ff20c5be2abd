//! Presence: who is online, for services that have reachability switched on.
//!
//! Nodes tell who is connected to them; what others see of a user changes with the first connection to any node and when
//! the grace after the last one has ended, whichever node finds that. Users are locked before it is looked where they are
//! connected, so a connection that begins and a grace that ends come one after the other.

use std::time::Duration;

use super::Core;
use super::record::Change;
use crate::domain::jobs::{Job, Outcome};
use crate::domain::presence::{BELIEVED_FOR, NodeSid};
use crate::domain::{Error, Event, ServiceSid, Timestamp, User, UserSid};
use crate::store;

/// How many users change in one transaction.
const BATCH: usize = 500;

/// Tells that a node lives. Answers whether it was believed to: otherwise its users must arrive anew.
///
/// # Errors
/// As the database.
pub async fn see_node(core: &Core, node: NodeSid) -> Result<bool, Error> {
    let mut conn = core.store.visit().await?;
    Ok(store::presences::see_node(&mut conn, node, core.clock.now()).await?)
}

/// Tells that users are connected to a node. Those of services that have it switched off by now are left out.
///
/// # Errors
/// As the database.
pub async fn arrive(core: &Core, node: NodeSid, users: &[UserSid]) -> Result<(), Error> {
    for batch in users.chunks(BATCH) {
        let mut change = Change::begin(core).await?;
        let services = store::services::hold_reachable(&mut change.tx, batch).await?;
        if services.is_empty() {
            continue;
        }
        let mut there = store::users::lock_many(&mut change.tx, batch).await?;
        there.retain(|user| services.contains(&user.service_sid));
        store::presences::begin(&mut change.tx, node, &sids(&there)).await?;
        there.retain(|user| user.is_online != Some(true));
        set_online_in(&mut change, &there, true).await?;
        change.commit().await?;
    }
    Ok(())
}

/// Tells that users are connected to a node no longer. Others see it at `offline_at`, unless the users come back.
///
/// # Errors
/// As the database.
pub async fn depart(
    core: &Core,
    node: NodeSid,
    users: &[UserSid],
    offline_at: Timestamp,
) -> Result<(), Error> {
    let mut conn = core.store.visit().await?;
    for batch in users.chunks(BATCH) {
        store::presences::end(&mut conn, node, batch, offline_at).await?;
    }
    Ok(())
}

/// Tells that a node ends, and with it all connections.
///
/// # Errors
/// As the database.
pub async fn leave(core: &Core, node: NodeSid, offline_at: Timestamp) -> Result<(), Error> {
    let mut conn = core.store.visit().await?;
    Ok(store::presences::end_all(&mut conn, node, offline_at).await?)
}

/// Finds nodes that live no longer, whose users have until `offline_at` to come back, and users whose time to come back
/// has ended: these are offline now. Every node may do it, at any time. Answers whether anybody is written down at all.
///
/// # Errors
/// As the database.
pub async fn expire(core: &Core, offline_at: Timestamp) -> Result<bool, Error> {
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    loop {
        let now = core.clock.now();
        let mut conn = core.store.visit().await?;
        let seen_after = now - BELIEVED_FOR;
        let due = store::presences::due(&mut conn, seen_after, offline_at, now, limit).await?;
        drop(conn);
        if due.ended.is_empty() {
            return Ok(due.in_use);
        }
        let mut change = Change::begin(core).await?;
        let users = store::users::lock_many(&mut change.tx, &due.ended).await?;
        let gone = store::presences::delete_ended(&mut change.tx, &sids(&users), now).await?;
        let mut users = users;
        users.retain(|user| user.is_online == Some(true) && gone.contains(&user.sid));
        set_online_in(&mut change, &users, false).await?;
        change.commit().await?;
    }
}

fn sids(of: &[User]) -> Vec<UserSid> {
    of.iter().map(|user| user.sid).collect()
}

/// Shows locked users as online or not.
async fn set_online_in(
    change: &mut Change<'_>,
    users: &[User],
    is_online: bool,
) -> Result<(), Error> {
    if users.is_empty() {
        return Ok(());
    }
    let users = sids(users);
    change.record_for_users(&users, &Event::UserUpdated).await?;
    Ok(store::users::set_online(&mut change.tx, &users, is_online).await?)
}

/// Looks whether a locked user can be pushed to, after a device of the user came or went. While it is not kept who is
/// online, this is not either.
pub(super) async fn devices_changed_in(change: &mut Change<'_>, user: &User) -> Result<(), Error> {
    let Some(before) = user.is_notifiable else {
        return Ok(());
    };
    let tx = &mut change.tx;
    let is_notifiable = store::bindings::exist(tx, user.service_sid, &user.identity).await?;
    if is_notifiable != before {
        change.record_for_user(user.sid, Event::UserUpdated).await?;
        store::users::set_notifiable(&mut change.tx, user.sid, is_notifiable).await?;
    }
    Ok(())
}

/// Has every node tell anew who is connected to it, as part of switching reachability on: who was connected when it was
/// switched off may still be.
pub(super) async fn begin_in(change: &mut Change<'_>) -> Result<(), Error> {
    Ok(store::presences::forget_nodes(&mut change.tx).await?)
}

/// Forgets who is online in a service, as part of switching reachability off.
///
/// In batches, so that a big service does not hold its users for long: the first with the change, the rest by a job.
pub(super) async fn forget_in(change: &mut Change<'_>, of: ServiceSid) -> Result<(), Error> {
    if forget_batch_in(change, of).await? {
        return Ok(());
    }
    let now = change.now;
    change
        .enqueue(&[Job::ForgetReachability { service: of }], now)
        .await
}

/// Forgets the next of those who are online in a service that has reachability switched off: the job of that name.
///
/// If it was switched on meanwhile, those left are online until their nodes say so again or their grace ends, as all.
///
/// # Errors
/// As the database.
pub async fn forget(core: &Core, of: ServiceSid) -> Result<Outcome, Error> {
    let mut change = Change::begin(core).await?;
    if !store::services::hold_unreachable(&mut change.tx, of).await? {
        return Ok(Outcome::Done);
    }
    let all = forget_batch_in(&mut change, of).await?;
    change.commit().await?;
    Ok(if all {
        Outcome::Done
    } else {
        Outcome::Again(Duration::ZERO)
    })
}

/// Answers whether nobody is left.
async fn forget_batch_in(change: &mut Change<'_>, of: ServiceSid) -> Result<bool, Error> {
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let count = store::users::forget_reachability(&mut change.tx, of, limit).await?;
    Ok(count < BATCH as u64)
}
