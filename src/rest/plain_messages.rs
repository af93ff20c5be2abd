//! `/2010-04-01/Accounts/{account}/Messages`: plain messages, outside of conversations.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use chrono::TimeDelta;
use schemars::JsonSchema;
use serde::Serialize;

use super::Rest;
use super::account_paths::InAccount;
use super::error::ApiResult;
use super::form::Fields;
use super::pages::{Asked, OldListed};
use super::params::{Param, boolean, integer, json, moment, sid, text, url, word};
use super::resource::{Created, OldMoment};
use crate::domain::plain_messages::{self, Filter, PlainMessage, meaning};
use crate::domain::{
    AccountSid, Address, Error, Invalid, MessagingServiceSid, MomentKey, Timestamp, time,
};
use crate::ops;

/// A plain message. Nothing costs anything here, so it has no price.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "plain_message")]
pub(super) struct View {
    sid: String,
    account_sid: AccountSid,
    messaging_service_sid: Option<MessagingServiceSid>,
    direction: String,
    from: Address,
    to: Address,
    body: Option<String>,
    num_segments: String,
    num_media: String,
    status: &'static str,
    error_code: Option<i32>,
    error_message: Option<&'static str>,
    price: Option<String>,
    price_unit: Option<String>,
    api_version: &'static str,
    date_created: OldMoment,
    date_sent: Option<OldMoment>,
    date_updated: OldMoment,
    uri: String,
    subresource_uris: SubresourceUris,
}

/// Nothing lies below a plain message here.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "plain_message_subresource_uris")]
struct SubresourceUris {}

fn view(within: &InAccount, message: PlainMessage) -> View {
    let sid = message.printed_sid();
    let error_code = Some(message.error_code).filter(|code| *code != 0);
    View {
        uri: within.path(&format!("Messages/{sid}.json")),
        sid,
        account_sid: message.account_sid,
        messaging_service_sid: message.messaging_service_sid,
        status: message.status_word(),
        direction: message.direction,
        from: message.from_address,
        to: message.to_address,
        body: message.body,
        num_segments: message.segments.to_string(),
        num_media: message.media_urls.len().to_string(),
        error_code,
        error_message: error_code.and_then(meaning),
        price: None,
        price_unit: None,
        api_version: "2010-04-01",
        date_created: message.date_created.into(),
        date_sent: message.date_sent.map(Into::into),
        date_updated: message.date_updated.into(),
        subresource_uris: SubresourceUris {},
    }
}

/// The parameters of a new message. What only Twilio's own network knows (prices, risk checks, link shortening, retention
/// and the like) is taken and changes nothing.
pub(super) const NEW: &[Param] = &[
    text("To").required(),
    text("From"),
    sid("MessagingServiceSid", "MG"),
    text("Body"),
    url("MediaUrl").repeated(),
    // These would change what is sent, or when: they are refused.
    sid("ContentSid", "HX"),
    json("ContentVariables"),
    word("ScheduleType", &["fixed"]),
    moment("SendAt"),
    // These change nothing.
    url("StatusCallback"),
    sid("ApplicationSid", "AP"),
    text("MaxPrice"),
    boolean("ProvideFeedback"),
    integer("Attempt"),
    integer("ValidityPeriod"),
    boolean("ForceDelivery"),
    word("ContentRetention", &["retain", "discard"]),
    word("AddressRetention", &["retain", "obfuscate"]),
    boolean("SmartEncoded"),
    text("PersistentAction").repeated(),
    word("TrafficType", &["free"]),
    boolean("ShortenUrls"),
    boolean("SendAsMms"),
    word("RiskCheck", &["enable", "disable"]),
    text("FallbackFrom"),
];
/// What narrows the list.
pub(super) const FILTERS: &[Param] = &[
    text("To"),
    text("From"),
    moment("DateSent"),
    moment("DateSent<"),
    moment("DateSent>"),
];

/// Refuses what would be answered with another message than the one asked for, or another time.
fn refuse_unknown_ways(form: &mut Fields) -> Result<(), Error> {
    for name in ["ContentSid", "ScheduleType", "SendAt"] {
        if form.take_filled(name).is_some() {
            let wants = "nothing: plain messages have a body or media, and go at once";
            return Err(Invalid::Parameter { name, wants }.into());
        }
    }
    Ok(())
}

/// `POST …/Messages.json`
pub(super) async fn create(
    State(rest): State<Rest>,
    within: InAccount,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Created<View>> {
    let mut form = Fields::read(&headers, body, NEW).await?;
    refuse_unknown_ways(&mut form)?;
    let asked = plain_messages::Asked {
        to: form.take_filled("To"),
        from: form.take_filled("From"),
        service: form.take_filled("MessagingServiceSid"),
        body: form.take_filled("Body"),
        media_urls: form.take_list("MediaUrl").unwrap_or_default(),
    };
    let wanted = asked.check()?;
    let message = ops::plain_messages::create(&rest.core, &within.account, wanted).await?;
    Ok(Created(view(&within, message)))
}

/// A day of the list's filter, or a moment: when it begins, and when it is over.
fn span(name: &'static str, text: &str) -> Result<(Timestamp, Timestamp), Error> {
    const DAY: usize = "YYYY-MM-DD".len();
    let wants = "a date, or a date and time";
    let begins = time::parse(text).ok_or(Invalid::Parameter { name, wants })?;
    let lasts = if text.len() <= DAY {
        TimeDelta::days(1)
    } else {
        TimeDelta::seconds(1)
    };
    let ends = begins.checked_add_signed(lasts);
    Ok((begins, ends.ok_or(Invalid::Parameter { name, wants })?))
}

/// The bounds of `DateSent` (a day, whatever the time in it, because the libraries send one), `DateSent<` and
/// `DateSent>`, which both include what they name.
fn sent(day: Option<&str>, until: Option<&str>, from: Option<&str>) -> Result<Filter, Error> {
    let mut filter = Filter::default();
    if let Some(text) = day {
        let (begins, ends) = span("DateSent", text.get(..10).unwrap_or(text))?;
        (filter.sent_from, filter.sent_before) = (Some(begins), Some(ends));
    }
    if let Some(text) = from {
        let (begins, _) = span("DateSent>", text)?;
        filter.sent_from = filter.sent_from.max(Some(begins));
    }
    if let Some(text) = until {
        let (_, ends) = span("DateSent<", text)?;
        filter.sent_before = Some(filter.sent_before.map_or(ends, |before| before.min(ends)));
    }
    Ok(filter)
}

/// `GET …/Messages.json`
pub(super) async fn list(
    State(rest): State<Rest>,
    within: InAccount,
    query: RawQuery,
) -> ApiResult<OldListed<View>> {
    let mut query = Fields::query(query, FILTERS)?;
    let filters = ["To", "From", "DateSent", "DateSent<", "DateSent>"]
        .map(|name| (name, query.take_filled(name)));
    let [to, from, day, until, since] = filters.each_ref().map(|(_, value)| value.as_deref());
    let filter = Filter {
        to: to.map(str::to_owned),
        from: from.map(str::to_owned),
        ..sent(day, until, since)?
    };
    let path = within.path("Messages.json");
    let asked: Asked<MomentKey> = Asked::read_old("messages", path, &mut query, &filters)?;
    let page = ops::plain_messages::list(&rest.core, within.sid(), &filter, &asked.page).await?;
    Ok(asked.answer_old(page, |message| view(&within, message)))
}

/// `GET …/Messages/{message}.json`
pub(super) async fn fetch(State(rest): State<Rest>, within: InAccount) -> ApiResult<Json<View>> {
    let text = within.names.before_json("message")?;
    let sid = plain_messages::sid(text).ok_or(Error::NotFound)?;
    let message = ops::plain_messages::fetch(&rest.core, within.sid(), sid).await?;
    Ok(Json(view(&within, message)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(day: Option<&str>, until: Option<&str>, from: Option<&str>) -> [Option<String>; 2] {
        let filter = sent(day, until, from).expect("bounds");
        [filter.sent_from, filter.sent_before].map(|moment| moment.map(time::print))
    }

    #[test]
    fn dates_are_whole_days_and_include_what_they_name() {
        let some = |text: &str| Some(text.to_owned());
        let day = [some("2024-01-02T00:00:00Z"), some("2024-01-03T00:00:00Z")];
        assert_eq!(bounds(Some("2024-01-02"), None, None), day);
        assert_eq!(bounds(Some("2024-01-02T11:22:33Z"), None, None), day);
        assert_eq!(
            bounds(None, Some("2024-01-02"), Some("2024-01-01T10:00:00Z")),
            [some("2024-01-01T10:00:00Z"), some("2024-01-03T00:00:00Z")]
        );
        assert_eq!(
            bounds(None, Some("2024-01-02T10:00:00Z"), None),
            [None, some("2024-01-02T10:00:01Z")]
        );
        for text in ["", "yesterday", "2024-13-01", "ü2024-01-02"] {
            assert!(sent(Some(text), None, None).is_err(), "{text}");
        }
    }
}
