//! Messaging Services and their senders.

use super::super::api::{Api, NOTHING, created, made, one, page};
use super::super::messaging::senders::{
    self, AlphaSender, ChannelSender, PhoneNumber, ShortCode, Shown,
};
use super::super::messaging::services::{self as it, View};
use super::super::pages::lists;
use super::super::params::NONE;
use super::super::product::Product;
use super::{DELETE, GET, POST};

/// The product with its routes.
#[rustfmt::skip] // a table: one route a line
pub(super) fn api() -> Api {
    let mut api = Api::new(Product::Messaging);
    let path = "/v1/Services";
    api.add("CreateService", POST, path, it::NEW, created::<View>(), it::create);
    api.add("ListService", GET, path, it::FILTERS, page::<View>(lists::MESSAGING_SERVICES), it::list);
    let path = "/v1/Services/{messaging_service}";
    api.add("FetchService", GET, path, NONE, one::<View>(), it::fetch);
    api.add("UpdateService", POST, path, it::CHANGES, one::<View>(), it::update);
    api.add("DeleteService", DELETE, path, NONE, NOTHING, it::remove);
    add::<PhoneNumber>(&mut api, "PhoneNumber");
    add::<ShortCode>(&mut api, "ShortCode");
    add::<AlphaSender>(&mut api, "AlphaSender");
    add::<ChannelSender>(&mut api, "ChannelSender");
    api
}

/// The routes of one kind of sender.
#[rustfmt::skip] // a table: one route a line
fn add<V: Shown>(api: &mut Api, noun: &str) {
    let id = |verb: &str| format!("{verb}{noun}");
    let path = format!("/v1/Services/{{messaging_service}}/{}", V::SEGMENT);
    api.add(&id("Create"), POST, &path, V::NEW, made::<V>(V::STATUSES), senders::create::<V>);
    api.add(&id("List"), GET, &path, NONE, page::<V>(V::LIST), senders::list::<V>);
    let path = format!("{path}/{{sender}}");
    api.add(&id("Fetch"), GET, &path, NONE, one::<V>(), senders::fetch::<V>);
    api.add(&id("Delete"), DELETE, &path, NONE, NOTHING, senders::remove::<V>);
}
