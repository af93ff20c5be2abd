//! What a client is told when it starts.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::json;

use super::{Answer, Request};
use crate::domain::bases;
use crate::gateway::sync::Object;

/// `GET /Client/v2/Configuration`. Every link is absolute, and the lists must be there, or the SDK does not start.
pub(super) fn fetch(request: &Request<'_>) -> Answer {
    let session = request.session;
    let (base, service) = (&session.base, session.service());
    let identity = session
        .ctx
        .identity()
        .map_or("", |identity| identity.as_str());
    let own = utf8_percent_encode(identity, NON_ALPHANUMERIC);
    let media = format!(
        "{}/v1/Services/{}/Media",
        bases::of_media(base),
        session.ctx.service
    );
    Answer::Json(
        200,
        json!({
            "identity": identity,
            "url": format!("{base}/Client/v2/Configuration"),
            "options": {
                "consumption_report_interval": "PT5S",
                "http_cache_interval": "PT5S",
                "user_infos_to_subscribe": 100,
                "my_conversations_page_size": 100,
                "reachability_enabled": session.present.is_some(),
                "media_attachments_count_limit": 10,
                "media_attachment_size_limit_in_mb": 150,
                "media_attachments_total_size_limit_in_mb": 150,
                "email_bodies_allowed_mime_types": ["text/plain", "text/html"],
                "email_histories_allowed_mime_types": ["text/plain", "text/html"],
            },
            "sync_objects": {
                "my_conversations": Object::OwnConversations(session.user).to_string(),
                "my_user_info": Object::UserInfo(session.user).to_string(),
            },
            "links": {
                "my_conversations": format!("{service}/MyConversations"),
                "conversations": format!("{service}/Conversations"),
                "users": format!("{service}/Users"),
                "current_user": format!("{service}/Users/{own}"),
                "typing": format!("{base}/v1/typing"),
                "media_service": media,
                "media_set_service": format!("{media}Set"),
                "messages_receipts": format!("{service}/Conversations/%s/Messages/%s/Receipts"),
            },
        }),
    )
}
