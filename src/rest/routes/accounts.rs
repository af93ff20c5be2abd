//! The API of 2010 and IAM: accounts, keys, numbers, plain messages.

use super::super::api::{Api, NOTHING, created, old_page, one};
use super::super::params::NONE;
use super::super::product::Product;
use super::super::{accounts, phone_numbers};
use super::{DELETE, GET, POST};

/// The products with their routes.
pub(super) fn all() -> Vec<(Product, Api)> {
    vec![(Product::Api, of_2010())]
}

#[rustfmt::skip] // a table: one route a line
fn of_2010() -> Api {
    let mut api = Api::new(Product::Api);
    {
        use accounts as it;
        let path = "/2010-04-01/Accounts.json";
        api.add("CreateAccount", POST, path, it::NEW, created::<it::View>(), it::create);
        api.add("ListAccount", GET, path, it::FILTERS, old_page::<it::View>("accounts"), it::list);
        let path = "/2010-04-01/Accounts/{account}.json";
        api.add("FetchAccount", GET, path, NONE, one::<it::View>(), it::fetch);
        api.add("UpdateAccount", POST, path, it::CHANGES, one::<it::View>(), it::update);
    }
    {
        use phone_numbers as it;
        let path = "/2010-04-01/Accounts/{account}/IncomingPhoneNumbers.json";
        api.add("CreateIncomingPhoneNumber", POST, path, it::NEW, created::<it::View>(), it::create);
        api.add("ListIncomingPhoneNumber", GET, path, it::FILTERS, old_page::<it::View>("incoming_phone_numbers"), it::list);
        let path = "/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{number}.json";
        api.add("FetchIncomingPhoneNumber", GET, path, NONE, one::<it::View>(), it::fetch);
        api.add("DeleteIncomingPhoneNumber", DELETE, path, NONE, NOTHING, it::remove);
    }
    api
}
