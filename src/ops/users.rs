//! Users.

use super::record::Change;
use super::services::role_to_give;
use super::{Core, access, accounts};
use crate::domain::MomentKey;
use crate::domain::credentials::CredentialSid;
use crate::domain::roles::RoleType;
use crate::domain::users::{NewUser, UserChanges};
use crate::domain::{
    Actor, ApiKeySid, Ctx, Error, Event, Identity, Origin, Page, PageRequest, ParticipantRef,
    Permission, RoleSid, Search, Timestamp, User, UserRef, UserSid,
};
use crate::store;

/// Creates a user.
///
/// # Errors
/// [`Error::UserExists`]; 50102 for a role that is no service role.
pub async fn create(core: &Core, ctx: &Ctx, new: NewUser) -> Result<User, Error> {
    let mut change = Change::begin(core).await?;
    let (user, is_new) = insert_in(&mut change, ctx, new).await?;
    if !is_new {
        return Err(Error::UserExists);
    }
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
    if let Some(user) = store::users::find(&mut change.tx, ctx.service, &which).await? {
        return Ok(user);
    }
    insert_in(change, ctx, NewUser::of(identity.clone()))
        .await
        .map(|(user, _)| user)
}

/// Inserts a user; when the identity is taken, finds who has it. Answers whether the user is new.
async fn insert_in(
    change: &mut Change<'_>,
    ctx: &Ctx,
    new: NewUser,
) -> Result<(User, bool), Error> {
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
    if store::users::insert(&mut change.tx, &user).await? {
        user.position = change.record_for_user(user.sid, Event::UserAdded).await?;
        return Ok((user, true));
    }
    let which = UserRef::Identity(user.identity.as_str().to_owned());
    let user = store::users::find(&mut change.tx, ctx.service, &which)
        .await?
        .ok_or(Error::Unavailable)?;
    Ok((user, false))
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
    let bearer = accounts::check_token(core, token).await?;
    let mut ctx = Ctx {
        account: bearer.account,
        service: bearer.service,
        actor: Actor::System,
        origin: Origin::Sdk,
        webhooks: true,
    };
    let mut change = Change::begin(core).await?;
    let user = ensure_in(&mut change, &ctx, &bearer.claims.identity).await?;
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
    let mut user = store::users::lock(&mut change.tx, seen.sid)
        .await?
        .ok_or(Error::NotFound)?;
    let before = user.clone();
    changes.friendly_name.apply(&mut user.friendly_name);
    if let Some(attributes) = changes.attributes {
        user.attributes = attributes;
    }
    if let Some(role) = changes.role_sid {
        user.role_sid = role_to_give(&mut change, ctx.service, role, RoleType::Service).await?;
    }
    let renamed = user.friendly_name != before.friendly_name;
    let redescribed = user.attributes != before.attributes;
    if !renamed && !redescribed && user.role_sid == before.role_sid {
        return Ok(before);
    }
    user.position = change.record_for_user(user.sid, Event::UserUpdated).await?;
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
    let mut change = Change::begin(core).await?;
    let user = access::user(&mut change.tx, ctx, which).await?;
    let memberships =
        store::memberships::list(&mut change.tx, user.sid, None, false, i64::MAX).await?;
    // All rows are locked before the first is changed, in the order of their SIDs.
    let mut left = Vec::with_capacity(memberships.len());
    for membership in memberships {
        if let Some(conversation) =
            store::conversations::lock(&mut change.tx, membership.conversation_sid).await?
        {
            left.push((conversation, membership.participant_sid));
        }
    }
    for (conversation, participant) in left {
        let which = ParticipantRef::Sid(participant);
        if let Some(participant) =
            store::participants::find(&mut change.tx, conversation.sid, &which).await?
        {
            super::participants::remove_in(&mut change, &conversation, &participant).await?;
        }
    }
    store::bindings::delete_all(&mut change.tx, ctx.service, &user.identity).await?;
    store::users::delete(&mut change.tx, user.sid).await?;
    change.commit().await
}
