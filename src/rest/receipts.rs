//! `…/Messages/{message}/Receipts`.

use axum::Json;
use axum::extract::{RawQuery, State};
use schemars::JsonSchema;
use serde::Serialize;

use super::Rest;
use super::caller::Caller;
use super::error::ApiResult;
use super::form::Fields;
use super::pages::{Asked, Listed, lists};
use super::params;
use super::path::Names;
use super::resource::Moment;
use crate::domain::{
    AccountSid, ConversationSid, MessageSid, MomentKey, ParticipantSid, Receipt, ReceiptSid,
    ReceiptStatus, ServiceSid,
};
use crate::ops;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "receipt")]
pub(super) struct View {
    sid: ReceiptSid,
    account_sid: AccountSid,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat_service_sid: Option<ServiceSid>,
    conversation_sid: ConversationSid,
    message_sid: MessageSid,
    channel_message_sid: String,
    participant_sid: ParticipantSid,
    status: Option<ReceiptStatus>,
    error_code: i32,
    date_created: Moment,
    date_updated: Moment,
    url: String,
}

fn view(caller: &Caller, receipt: Receipt) -> View {
    View {
        sid: receipt.sid,
        account_sid: caller.ctx.account.sid,
        chat_service_sid: caller.shown_service(),
        conversation_sid: receipt.conversation_sid,
        message_sid: receipt.message_sid,
        channel_message_sid: receipt.channel_message_sid,
        participant_sid: receipt.participant_sid,
        status: receipt.status,
        error_code: receipt.error_code,
        date_created: receipt.date_created.into(),
        date_updated: receipt.date_updated.into(),
        url: format!(
            "{}/Conversations/{}/Messages/{}/Receipts/{}",
            caller.scope(),
            receipt.conversation_sid,
            receipt.message_sid,
            receipt.sid
        ),
    }
}

/// The list is never narrowed.
pub(super) const FILTERS: &[params::Param] = params::NONE;

/// `GET …/Receipts`
pub(super) async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    query: RawQuery,
) -> ApiResult<Listed<View>> {
    let (of, message): (_, MessageSid) = (names.conversation()?, names.sid("message")?);
    let conversation = ops::conversations::fetch(&rest.core, &caller.ctx, &of)
        .await?
        .conversation
        .sid;
    let mut query = Fields::query(query, FILTERS)?;
    let url = format!(
        "{}/Conversations/{conversation}/Messages/{message}/Receipts",
        caller.scope()
    );
    let asked: Asked<MomentKey> = Asked::read(lists::RECEIPTS, url, &mut query, &[])?;
    let page = ops::receipts::list(
        &rest.core,
        &caller.ctx,
        &conversation.into(),
        message,
        &asked.page,
    )
    .await?;
    Ok(asked.answer(page, |receipt| view(&caller, receipt)))
}

/// `GET …/Receipts/{receipt}`
pub(super) async fn fetch(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<Json<View>> {
    let (of, message, sid) = (
        names.conversation()?,
        names.sid("message")?,
        names.sid("receipt")?,
    );
    let receipt = ops::receipts::fetch(&rest.core, &caller.ctx, &of, message, sid).await?;
    Ok(Json(view(&caller, receipt)))
}
