//! `…/Conversations`.

use axum::Json;
use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use super::Rest;
use super::caller::Caller;
use super::error::{ApiError, ApiResult};
use super::extensions::{self, Given};
use super::form::Fields;
use super::pages::{Asked, Listed, lists};
use super::params::{Param, WEBHOOKS, duration, json, moment, short, sid, text, word};
use super::path::Names;
use super::resource::{Created, Moment, NoContent};
use crate::domain::attributes::MAX_LARGE_BYTES;
use crate::domain::conversations::{ConversationChanges, ConversationFilter, unique_name};
use crate::domain::time;
use crate::domain::timers::Timer;
use crate::domain::{
    AccountSid, Attributes, Conversation, ConversationSid, Error, Invalid, MessagingServiceSid,
    MomentKey, Page, ServiceSid, State as Life, friendly_name,
};
use crate::ops;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "conversation")]
pub(super) struct View {
    #[serde(flatten)]
    own: Own,
    links: Links,
}

/// What is printed of a conversation itself, whatever the links.
#[derive(Serialize, JsonSchema)]
pub(super) struct Own {
    sid: ConversationSid,
    account_sid: AccountSid,
    chat_service_sid: ServiceSid,
    messaging_service_sid: Option<MessagingServiceSid>,
    friendly_name: Option<String>,
    unique_name: Option<String>,
    attributes: Attributes,
    state: Life,
    date_created: Moment,
    date_updated: Moment,
    timers: Timers,
    bindings: Bindings,
    pub(super) url: String,
}

/// Each end is there only while its timer runs.
#[derive(Serialize, JsonSchema)]
pub(super) struct Timers {
    #[serde(skip_serializing_if = "Option::is_none")]
    date_inactive: Option<Moment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    date_closed: Option<Moment>,
}

#[derive(Serialize, JsonSchema)]
struct Bindings {
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<EmailBinding>,
}

#[derive(Serialize, JsonSchema)]
struct EmailBinding {
    #[serde(rename = "projected_address")]
    address: Option<String>,
    name: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "conversation_links")]
struct Links {
    participants: String,
    messages: String,
    webhooks: String,
    export: String,
}

impl From<&Conversation> for Timers {
    fn from(row: &Conversation) -> Self {
        Self {
            date_inactive: row.date_inactive().map(Moment::from),
            date_closed: row.date_closed().map(Moment::from),
        }
    }
}

fn view(caller: &Caller, row: Conversation) -> View {
    let own = own(caller, row);
    let link = |name: &str| format!("{}/{name}", own.url);
    View {
        links: Links {
            participants: link("Participants"),
            messages: link("Messages"),
            webhooks: link("Webhooks"),
            export: link("Export"),
        },
        own,
    }
}

pub(super) fn own(caller: &Caller, row: Conversation) -> Own {
    Own {
        url: format!("{}/Conversations/{}", caller.scope(), row.sid),
        sid: row.sid,
        account_sid: row.account_sid,
        chat_service_sid: row.service_sid,
        messaging_service_sid: row.messaging_service_sid,
        state: row.state,
        date_created: row.date_created.into(),
        date_updated: row.date_updated.into(),
        timers: Timers::from(&row),
        bindings: Bindings {
            email: (row.email_address.is_some() || row.email_name.is_some()).then_some(
                EmailBinding {
                    address: row.email_address,
                    name: row.email_name,
                },
            ),
        },
        friendly_name: row.friendly_name,
        unique_name: row.unique_name,
        attributes: row.attributes,
    }
}

/// The parameters of a conversation, at creation and in an update.
pub(super) const WANTED: &[Param] = &[
    WEBHOOKS,
    short("FriendlyName", 256),
    short("UniqueName", 256),
    json("Attributes"),
    sid("MessagingServiceSid", "MG"),
    word("State", &["active", "inactive", "closed", "initializing"]),
    duration("Timers.Inactive"),
    duration("Timers.Closed"),
    moment("DateCreated"),
    moment("DateUpdated"),
    text("Bindings.Email.Address"),
    text("Bindings.Email.Name"),
];
/// What narrows the list, and orders it.
pub(super) const FILTERS: &[Param] = &[
    moment("StartDate"),
    moment("EndDate"),
    word("State", &["active", "inactive", "closed", "initializing"]),
    extensions::SEARCH,
    extensions::SORT_BY,
    extensions::ORDER,
    extensions::TOTAL,
];

/// Reads what is said of a conversation.
pub(super) fn read(form: &mut Fields) -> Result<ConversationChanges, Error> {
    let messaging_service_sid = form.take_filled("MessagingServiceSid");
    Ok(ConversationChanges {
        friendly_name: form.take_field("FriendlyName").try_map(friendly_name)?,
        unique_name: form.take_field("UniqueName").try_map(unique_name)?,
        attributes: form
            .take("Attributes")
            .map(|text| Attributes::parse(text, MAX_LARGE_BYTES))
            .transpose()?,
        messaging_service_sid: messaging_service_sid
            .map(|sid| sid.parse().map_err(|_| Invalid::MessagingServiceMalformed))
            .transpose()?,
        state: form.take("State").map(|text| text.parse()).transpose()?,
        inactive_timer: form
            .take_field("Timers.Inactive")
            .try_map(Timer::inactive)?,
        closed_timer: form.take_field("Timers.Closed").try_map(Timer::closed)?,
        date_created: form.take_moment("DateCreated", Invalid::DateCreated)?,
        date_updated: form.take_moment("DateUpdated", Invalid::DateUpdated)?,
        email_address: form.take_field("Bindings.Email.Address"),
        email_name: form.take_field("Bindings.Email.Name"),
    })
}

/// `POST …/Conversations`
pub(super) async fn create(
    State(rest): State<Rest>,
    caller: Caller,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Created<View>> {
    let wanted = read(&mut Fields::read(&headers, body, WANTED).await?)?;
    let conversation = ops::conversations::create(&rest.core, &caller.ctx, wanted).await?;
    Ok(Created(view(&caller, conversation)))
}

/// What a list is narrowed to; none when nothing can be in it.
fn filter(query: &mut Fields) -> Result<(Option<ConversationFilter>, Vec<Given>), Error> {
    let [start, end, state] = ["StartDate", "EndDate", "State"].map(|name| query.take_filled(name));
    let moment = |text: &Option<String>, name| {
        let refusal = Invalid::Parameter {
            name,
            wants: "a date, such as 2024-01-31T00:00:00Z",
        };
        text.as_deref()
            .map(|text| time::parse(text).ok_or(refusal))
            .transpose()
    };
    let (start_date, end_date) = (moment(&start, "StartDate")?, moment(&end, "EndDate")?);
    let wants = "active, inactive, closed or initializing";
    let in_state = match state.as_deref().map(str::to_ascii_lowercase).as_deref() {
        // Conversations are set up in one transaction here, so none is ever seen in this state.
        Some("initializing") => None,
        Some(word) => Some(Some(word.parse().map_err(|_| Invalid::Parameter {
            name: "State",
            wants,
        })?)),
        None => Some(None),
    };
    let (search, given_search) = extensions::search(query)?;
    let filter = in_state.map(|state| ConversationFilter {
        state,
        start_date,
        end_date,
        search,
    });
    let dates = [("StartDate", start), ("EndDate", end), ("State", state)];
    Ok((filter, dates.into_iter().chain([given_search]).collect()))
}

/// `GET …/Conversations`
pub(super) async fn list(
    State(rest): State<Rest>,
    caller: Caller,
    query: RawQuery,
) -> ApiResult<Listed<View>> {
    let mut query = Fields::query(query, FILTERS)?;
    let (filter, mut given) = filter(&mut query)?;
    let usual = filter.as_ref().map(ConversationFilter::sorted_by);
    let (sorting, given_sorting) = extensions::sorting(&mut query, usual.unwrap_or_default())?;
    let (wants_total, given_total) = extensions::total(&mut query)?;
    given.extend(given_sorting.into_iter().chain([given_total]));
    let url = format!("{}/Conversations", caller.scope());
    let asked: Asked<MomentKey> = Asked::read(lists::CONVERSATIONS, url, &mut query, &given)?;
    let (page, total) = match &filter {
        Some(filter) => {
            let (core, ctx) = (&rest.core, &caller.ctx);
            let page = ops::conversations::list(core, ctx, filter, sorting, &asked.page).await?;
            let total = match wants_total {
                true => ops::conversations::count(core, ctx, filter).await?,
                false => 0,
            };
            (page, total)
        }
        None => (Page::empty(), 0),
    };
    let total = wants_total.then_some(total);
    Ok(asked
        .answer(page, |row| view(&caller, row))
        .with_total(total))
}

/// `GET …/Conversations/{conversation}`
pub(super) async fn fetch(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<Json<View>> {
    let held = ops::conversations::fetch(&rest.core, &caller.ctx, &names.conversation()?).await?;
    Ok(Json(view(&caller, held.conversation)))
}

/// `POST …/Conversations/{conversation}`
pub(super) async fn update(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
    headers: HeaderMap,
    body: Body,
) -> ApiResult<Json<View>> {
    let which = names.conversation()?;
    let form = Fields::read(&headers, body, WANTED).await;
    let read = form.and_then(|mut form| read(&mut form));
    let changes = match read {
        Ok(changes) if !changes.is_empty() => changes,
        Ok(_) => return Err(rest.refuse(&caller, &which, Error::NothingToUpdate).await),
        Err(refusal) => return Err(rest.refuse(&caller, &which, refusal).await),
    };
    let conversation = ops::conversations::update(&rest.core, &caller.ctx, &which, changes)
        .await
        .map_err(ApiError::from)?;
    Ok(Json(view(&caller, conversation)))
}

/// `DELETE …/Conversations/{conversation}`
pub(super) async fn remove(
    State(rest): State<Rest>,
    caller: Caller,
    names: Names,
) -> ApiResult<NoContent> {
    ops::conversations::remove(&rest.core, &caller.ctx, &names.conversation()?).await?;
    Ok(NoContent)
}
