//! The API of 2010 and IAM: accounts, keys, numbers, plain messages.

use super::super::api::{Api, NOTHING, created, old_page, one, page};
use super::super::pages::lists;
use super::super::params::NONE;
use super::super::product::Product;
use super::super::{accounts, iam_keys, keys, phone_numbers, plain_messages, tokens};
use super::{DELETE, GET, POST};

/// The products with their routes.
pub(super) fn all() -> Vec<(Product, Api)> {
    vec![(Product::Api, of_2010()), (Product::Iam, iam())]
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
    {
        use keys as it;
        let path = "/2010-04-01/Accounts/{account}/Keys.json";
        api.add("CreateNewKey", POST, path, it::NAME, created::<it::NewView>(), it::create);
        api.add("ListKey", GET, path, it::FILTERS, old_page::<it::View>("keys"), it::list_keys);
        let path = "/2010-04-01/Accounts/{account}/Keys/{key}.json";
        api.add("FetchKey", GET, path, NONE, one::<it::View>(), it::fetch);
        api.add("UpdateKey", POST, path, it::NAME, one::<it::View>(), it::update);
        api.add("DeleteKey", DELETE, path, NONE, NOTHING, it::remove);
        let path = "/2010-04-01/Accounts/{account}/SigningKeys.json";
        api.add("CreateNewSigningKey", POST, path, it::NAME, created::<it::NewView>(), it::create);
        api.add("ListSigningKey", GET, path, it::FILTERS, old_page::<it::View>("signing_keys"), it::list_signing_keys);
        let path = "/2010-04-01/Accounts/{account}/SigningKeys/{key}.json";
        api.add("FetchSigningKey", GET, path, NONE, one::<it::View>(), it::fetch);
        api.add("UpdateSigningKey", POST, path, it::NAME, one::<it::View>(), it::update);
        api.add("DeleteSigningKey", DELETE, path, NONE, NOTHING, it::remove);
    }
    {
        use plain_messages as it;
        let path = "/2010-04-01/Accounts/{account}/Messages.json";
        api.add("CreateMessage", POST, path, it::NEW, created::<it::View>(), it::create);
        api.add("ListMessage", GET, path, it::FILTERS, old_page::<it::View>("messages"), it::list);
        let path = "/2010-04-01/Accounts/{account}/Messages/{message}.json";
        api.add("FetchMessage", GET, path, NONE, one::<it::View>(), it::fetch);
    }
    let path = "/2010-04-01/Accounts/{account}/Tokens.json";
    api.add("CreateToken", POST, path, tokens::NEW, created::<tokens::View>(), tokens::create);
    api
}

#[rustfmt::skip] // a table: one route a line
fn iam() -> Api {
    use iam_keys as it;
    let mut api = Api::new(Product::Iam);
    let path = "/v1/Keys";
    api.add("CreateNewKey", POST, path, it::NEW, created::<it::NewView>(), it::create);
    api.add("ListGetKeys", GET, path, it::FILTERS, page::<it::ListedView>(lists::API_KEYS), it::list);
    let path = "/v1/Keys/{key}";
    api.add("FetchKey", GET, path, NONE, one::<it::View>(), it::fetch);
    api.add("UpdateKey", POST, path, it::CHANGES, one::<it::View>(), it::update);
    api.add("DeleteKey", DELETE, path, NONE, NOTHING, it::remove);
    api
}
