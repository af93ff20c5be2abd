//! `…/ParticipantConversations`: where an identity or an address takes part.

use axum::extract::{RawQuery, State};
use schemars::JsonSchema;
use serde::Serialize;

use super::Rest;
use super::caller::Caller;
use super::conversations::Timers;
use super::error::ApiResult;
use super::form::Fields;
use super::pages::{Asked, Listed, lists};
use super::params::{Param, text};
use super::resource::Moment;
use crate::domain::memberships::{FoundBy, Participation, ParticipationKey};
use crate::domain::{
    AccountSid, Address, Attributes, ConversationSid, Identity, Invalid, ParticipantSid,
    ServiceSid, State as Life, UserSid,
};
use crate::ops;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "participant_conversation")]
pub(super) struct View {
    account_sid: AccountSid,
    chat_service_sid: ServiceSid,
    participant_sid: ParticipantSid,
    participant_user_sid: Option<UserSid>,
    participant_identity: Option<Identity>,
    participant_messaging_binding: Option<Binding>,
    conversation_sid: ConversationSid,
    conversation_unique_name: Option<String>,
    conversation_friendly_name: Option<String>,
    conversation_attributes: Attributes,
    conversation_date_created: Moment,
    conversation_date_updated: Moment,
    conversation_created_by: String,
    conversation_state: Life,
    conversation_timers: Timers,
    links: Links,
}

/// Here all six keys are printed, whether they have a value or not.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "participant_conversation_binding")]
struct Binding {
    #[serde(rename = "type")]
    channel: &'static str,
    address: Option<Address>,
    proxy_address: Option<Address>,
    projected_address: Option<Address>,
    level: Option<String>,
    name: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "participant_conversation_links")]
struct Links {
    participant: String,
    conversation: String,
}

fn view(caller: &Caller, found: Participation) -> View {
    let row = found.conversation;
    let conversation = format!("{}/Conversations/{}", caller.scope(), row.sid);
    let reached_at = found.address.as_ref().or(found.projected_address.as_ref());
    let channel = reached_at.map(Address::channel);
    View {
        account_sid: row.account_sid,
        chat_service_sid: row.service_sid,
        participant_sid: found.participant_sid,
        participant_user_sid: found.user_sid,
        participant_identity: found.identity,
        participant_messaging_binding: channel.map(|channel| Binding {
            channel: channel.as_str(),
            address: found.address,
            proxy_address: found.proxy_address,
            projected_address: found.projected_address,
            level: None,
            name: None,
        }),
        conversation_sid: row.sid,
        conversation_timers: Timers::from(&row),
        conversation_unique_name: row.unique_name,
        conversation_friendly_name: row.friendly_name,
        conversation_attributes: row.attributes,
        conversation_date_created: row.date_created.into(),
        conversation_date_updated: row.date_updated.into(),
        conversation_created_by: row.created_by,
        conversation_state: row.state,
        links: Links {
            participant: format!("{conversation}/Participants/{}", found.participant_sid),
            conversation,
        },
    }
}

/// Who is looked for: one of the two.
pub(super) const FILTERS: &[Param] = &[text("Identity"), text("Address")];

/// `GET …/ParticipantConversations`
pub(super) async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    query: RawQuery,
) -> ApiResult<Listed<View>> {
    let mut query = Fields::query(query, FILTERS)?;
    let [identity, address] = ["Identity", "Address"].map(|name| query.take_filled(name));
    let given = [("Identity", identity.clone()), ("Address", address.clone())];
    let by = match (identity, address) {
        (Some(identity), None) => FoundBy::Identity(identity),
        (None, Some(address)) => FoundBy::Address(address),
        (Some(_), Some(_)) => return Err(Invalid::IdentityAndAddress.into()),
        (None, None) => {
            return Err(Invalid::Parameter {
                name: "Identity",
                wants: "an identity, or else an Address",
            }
            .into());
        }
    };
    let url = format!("{}/ParticipantConversations", caller.scope());
    let asked: Asked<ParticipationKey> =
        Asked::read(lists::OWN_CONVERSATIONS, url, &mut query, &given)?;
    let page = ops::memberships::find(&rest.core, &caller.ctx, &by, &asked.page).await?;
    Ok(asked.answer(page, |found| view(&caller, found)))
}
