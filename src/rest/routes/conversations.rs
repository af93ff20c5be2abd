//! Services, and the resources that exist under the default service and under a named one.

use super::super::api::{Api, NOTHING, created, made, one, page};
use super::super::pages::lists;
use super::super::params::NONE;
use super::super::{
    conversation_with_participants, conversations, messages, participant_conversations,
    participants, receipts, roles, scoped_webhooks, services, user_conversations, users,
};
use super::{DELETE, GET, HEARD, POST};

/// Adds the routes.
pub(super) fn add(api: &mut Api) {
    services_of(api);
    in_service(api, "/v1", "");
    in_service(api, "/v1/Services/{service}", "Service");
}

#[rustfmt::skip] // a table: one route a line
fn services_of(api: &mut Api) {
    let path = "/v1/Services";
    let view = one::<services::View>;
    api.add("CreateService", POST, path, services::NEW, created::<services::View>(), services::create);
    api.add("ListService", GET, path, services::FILTERS, page::<services::View>(lists::SERVICES), services::list);
    let path = "/v1/Services/{service}";
    api.add("FetchService", GET, path, NONE, view(), services::fetch);
    api.add("DeleteService", DELETE, path, NONE, NOTHING, services::remove);
}

/// The resources that exist in both forms of path; `word` stands in the names of those of a named service.
#[rustfmt::skip] // a table: one route a line
fn in_service(api: &mut Api, base: &str, word: &str) {
    let id = |verb: &str, noun: &str| format!("{verb}{word}{noun}");
    let at = |path: &str| format!("{base}{path}");
    {
        use conversations as it;
        let path = at("/Conversations");
        api.add(&id("Create", "Conversation"), POST, &path, it::WANTED, created::<it::View>(), it::create);
        api.add(&id("List", "Conversation"), GET, &path, it::FILTERS, page::<it::View>(lists::CONVERSATIONS), it::list);
        let path = at("/Conversations/{conversation}");
        api.add(&id("Fetch", "Conversation"), GET, &path, NONE, one::<it::View>(), it::fetch);
        api.add(&id("Update", "Conversation"), POST, &path, it::WANTED, one::<it::View>(), it::update);
        api.add(&id("Delete", "Conversation"), DELETE, &path, HEARD, NOTHING, it::remove);
    }
    {
        use participants as it;
        let noun = "ConversationParticipant";
        let path = at("/Conversations/{conversation}/Participants");
        api.add(&id("Create", noun), POST, &path, it::NEW, created::<it::View>(), it::create);
        api.add(&id("List", noun), GET, &path, it::FILTERS, page::<it::View>(lists::PARTICIPANTS), it::list);
        let path = at("/Conversations/{conversation}/Participants/{participant}");
        api.add(&id("Fetch", noun), GET, &path, NONE, one::<it::View>(), it::fetch);
        api.add(&id("Update", noun), POST, &path, it::CHANGES, one::<it::View>(), it::update);
        api.add(&id("Delete", noun), DELETE, &path, HEARD, NOTHING, it::remove);
    }
    {
        use messages as it;
        let noun = "ConversationMessage";
        let path = at("/Conversations/{conversation}/Messages");
        api.add(&id("Create", noun), POST, &path, it::NEW, created::<it::View>(), it::create);
        api.add(&id("List", noun), GET, &path, it::FILTERS, page::<it::View>(lists::MESSAGES), it::list);
        let path = at("/Conversations/{conversation}/Messages/{message}");
        api.add(&id("Fetch", noun), GET, &path, NONE, one::<it::View>(), it::fetch);
        api.add(&id("Update", noun), POST, &path, it::CHANGES, one::<it::View>(), it::update);
        api.add(&id("Delete", noun), DELETE, &path, HEARD, NOTHING, it::remove);
    }
    {
        use receipts as it;
        let noun = "ConversationMessageReceipt";
        let path = at("/Conversations/{conversation}/Messages/{message}/Receipts");
        api.add(&id("List", noun), GET, &path, it::FILTERS, page::<it::View>(lists::RECEIPTS), it::list);
        let path = at("/Conversations/{conversation}/Messages/{message}/Receipts/{receipt}");
        api.add(&id("Fetch", noun), GET, &path, NONE, one::<it::View>(), it::fetch);
    }
    {
        use scoped_webhooks as it;
        let noun = "ConversationScopedWebhook";
        let path = at("/Conversations/{conversation}/Webhooks");
        api.add(&id("Create", noun), POST, &path, it::NEW, created::<it::View>(), it::create);
        api.add(&id("List", noun), GET, &path, it::FILTERS, page::<it::View>(lists::SCOPED_WEBHOOKS), it::list);
        let path = at("/Conversations/{conversation}/Webhooks/{webhook}");
        api.add(&id("Fetch", noun), GET, &path, NONE, one::<it::View>(), it::fetch);
        api.add(&id("Update", noun), POST, &path, it::CHANGES, one::<it::View>(), it::update);
        api.add(&id("Delete", noun), DELETE, &path, NONE, NOTHING, it::remove);
    }
    {
        use users as it;
        let path = at("/Users");
        api.add(&id("Create", "User"), POST, &path, it::NEW, created::<it::View>(), it::create);
        api.add(&id("List", "User"), GET, &path, it::FILTERS, page::<it::View>(lists::USERS), it::list);
        let path = at("/Users/{user}");
        api.add(&id("Fetch", "User"), GET, &path, NONE, one::<it::View>(), it::fetch);
        api.add(&id("Update", "User"), POST, &path, it::CHANGES, one::<it::View>(), it::update);
        api.add(&id("Delete", "User"), DELETE, &path, HEARD, NOTHING, it::remove);
    }
    {
        use user_conversations as it;
        let path = at("/Users/{user}/Conversations");
        api.add(&id("List", "UserConversation"), GET, &path, it::FILTERS, page::<it::View>(lists::OWN_CONVERSATIONS), it::list);
        let path = at("/Users/{user}/Conversations/{conversation}");
        api.add(&id("Fetch", "UserConversation"), GET, &path, NONE, one::<it::View>(), it::fetch);
        api.add(&id("Update", "UserConversation"), POST, &path, it::CHANGES, one::<it::View>(), it::update);
        api.add(&id("Delete", "UserConversation"), DELETE, &path, NONE, NOTHING, it::remove);
    }
    {
        use conversation_with_participants as it;
        let (path, answers) = (at("/ConversationWithParticipants"), made::<it::View>(&[201, 202]));
        api.add(&id("Create", "ConversationWithParticipants"), POST, &path, it::NEW, answers, it::create);
    }
    {
        use participant_conversations as it;
        let path = at("/ParticipantConversations");
        api.add(&id("List", "ParticipantConversation"), GET, &path, it::FILTERS, page::<it::View>(lists::OWN_CONVERSATIONS), it::list);
    }
    {
        use roles as it;
        let path = at("/Roles");
        api.add(&id("Create", "Role"), POST, &path, it::NEW, created::<it::View>(), it::create);
        api.add(&id("List", "Role"), GET, &path, it::FILTERS, page::<it::View>(lists::ROLES), it::list);
        let path = at("/Roles/{role}");
        api.add(&id("Fetch", "Role"), GET, &path, NONE, one::<it::View>(), it::fetch);
        api.add(&id("Update", "Role"), POST, &path, it::CHANGES, one::<it::View>(), it::update);
        api.add(&id("Delete", "Role"), DELETE, &path, NONE, NOTHING, it::remove);
    }
}
