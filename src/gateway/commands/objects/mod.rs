//! Reading sync objects: descriptors, and pages of items.
//!
//! A client that starts reads four things of each of its conversations, all at once. What waits is therefore answered
//! together, and costs a few statements however much it is. Only pages are counted: there are no more of them in one
//! turn than make four full pages of messages ([`page`] says how full), and each is printed before the next is read.

mod page;

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Answer, Request, segments};
use crate::domain::{ConversationSid, Error, Participant, Scope, UserSid};
use crate::gateway::protocol::HttpRequest;
use crate::gateway::sync::sight::Sight;
use crate::gateway::sync::{Named, Object, items, last_event_of_conversation, last_event_of_user};
use crate::ops::events;
use page::Wanted;

/// What is answered together weighs this much at most: the pages of rosters that are among 32 requests (the most of one
/// connection unless an operator wants it otherwise) of a client that starts.
const MOST_TOGETHER: usize = 8;

/// Answers reads of `/v3/Documents/{id}`, `/v3/Lists/{id}`, `/v3/Maps/{id}` and their `/Items`, all by one user.
pub(super) async fn fetch(requests: &[Request<'_>]) -> Vec<Result<Answer, Error>> {
    let targets: Vec<Result<Target, Error>> = requests.iter().map(Target::read).collect();
    let desk = match requests.first() {
        Some(any) => Desk::open(any, &targets).await,
        None => return Vec::new(),
    };
    match desk {
        Ok(desk) => {
            let mut answers = Vec::with_capacity(requests.len());
            for (request, target) in requests.iter().zip(targets) {
                let answer = async { desk.answer(request, target?).await };
                answers.push(answer.await.map(|body| Answer::printed(&body)));
            }
            answers
        }
        // SDKs try again what is not there for the moment, and give up a conversation for any other fault.
        Err(Error::Unavailable) => targets.iter().map(|_| Err(Error::Unavailable)).collect(),
        Err(fault) => {
            let fault = fault.to_string();
            targets
                .iter()
                .map(|_| Err(Error::internal(fault.clone())))
                .collect()
        }
    }
}

/// How many of some reads, the first ones, are answered together: at least one.
pub(super) fn fit_together<'a>(reads: impl Iterator<Item = &'a HttpRequest>) -> usize {
    let mut weight = 0;
    let fit = reads.take_while(|read| {
        weight += weigh(read);
        weight <= MOST_TOGETHER
    });
    fit.count().max(1)
}

/// What a read weighs: a page of messages holds twice as much as any other, and everything else next to nothing.
fn weigh(read: &HttpRequest) -> usize {
    let segments = segments(read).unwrap_or_default();
    match segments.as_slice() {
        [_, kind, _, _items] if kind == "Lists" => 2,
        [_, _, _, _items] => 1,
        _ => 0,
    }
}

/// What a request names, as far as its text tells.
struct Target {
    named: Named,
    kind: String,
    items: Option<Wanted>,
}

impl Target {
    fn read(request: &Request<'_>) -> Result<Self, Error> {
        let segments = request.segments()?;
        let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
        let (kind, name, of_items) = match segments.as_slice() {
            ["v3", kind, name] => (*kind, *name, false),
            ["v3", kind, name, "Items"] => (*kind, *name, true),
            _ => return Err(Error::NotFound),
        };
        let named = Named::read(name).ok_or(Error::NotFound)?;
        let items = of_items
            .then(|| Wanted::read(request, &named.sid()))
            .transpose()?;
        let kind = kind.to_owned();
        Ok(Self { named, kind, items })
    }
}

/// What some requests name, read once for all of them.
struct Desk {
    sight: Sight,
    reader: UserSid,
    /// Rosters from their start, as long as the longest page that is wanted.
    rosters: HashMap<ConversationSid, Vec<Participant>>,
}

impl Desk {
    async fn open(request: &Request<'_>, targets: &[Result<Target, Error>]) -> Result<Self, Error> {
        let (core, ctx, reader) = (request.core, &request.session.ctx, request.session.user);
        let targets = || targets.iter().flatten();
        let talks = targets()
            .filter_map(|target| target.named.conversation(reader))
            .collect();
        let mut desk = Self {
            sight: Sight::new(reader),
            reader,
            rosters: HashMap::new(),
        };
        desk.sight.see(core, ctx, talks).await?;
        let users = targets()
            .filter_map(|target| match desk.object(target.named).scope() {
                Scope::User(sid) => Some(sid),
                Scope::Conversation(_) => None,
            })
            .collect();
        desk.sight.meet(core, ctx, users).await?;
        let (mut open, mut limit) = (Vec::new(), 0);
        for target in targets() {
            if let (Object::Roster(of), Some(wanted)) = (desk.object(target.named), &target.items)
                && let Ok(seen) = desk.sight.conversation(of)
                && seen.require_part().is_ok()
                && wanted.is_start()
            {
                open.push(seen);
                limit = wanted.limit().max(limit);
            }
        }
        if !open.is_empty() {
            desk.rosters = events::rosters(core, &open, limit).await?;
        }
        Ok(desk)
    }

    fn object(&self, named: Named) -> Object {
        named.object(self.reader, |sid| self.sight.conversation(sid).is_ok())
    }

    async fn answer(&self, request: &Request<'_>, target: Target) -> Result<Value, Error> {
        let object = self.object(target.named);
        let fits = match target.kind.as_str() {
            "Documents" => object.kind() == "document" && target.items.is_none(),
            "Lists" => object.kind() == "list",
            "Maps" => object.kind() == "map",
            _ => false,
        };
        if !fits {
            return Err(Error::NotFound);
        }
        match target.items {
            Some(wanted) => page::read(self, request, object, wanted).await,
            None => self.describe(request, object),
        }
    }

    fn describe(&self, request: &Request<'_>, object: Object) -> Result<Value, Error> {
        let base = &request.session.base;
        Ok(match object {
            Object::Document(of) | Object::Messages(of) | Object::Roster(of) => {
                let seen = self.sight.conversation(of)?;
                let conversation = &seen.conversation;
                let last_event = last_event_of_conversation(object, conversation);
                let updated = conversation.date_updated;
                let mut body = items::descriptor(object, base, last_event, updated);
                if matches!(object, Object::Document(_)) {
                    body["data"] = items::document(conversation, seen.last_message);
                } else {
                    seen.require_part()?;
                }
                body
            }
            Object::OwnConversations(of) | Object::UserInfo(of) => {
                let user = self.sight.user(of, object)?;
                let last_event = last_event_of_user(object, user);
                let mut body = items::descriptor(object, base, last_event, user.date_updated);
                let whole = request.param("Include")?.as_deref() == Some("items");
                if whole && matches!(object, Object::UserInfo(_)) {
                    let printed: Vec<Value> = items::user_info(user)
                        .iter()
                        .map(|item| items::print(item, object, base))
                        .collect();
                    body["items"] = json!(printed);
                }
                body
            }
        })
    }
}
