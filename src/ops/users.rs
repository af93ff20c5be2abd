//! Users.

use std::collections::HashMap;

use super::record::Change;
use super::services::role_to_give;
use super::{Core, access, accounts};
use crate::domain::MomentKey;
use crate::domain::credentials::CredentialSid;
use crate::domain::participants::Membership;
use crate::domain::roles::RoleType;
use crate::domain::users::{NewUser, UserChanges};
use crate::domain::{
    Actor, ApiKeySid, Ctx, Error, Event, Identity, Origin, Page, PageRequest, ParticipantRef,
    Permission, RoleSid, Search, Timestamp, TokenFault, User, UserRef, UserSid,
};
use crate::store::{self, OnConstraint as _};

/// Creates a user.
///
/// # Errors
/// [`Error::UserExists`], [`Error::NotFound`] when the service was deleted meanwhile; 50102 for a role that is no service
/// role.
pub async fn create(core: &Core, ctx: &Ctx, new: NewUser) -> Result<User, Error> {
    let mut change = Change::begin(core).await?;
    let user = insert_in(&mut change, ctx, new)
        .await?
        .ok_or(Error::UserExists)?;
    change.commit().await?;
    Ok(user)
}

/// Finds the user of an identity, or creates it: an identity is known from the first time it is met.
pub(super) async fn ensure_in(
    change: &mut Change<'_>,
    ctx: &Ctx,
    identity: &Identity,
) -> Result<User, Error> {
    let which = UserRef::Identity(identity.as_str().to_owned());
    loop {
        if let Some(user) = store::users::find(&mut change.tx, ctx.service, &which).await? {
            return Ok(user);
        }
        if let Some(user) = insert_in(change, ctx, NewUser::of(identity.clone())).await? {
            return Ok(user);
        }
        // Somebody else created it since we looked, and may have deleted it again.
    }
}

/// The same, and holds the user's row: who deletes the user waits until the change ends, and sees then what it did.
pub(super) async fn hold_in(
    change: &mut Change<'_>,
    ctx: &Ctx,
    identity: &Identity,
) -> Result<User, Error> {
    loop {
        let held = store::users::lock_identity(&mut change.tx, ctx.service, identity).await?;
        if let Some(user) = held {
            return Ok(user);
        }
        if let Some(user) = insert_in(change, ctx, NewUser::of(identity.clone())).await? {
            return Ok(user);
        }
    }
}

/// Inserts a user; none when the identity is taken.
async fn insert_in(
    change: &mut Change<'_>,
    ctx: &Ctx,
    new: NewUser,
) -> Result<Option<User>, Error> {
    let role_sid = match new.role_sid {
        Some(sid) => role_to_give(change, ctx.service, sid, RoleType::Service).await?,
        None => default_role(change, ctx).await?,
    };
    let mut user = User {
        sid: UserSid::new(change.now),
        account_sid: ctx.account.sid,
        service_sid: ctx.service,
        identity: new.identity,
        friendly_name: new.friendly_name,
        attributes: new.attributes,
        role_sid,
        position: 0,
        conversations_position: 0,
        friendly_name_position: 0,
        attributes_position: 0,
        is_online: None,
        is_notifiable: None,
        reachability_position: 0,
        date_created: change.now,
        date_updated: change.now,
    };
    let is_new = store::users::insert(&mut change.tx, &user)
        .await
        .on_constraint("users_service_sid_fkey", || Error::NotFound)?;
    if !is_new {
        return Ok(None);
    }
    let position = change.record_for_user(user.sid, Event::UserAdded).await?;
    user.position = position.ok_or(Error::NotFound)?;
    Ok(Some(user))
}

async fn default_role(change: &mut Change<'_>, ctx: &Ctx) -> Result<RoleSid, Error> {
    let service = store::services::find(&mut change.tx, ctx.account.sid, ctx.service).await?;
    service
        .map(|service| service.default_chat_service_role_sid)
        .ok_or(Error::NotFound)
}

/// Somebody with a good access token.
#[derive(Debug)]
pub struct SignedIn {
    /// The user.
    pub user: UserSid,
    /// The occasion of everything that is asked for with the token.
    pub ctx: Ctx,
    /// The key that signed the token.
    pub key: ApiKeySid,
    /// Until when the token is good.
    pub expires: Timestamp,
    /// Whether the service keeps who is online.
    pub reachability_enabled: bool,
    /// What the user's devices are pushed to with.
    pub push_credential: Option<CredentialSid>,
}

/// Checks an access token, and finds or creates the user whom it names.
///
/// # Errors
/// [`Error::Token`].
pub async fn sign_in(core: &Core, token: &str) -> Result<SignedIn, Error> {
    admit(core, token, None).await
}

/// Checks the access token of a client that has signed in before, as a user whom the token must mean, too. Creates
/// nobody: whoever was deleted does not come back by a client that has not heard of it.
///
/// # Errors
/// [`Error::Token`], also for a token of another identity, or of this one when its user was deleted since.
pub async fn sign_in_again(core: &Core, token: &str, user: UserSid) -> Result<SignedIn, Error> {
    admit(core, token, Some(user)).await
}

async fn admit(core: &Core, token: &str, before: Option<UserSid>) -> Result<SignedIn, Error> {
    let bearer = accounts::check_token(core, token).await?;
    let mut ctx = Ctx {
        account: bearer.account,
        service: bearer.service,
        actor: Actor::System,
        origin: Origin::Sdk,
        webhooks: true,
    };
    let mut change = Change::begin(core).await?;
    let identity = &bearer.claims.identity;
    let user = match before {
        None => ensure_in(&mut change, &ctx, identity).await?,
        Some(sid) => {
            let which = UserRef::Identity(identity.as_str().to_owned());
            let user = store::users::find(&mut change.tx, ctx.service, &which).await?;
            user.filter(|user| user.sid == sid)
                .ok_or(TokenFault::OtherUser)?
        }
    };
    change.commit().await?;
    ctx.actor = Actor::User {
        sid: user.sid,
        identity: user.identity,
    };
    Ok(SignedIn {
        user: user.sid,
        ctx,
        key: bearer.key,
        expires: bearer.claims.expires,
        reachability_enabled: bearer.reachability_enabled,
        push_credential: bearer.claims.push_credential,
    })
}

/// Fetches a user.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn fetch(core: &Core, ctx: &Ctx, which: &UserRef) -> Result<User, Error> {
    let mut conn = core.store.visit().await?;
    access::user(&mut conn, ctx, which).await
}

/// Lists the service's users, newest first; only those who can be found by all the words, if any are wanted.
///
/// # Errors
/// As the database.
pub async fn list(
    core: &Core,
    ctx: &Ctx,
    search: Option<&Search>,
    asked: &PageRequest<MomentKey>,
) -> Result<Page<User, MomentKey>, Error> {
    let mut conn = core.store.visit().await?;
    let rows = store::users::list(&mut conn, ctx.service, search, asked).await?;
    Ok(Page::from_rows(rows, asked, |user| {
        (user.date_created, user.sid.uuid())
    }))
}

/// Changes a user. What changes nothing is no event.
///
/// # Errors
/// [`Error::NotFound`], [`Error::NotPermitted`]; 50102 for a role that is no service role.
pub async fn update(
    core: &Core,
    ctx: &Ctx,
    which: &UserRef,
    changes: UserChanges,
) -> Result<User, Error> {
    let mut change = Change::begin(core).await?;
    let seen = access::user(&mut change.tx, ctx, which).await?;
    if let Actor::User { sid, .. } = &ctx.actor {
        let wanted = if *sid == seen.sid {
            Permission::EditOwnUserInfo
        } else {
            Permission::EditAnyUserInfo
        };
        access::service_permission(&mut change.tx, ctx, wanted).await?;
    }
    // The role comes before the user, as whoever deletes the service locks them.
    let role_sid = match changes.role_sid {
        Some(sid) => Some(role_to_give(&mut change, ctx.service, sid, RoleType::Service).await?),
        None => None,
    };
    let mut user = store::users::lock(&mut change.tx, seen.sid)
        .await?
        .ok_or(Error::NotFound)?;
    let before = user.clone();
    changes.friendly_name.apply(&mut user.friendly_name);
    if let Some(attributes) = changes.attributes {
        user.attributes = attributes;
    }
    user.role_sid = role_sid.unwrap_or(user.role_sid);
    let renamed = user.friendly_name != before.friendly_name;
    let redescribed = user.attributes != before.attributes;
    if !renamed && !redescribed && user.role_sid == before.role_sid {
        return Ok(before);
    }
    let position = change.record_for_user(user.sid, Event::UserUpdated).await?;
    user.position = position.ok_or(Error::NotFound)?;
    if renamed {
        user.friendly_name_position = user.position;
    }
    if redescribed {
        user.attributes_position = user.position;
    }
    user.date_updated = change.now;
    store::users::update(&mut change.tx, &user).await?;
    change.commit().await?;
    Ok(user)
}

/// Deletes a user, who thereby leaves all conversations; what the user wrote stays.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn remove(core: &Core, ctx: &Ctx, which: &UserRef) -> Result<(), Error> {
    loop {
        let mut change = Change::begin(core).await?;
        if remove_in(&mut change, ctx, which).await? {
            return change.commit().await;
        }
        change.tx.rollback().await?;
    }
}

/// The same inside a change. Answers false, and has changed nothing, when the user joined another conversation before
/// the user's row was held: conversations are locked before users, so it must be begun anew.
async fn remove_in(change: &mut Change<'_>, ctx: &Ctx, which: &UserRef) -> Result<bool, Error> {
    let user = access::user(&mut change.tx, ctx, which).await?;
    // All rows are locked before the first is changed, in the order of their SIDs.
    let mut held = HashMap::new();
    for membership in memberships_in(change, user.sid).await? {
        let sid = membership.conversation_sid;
        if let Some(conversation) = store::conversations::lock(&mut change.tx, sid).await? {
            held.insert(sid, conversation);
        }
    }
    store::users::lock(&mut change.tx, user.sid)
        .await?
        .ok_or(Error::NotFound)?;
    // Whoever joins holds the user too, so from here on there come no more.
    let left = memberships_in(change, user.sid).await?;
    if left
        .iter()
        .any(|one| !held.contains_key(&one.conversation_sid))
    {
        return Ok(false);
    }
    for membership in left {
        let conversation = &held[&membership.conversation_sid];
        let which = ParticipantRef::Sid(membership.participant_sid);
        if let Some(participant) =
            store::participants::find(&mut change.tx, conversation.sid, &which).await?
        {
            super::participants::remove_in(change, conversation, &participant).await?;
        }
    }
    store::bindings::delete_all(&mut change.tx, ctx.service, &user.identity).await?;
    store::users::delete(&mut change.tx, user.sid).await?;
    Ok(true)
}

async fn memberships_in(change: &mut Change<'_>, of: UserSid) -> Result<Vec<Membership>, Error> {
    Ok(store::memberships::list(&mut change.tx, of, None, false, i64::MAX).await?)
}
