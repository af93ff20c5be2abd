//! Devices that want to be pushed to. Nothing is pushed yet, but who wants to be is known.

use serde::Deserialize;
use serde_json::json;
use tracing::debug;

use super::{Answer, Request};
use crate::domain::Error;
use crate::domain::bindings::{BindingSid, Device, message_type};
use crate::ops;

#[derive(Deserialize)]
struct Registration {
    channel_type: String,
    #[serde(default)]
    message_types: Vec<String>,
    data: RegistrationData,
}

#[derive(Deserialize)]
struct RegistrationData {
    registration_id: String,
}

/// `POST /v1/registrations`
pub(super) async fn create(request: &Request<'_>) -> Result<Answer, Error> {
    let wanted: Registration = request.json()?;
    let Ok(device) = Device::new(&wanted.channel_type, wanted.data.registration_id) else {
        // The SDK tries again without end what is refused: such a device is not kept, and only the log says so.
        debug!("a device that cannot be kept wants to be pushed to");
        let nowhere = BindingSid::new(request.core.clock.now());
        return Ok(Answer::Json(201, json!({ "id": nowhere })));
    };
    let mut message_types: Vec<String> = wanted
        .message_types
        .iter()
        .filter_map(|word| message_type(word))
        .map(str::to_owned)
        .collect();
    message_types.sort_unstable();
    message_types.dedup();
    let session = request.session;
    let binding = ops::bindings::register(
        request.core,
        &session.ctx,
        session.push_credential,
        device,
        message_types,
    )
    .await?;
    Ok(Answer::Json(201, json!({ "id": binding.sid })))
}

/// `DELETE /v1/registrations/{id}`. One that is gone is what was wanted.
pub(super) async fn remove(request: &Request<'_>, id: &str) -> Result<Answer, Error> {
    if let Ok(sid) = id.parse() {
        ops::bindings::unregister(request.core, &request.session.ctx, sid).await?;
    }
    Ok(Answer::Nothing)
}

#[derive(Deserialize)]
struct Removal {
    binding_type: String,
    address: String,
}

/// `DELETE /v1/registrations`: the device that the body names.
pub(super) async fn remove_device(request: &Request<'_>) -> Result<Answer, Error> {
    let Removal {
        binding_type,
        address,
    } = request.json()?;
    if let Ok(device) = Device::new(&binding_type, address) {
        ops::bindings::unregister_device(request.core, &request.session.ctx, &device).await?;
    }
    Ok(Answer::Nothing)
}
