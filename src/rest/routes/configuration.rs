//! Configuration, address configurations, credentials and bindings: each exists in one form of path only.

use super::super::api::{Api, NOTHING, created, one, page};
use super::super::pages::lists;
use super::super::params::NONE;
use super::super::{
    address_configurations, bindings, configuration, credentials, notifications,
    webhook_configurations,
};
use super::{DELETE, GET, POST};

/// Adds the routes.
pub(super) fn add(api: &mut Api) {
    of_account(api);
    of_service(api);
}

#[rustfmt::skip] // a table: one route a line
fn of_account(api: &mut Api) {
    {
        use configuration as it;
        let path = "/v1/Configuration";
        api.add("FetchConfiguration", GET, path, NONE, one::<it::View>(), it::fetch);
        api.add("UpdateConfiguration", POST, path, it::CHANGES, one::<it::View>(), it::update);
    }
    {
        use webhook_configurations as it;
        let path = "/v1/Configuration/Webhooks";
        api.add("FetchConfigurationWebhook", GET, path, NONE, one::<it::View>(), it::fetch);
        api.add("UpdateConfigurationWebhook", POST, path, it::CHANGES, one::<it::View>(), it::update);
    }
    {
        use address_configurations as it;
        let noun = |verb: &str| format!("{verb}ConfigurationAddress");
        let path = "/v1/Configuration/Addresses";
        let list = page::<it::View>(lists::ADDRESS_CONFIGURATIONS);
        api.add(&noun("Create"), POST, path, it::NEW, created::<it::View>(), it::create);
        api.add(&noun("List"), GET, path, it::FILTERS, list, it::list);
        let path = "/v1/Configuration/Addresses/{address}";
        api.add(&noun("Fetch"), GET, path, NONE, one::<it::View>(), it::fetch);
        api.add(&noun("Update"), POST, path, it::CHANGES, one::<it::View>(), it::update);
        api.add(&noun("Delete"), DELETE, path, NONE, NOTHING, it::remove);
    }
    {
        use credentials as it;
        let path = "/v1/Credentials";
        api.add("CreateCredential", POST, path, it::NEW, created::<it::View>(), it::create);
        api.add("ListCredential", GET, path, it::FILTERS, page::<it::View>(lists::CREDENTIALS), it::list);
        let path = "/v1/Credentials/{credential}";
        api.add("FetchCredential", GET, path, NONE, one::<it::View>(), it::fetch);
        api.add("UpdateCredential", POST, path, it::CHANGES, one::<it::View>(), it::update);
        api.add("DeleteCredential", DELETE, path, NONE, NOTHING, it::remove);
    }
}

#[rustfmt::skip] // a table: one route a line
fn of_service(api: &mut Api) {
    {
        use configuration as it;
        let path = "/v1/Services/{service}/Configuration";
        let view = one::<it::ServiceView>;
        api.add("FetchServiceConfiguration", GET, path, NONE, view(), it::fetch_service);
        api.add("UpdateServiceConfiguration", POST, path, it::SERVICE_CHANGES, view(), it::update_service);
    }
    {
        use notifications as it;
        let path = "/v1/Services/{service}/Configuration/Notifications";
        api.add("FetchServiceNotification", GET, path, NONE, one::<it::View>(), it::fetch);
        api.add("UpdateServiceNotification", POST, path, it::CHANGES, one::<it::View>(), it::update);
    }
    {
        use webhook_configurations as it;
        let path = "/v1/Services/{service}/Configuration/Webhooks";
        let view = one::<it::ServiceView>;
        api.add("FetchServiceWebhookConfiguration", GET, path, NONE, view(), it::fetch_service);
        api.add("UpdateServiceWebhookConfiguration", POST, path, it::SERVICE_CHANGES, view(), it::update_service);
    }
    {
        use bindings as it;
        let path = "/v1/Services/{service}/Bindings";
        api.add("ListServiceBinding", GET, path, it::FILTERS, page::<it::View>(lists::BINDINGS), it::list);
        let path = "/v1/Services/{service}/Bindings/{binding}";
        api.add("FetchServiceBinding", GET, path, NONE, one::<it::View>(), it::fetch);
        api.add("DeleteServiceBinding", DELETE, path, NONE, NOTHING, it::remove);
    }
}
