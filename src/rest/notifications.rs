//! `/v1/Services/{service}/Configuration/Notifications`.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::Rest;
use super::caller::Caller;
use super::error::ApiResult;
use super::form::Fields;
use super::params::{Param, boolean, short};
use crate::domain::notifications::{
    NewMessage, NotificationChanges, Notifications, Occasion, OccasionChanges, sound, template,
};
use crate::domain::{AccountSid, Error, ServiceSid};
use crate::ops;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "service_notification")]
pub(super) struct View {
    account_sid: AccountSid,
    chat_service_sid: ServiceSid,
    log_enabled: bool,
    new_message: NewMessage,
    added_to_conversation: Occasion,
    removed_from_conversation: Occasion,
    url: String,
}

fn view(caller: &Caller, set: Notifications) -> View {
    View {
        account_sid: caller.ctx.account.sid,
        chat_service_sid: caller.ctx.service,
        log_enabled: set.log_enabled,
        new_message: set.new_message,
        added_to_conversation: set.added_to_conversation,
        removed_from_conversation: set.removed_from_conversation,
        url: format!("{}/Configuration/Notifications", caller.scope()),
    }
}

/// The parameters of an update.
pub(super) const CHANGES: &[Param] = &[
    boolean("LogEnabled"),
    boolean("NewMessage.Enabled"),
    short("NewMessage.Template", 2048),
    short("NewMessage.Sound", 256),
    boolean("NewMessage.BadgeCountEnabled"),
    boolean("AddedToConversation.Enabled"),
    short("AddedToConversation.Template", 2048),
    short("AddedToConversation.Sound", 256),
    boolean("RemovedFromConversation.Enabled"),
    short("RemovedFromConversation.Template", 2048),
    short("RemovedFromConversation.Sound", 256),
    boolean("NewMessage.WithMedia.Enabled"),
    short("NewMessage.WithMedia.Template", 2048),
];

/// An occasion's parameters: enabled, template, and sound where there is one.
fn occasion(
    form: &mut Fields,
    [enabled_name, template_name]: [&'static str; 2],
    sound_name: Option<&str>,
) -> Result<OccasionChanges, Error> {
    Ok(OccasionChanges {
        enabled: form.take_bool(enabled_name)?,
        template: form.take(template_name).map(template).transpose()?,
        sound: sound_name
            .and_then(|name| form.take(name))
            .map(sound)
            .transpose()?,
    })
}

fn read(form: &mut Fields) -> Result<NotificationChanges, Error> {
    Ok(NotificationChanges {
        log_enabled: form.take_bool("LogEnabled")?,
        new_message: occasion(
            form,
            ["NewMessage.Enabled", "NewMessage.Template"],
            Some("NewMessage.Sound"),
        )?,
        badge_count_enabled: form.take_bool("NewMessage.BadgeCountEnabled")?,
        with_media: occasion(
            form,
            [
                "NewMessage.WithMedia.Enabled",
                "NewMessage.WithMedia.Template",
            ],
            None,
        )?,
        added_to_conversation: occasion(
            form,
            [
                "AddedToConversation.Enabled",
                "AddedToConversation.Template",
            ],
            Some("AddedToConversation.Sound"),
        )?,
        removed_from_conversation: occasion(
            form,
            [
                "RemovedFromConversation.Enabled",
                "RemovedFromConversation.Template",
            ],
            Some("RemovedFromConversation.Sound"),
        )?,
    })
}

/// `GET /v1/Services/{service}/Configuration/Notifications`
pub(super) async fn fetch(State(rest): State<Rest>, caller: Caller) -> ApiResult<Json<View>> {
    let set = ops::configuration::fetch_notifications(&rest.core, &caller.ctx).await?;
    Ok(Json(view(&caller, set)))
}

/// `POST /v1/Services/{service}/Configuration/Notifications`
pub(super) async fn update(
    State(rest): State<Rest>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<View>> {
    let changes = read(&mut Fields::read(&headers, body, CHANGES).await?)?;
    if changes == NotificationChanges::default() {
        return Err(Error::NothingToUpdate.into());
    }
    let set = ops::configuration::update_notifications(&rest.core, &caller.ctx, changes).await?;
    Ok(Json(view(&caller, set)))
}
