//! Real objects of every kind, so that each path can be asked for with things that exist.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};

use reqwest::Method;
use serde_json::Value;
use sqlx::PgPool;

use super::document::{self, Operation};
use super::facts;
use crate::support::{Answer, Carries, Credentials, TestServer, text};

/// A server, and what it serves.
pub struct Stage {
    /// The server.
    pub server: TestServer,
    /// All operations.
    pub operations: Vec<Operation>,
    pool: PgPool,
}

/// The objects of one account in one of its services.
pub struct World {
    /// Whose they are.
    pub who: Credentials,
    /// The chat user's identity.
    pub identity: String,
    base: String,
    objects: BTreeMap<String, String>,
}

/// What is made for each world, in this order: lists of Conversations have two rows at least, and the last number belongs
/// to no Messaging Service yet.
const MADE: &[(&str, &str)] = &[
    ("Credentials", "/v1/Credentials"),
    ("Credentials", "/v1/Credentials"),
    ("Addresses", "/v1/Configuration/Addresses"),
    ("Addresses", "/v1/Configuration/Addresses"),
    ("messaging/Services", "/messaging/v1/Services"),
    (
        "api/IncomingPhoneNumbers",
        "/api/2010-04-01/Accounts/{}/IncomingPhoneNumbers.json",
    ),
    (
        "messaging/PhoneNumbers",
        "/messaging/v1/Services/{}/PhoneNumbers",
    ),
    (
        "api/IncomingPhoneNumbers",
        "/api/2010-04-01/Accounts/{}/IncomingPhoneNumbers.json",
    ),
    (
        "messaging/ShortCodes",
        "/messaging/v1/Services/{}/ShortCodes",
    ),
    (
        "messaging/AlphaSenders",
        "/messaging/v1/Services/{}/AlphaSenders",
    ),
    (
        "messaging/ChannelSenders",
        "/messaging/v1/Services/{}/ChannelSenders",
    ),
    ("api/Keys", "/api/2010-04-01/Accounts/{}/Keys.json"),
    (
        "api/SigningKeys",
        "/api/2010-04-01/Accounts/{}/SigningKeys.json",
    ),
    ("iam/Keys", "/iam/v1/Keys"),
    ("api/Messages", "/api/2010-04-01/Accounts/{}/Messages.json"),
    ("content/Content", "/content/v1/Content"),
    ("mcs/Media", "/mcs/v1/Services/{}/Media"),
];

/// A number that never comes twice in a test's process.
pub fn next() -> u32 {
    static LAST: AtomicU32 = AtomicU32::new(0);
    LAST.fetch_add(1, Ordering::Relaxed) + 1
}

impl Stage {
    /// A server with nothing in it yet.
    pub async fn open(pool: &PgPool) -> Self {
        let server = TestServer::start(pool).await;
        let mut operations = document::read(&server).await;
        // Whoever has a temporary URL needs no credentials for it.
        operations.retain(|it| !it.path.ends_with("/Temporary"));
        assert!(operations.len() > 50, "the document lists operations");
        Self {
            server,
            operations,
            pool: pool.clone(),
        }
    }

    /// The world of an account's default service.
    pub async fn default_world(&self, who: &Credentials) -> World {
        World::grow(self, who, "/v1".to_owned()).await
    }

    /// The world of a new service of an account.
    pub async fn named_world(&self, who: &Credentials) -> World {
        let form = [("FriendlyName", format!("service {}", next()))];
        let made = self.ask(who, "POST", "/v1/Services", &form).await;
        let sid = text(&made.with(201), "sid");
        World::grow(self, who, format!("/v1/Services/{sid}")).await
    }

    /// A request with a form or a query.
    pub async fn ask(
        &self,
        who: &Credentials,
        method: &str,
        path: &str,
        form: &[(&str, String)],
    ) -> Answer {
        let fields = form
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()));
        let method = method.parse::<Method>().expect("a method");
        let fields = Carries::Fields(fields.collect());
        self.server.ask(Some(who), &method, path, &fields).await
    }

    /// The operations of Conversations itself; the other products have rules of their own for parameters and pages.
    pub fn of_conversations(&self) -> impl Iterator<Item = &Operation> {
        self.operations
            .iter()
            .filter(|it| it.path.starts_with("/v1/"))
    }

    /// The operation of a method and a path without names, if it is served.
    pub fn find(&self, method: &str, pattern: &str) -> Option<&Operation> {
        let mut all = self.operations.iter();
        all.find(|it| it.method == method && it.pattern() == pattern)
    }

    /// Everything that can be read in a world: each path with what it answers.
    pub async fn snapshot(&self, world: &World) -> BTreeMap<String, Value> {
        let mut seen = BTreeMap::new();
        for operation in self
            .operations
            .iter()
            .filter(|it| it.method == "GET" && it.speaks_json)
        {
            let Some(path) = world.path(operation) else {
                continue;
            };
            let what = facts::good(operation, world);
            let answer = self
                .server
                .ask(Some(&world.who), &Method::GET, &path, &what)
                .await;
            seen.insert(path, answer.with(200));
        }
        seen
    }
}

impl World {
    async fn grow(stage: &Stage, who: &Credentials, base: String) -> Self {
        let mut world = Self {
            who: who.clone(),
            identity: format!("alice {}", next()),
            base,
            objects: BTreeMap::new(),
        };
        let service = match world.base.strip_prefix("/v1/Services/") {
            Some(sid) => sid.to_owned(),
            None => {
                let conversation = world.make(stage, "Conversations", &[]).await;
                text(&conversation, "chat_service_sid")
            }
        };
        world.know("mcs/Services", &service);
        world.know("Services", &service);
        world.people(stage).await;
        world.talk(stage).await;
        world.account(stage).await;
        world.binding(stage, &service).await;
        world
    }

    /// What belongs to the account, not to a service, and what the other products keep.
    async fn account(&mut self, stage: &Stage) {
        self.know("api/Accounts", &self.who.user.clone());
        for (kind, pattern) in MADE {
            let create = stage.find("POST", pattern);
            let create = create.unwrap_or_else(|| panic!("{pattern} is not served"));
            let (path, what) = (self.swapped(create, &[]), facts::good(create, self));
            let who = Some(&self.who);
            let made = stage.server.ask(who, &Method::POST, &path, &what).await;
            assert!(made.status.is_success(), "{path}: {}", made.body);
            self.know(kind, &text(&made.body, "sid"));
        }
    }

    /// Bindings are made by clients that register over a socket; here there is none.
    async fn binding(&mut self, stage: &Stage, service: &str) {
        for _ in 0..2 {
            let sid = format!("{:032x}", 0xb1d_0000_u64 + u64::from(next()));
            sqlx::query(
                "insert into bindings (sid, account_sid, service_sid, identity, binding_type, address, message_types,
                                       date_created, date_updated)
                 values ($1::uuid, $2::uuid, $3::uuid, $4, 'fcm', $1, '{new_message}', now(), now())",
            )
            .bind(&sid)
            .bind(&self.who.user[2..])
            .bind(&service[2..])
            .bind(&self.identity)
            .execute(&stage.pool)
            .await
            .expect("a binding");
            self.know("Bindings", &format!("BS{sid}"));
        }
    }

    async fn people(&mut self, stage: &Stage) {
        let role = [
            ("FriendlyName", "a role"),
            ("Type", "service"),
            ("Permission", "joinConversation"),
        ];
        let role = self.make(stage, "Roles", &role).await;
        self.know("Roles", &text(&role, "sid"));
        let identity = self.identity.clone();
        let user = self.make(stage, "Users", &[("Identity", &identity)]).await;
        self.know("Users", &text(&user, "sid"));
    }

    /// Conversations with people, messages and receipts: at least two in each list.
    async fn talk(&mut self, stage: &Stage) {
        let identity = self.identity.clone();
        for _ in 0..2 {
            let conversation = self.make(stage, "Conversations", &[]).await;
            let sid = text(&conversation, "sid");
            let participants = format!("Conversations/{sid}/Participants");
            self.make(stage, &participants, &[("Identity", &identity)])
                .await;
            let bob = self
                .make(stage, &participants, &[("Identity", "bob")])
                .await;
            for _ in 0..2 {
                let address = format!("+1555{:07}", next());
                let phone = [
                    ("MessagingBinding.Address", address.as_str()),
                    ("MessagingBinding.ProxyAddress", "+15550100000"),
                ];
                self.make(stage, &participants, &phone).await;
            }
            let messages = format!("Conversations/{sid}/Messages");
            self.make(stage, &messages, &[("Body", "the first")]).await;
            let message = self.make(stage, &messages, &[("Body", "the last")]).await;
            let message = text(&message, "sid");
            let receipts = format!("{}/{messages}/{message}/Receipts", self.base);
            let receipts = stage.ask(&self.who, "GET", &receipts, &[]).await.with(200);
            if stage
                .find("POST", "/v1/Conversations/{}/Webhooks")
                .is_some()
            {
                let hooks = format!("Conversations/{sid}/Webhooks");
                self.make(stage, &hooks, facts::HOOK).await;
                let hook = self.make(stage, &hooks, facts::HOOK).await;
                self.know("Webhooks", &text(&hook, "sid"));
            }
            self.know("Conversations", &sid);
            self.know("Participants", &text(&bob, "sid"));
            self.know("Messages", &message);
            self.know("Receipts", &text(&receipts["delivery_receipts"][0], "sid"));
        }
    }

    /// Creates something in this world's service.
    async fn make(&self, stage: &Stage, path: &str, form: &[(&str, &str)]) -> Value {
        let form: Vec<(&str, String)> = form
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()))
            .collect();
        let path = format!("{}/{path}", self.base);
        stage.ask(&self.who, "POST", &path, &form).await.with(201)
    }

    fn know(&mut self, kind: &str, sid: &str) {
        self.objects.insert(kind.to_owned(), sid.to_owned());
    }

    /// The SID of the object of a kind.
    pub fn object(&self, kind: &str) -> &str {
        self.objects
            .get(kind)
            .unwrap_or_else(|| panic!("how does one make one of {kind}? (world.rs)"))
    }

    /// The path of an operation on this world's objects; none if the operation belongs to the other form of path.
    pub fn path(&self, operation: &Operation) -> Option<String> {
        let named = self.base != "/v1";
        let pattern = operation.pattern();
        let both = !pattern.starts_with("/v1/") || pattern == "/v1/Services";
        (named == operation.names_service() || both).then(|| self.swapped(operation, &[]))
    }

    /// The path of an operation on this world's objects, but with other names in some slots.
    pub fn swapped(&self, operation: &Operation, others: &[(usize, &str)]) -> String {
        let segments = operation.path.split('/').enumerate().map(|(at, segment)| {
            let Some((_, rest)) = segment.split_once('}') else {
                return segment.to_owned();
            };
            let other = others.iter().find(|(slot, _)| *slot == at);
            let name = other.map_or_else(|| self.object(&operation.kind(at)), |(_, name)| name);
            format!("{name}{rest}")
        });
        segments.collect::<Vec<_>>().join("/")
    }

    /// A value of a form, with this world's names in it.
    pub fn fill(&self, value: &str) -> String {
        let mut value = value
            .replace("{n}", &next().to_string())
            .replace("{hex}", &format!("{:032x}", next()))
            .replace("{digits}", &format!("{:07}", next()))
            .replace("{identity}", &self.identity);
        for (kind, sid) in &self.objects {
            value = value.replace(&format!("{{{kind}}}"), sid);
        }
        value
    }
}
