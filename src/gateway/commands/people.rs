//! Participants and users over the socket.

use serde::Deserialize;
use serde_json::{Value, json};

use super::conversations::named;
use super::{Answer, Request};
use crate::domain::attributes::{MAX_LARGE_BYTES, MAX_SMALL_BYTES};
use crate::domain::participants::{NewBinding, NewParticipant, ParticipantChanges};
use crate::domain::users::UserChanges;
use crate::domain::{
    Attributes, Error, Field, Participant, ParticipantRef, User, UserRef, friendly_name, time,
};
use crate::gateway::sync::Object;
use crate::ops;

fn participant(text: &str) -> ParticipantRef {
    let Ok(which) = text.parse();
    which
}

fn user_ref(text: &str) -> UserRef {
    let Ok(which) = text.parse();
    which
}

fn print(request: &Request<'_>, of: &Participant) -> Value {
    let ctx = &request.session.ctx;
    let conversation = format!(
        "{}/Conversations/{}",
        request.session.service(),
        of.conversation_sid
    );
    let binding = of.channel().map(|channel| {
        json!({ "type": channel.as_str(), "address": of.address, "proxy_address": of.proxy_address })
    });
    json!({
        "sid": of.sid,
        "account_sid": ctx.account.sid,
        "chat_service_sid": ctx.service,
        "conversation_sid": of.conversation_sid,
        "identity": of.identity,
        "attributes": of.attributes,
        "role_sid": of.role_sid,
        "messaging_binding": binding,
        "date_created": time::print(of.date_created),
        "date_updated": time::print(of.date_updated),
        "url": format!("{conversation}/Participants/{}", of.sid),
        "links": { "conversation": conversation },
    })
}

#[derive(Deserialize)]
struct New {
    identity: Option<String>,
    attributes: Option<String>,
    messaging_binding: Option<Binding>,
}

#[derive(Deserialize)]
struct Binding {
    address: Option<String>,
    proxy_address: Option<String>,
}

fn attributes(text: Option<String>) -> Result<Option<Attributes>, Error> {
    text.map(|text| Attributes::parse(text, MAX_SMALL_BYTES))
        .transpose()
}

/// `POST …/Participants`: joining, for the own identity.
pub(super) async fn add(request: &Request<'_>, to: &str) -> Result<Answer, Error> {
    let new: New = request.json()?;
    let binding = new.messaging_binding.as_ref();
    let address = binding.and_then(|binding| binding.address.as_deref());
    let proxy = binding.and_then(|binding| binding.proxy_address.as_deref());
    let new = NewParticipant {
        attributes: attributes(new.attributes)?.unwrap_or_default(),
        ..NewParticipant::of(NewBinding::parse(new.identity, address, proxy, None)?)
    };
    let (core, ctx, to) = (request.core, &request.session.ctx, named(to));
    let added = match request.repeatable() {
        Some(sid) => ops::participants::add_once(core, ctx, &to, sid, new).await,
        None => ops::participants::add(core, ctx, &to, new).await,
    };
    match added {
        Ok(added) => Ok(Answer::Json(201, print(request, &added))),
        Err(Error::ParticipantRepeated(conversation, sid)) => {
            let path = format!("Conversations/{conversation}/Participants/{sid}");
            Ok(request.done_before(&path))
        }
        Err(refusal) => Err(refusal),
    }
}

/// `GET …/Participants/{participant}`
pub(super) async fn fetch(request: &Request<'_>, of: &str, which: &str) -> Result<Answer, Error> {
    let ctx = &request.session.ctx;
    let found =
        ops::participants::fetch(request.core, ctx, &named(of), &participant(which)).await?;
    Ok(Answer::Json(200, print(request, &found)))
}

#[derive(Deserialize)]
struct Changes {
    attributes: Option<String>,
}

/// `POST …/Participants/{participant}`
pub(super) async fn update(request: &Request<'_>, of: &str, which: &str) -> Result<Answer, Error> {
    let wanted: Changes = request.json()?;
    let changes = ParticipantChanges {
        attributes: Some(attributes(wanted.attributes)?.ok_or(Error::NothingToUpdate)?),
        ..ParticipantChanges::default()
    };
    let ctx = &request.session.ctx;
    let changed =
        ops::participants::update(request.core, ctx, &named(of), &participant(which), changes)
            .await?;
    Ok(Answer::Json(200, print(request, &changed)))
}

/// `DELETE …/Participants/{participant}`: leaving, for the own identity.
pub(super) async fn remove(request: &Request<'_>, of: &str, which: &str) -> Result<Answer, Error> {
    let ctx = &request.session.ctx;
    ops::participants::remove(request.core, ctx, &named(of), &participant(which)).await?;
    Ok(Answer::Nothing)
}

fn print_user(request: &Request<'_>, of: &User) -> Value {
    json!({
        "sid": of.sid,
        "account_sid": of.account_sid,
        "chat_service_sid": of.service_sid,
        "identity": of.identity,
        "friendly_name": of.friendly_name,
        "attributes": of.attributes,
        "role_sid": of.role_sid,
        "date_created": time::print(of.date_created),
        "date_updated": time::print(of.date_updated),
        "url": format!("{}/Users/{}", request.session.service(), of.sid),
        "sync_objects": { "user_info_map": Object::UserInfo(of.sid).to_string() },
    })
}

/// `GET …/Users/{user}`
pub(super) async fn user(request: &Request<'_>, which: &str) -> Result<Answer, Error> {
    let user = ops::users::fetch(request.core, &request.session.ctx, &user_ref(which)).await?;
    Ok(Answer::Json(200, print_user(request, &user)))
}

#[derive(Deserialize)]
struct ChangesOfUser {
    friendly_name: Option<String>,
    attributes: Option<String>,
}

/// `POST …/Users/{user}`
pub(super) async fn update_user(request: &Request<'_>, which: &str) -> Result<Answer, Error> {
    let wanted: ChangesOfUser = request.json()?;
    if wanted.friendly_name.is_none() && wanted.attributes.is_none() {
        return Err(Error::NothingToUpdate);
    }
    let changes = UserChanges {
        friendly_name: wanted
            .friendly_name
            .map_or(Field::Keep, Field::Set)
            .try_map(friendly_name)?,
        attributes: wanted
            .attributes
            .map(|text| Attributes::parse(text, MAX_LARGE_BYTES))
            .transpose()?,
        role_sid: None,
    };
    let ctx = &request.session.ctx;
    let user = ops::users::update(request.core, ctx, &user_ref(which), changes).await?;
    Ok(Answer::Json(200, print_user(request, &user)))
}
