//! Lists stay fast when much is stored: the plan of every statement behind every list is looked at, with a million
//! messages and a hundred thousand conversations. No big table is read from end to end, nothing is sorted but what an
//! index has narrowed down, and no statement touches more rows than a few pages hold.

mod captured;

use serde_json::Value;
use sqlx::{ConnectOptions as _, Executor as _, PgPool};

use crate::rest::operations::document::{self, Operation};
use crate::support::{TestServer, server::ACCOUNT_SID};

/// No node of a plan may bring more rows than this: all participants of the largest conversation, a few pages, or the two
/// thousand messages that a search looks through at a time.
const MOST_ROWS: f64 = 2100.0;
/// The same for the list of a user's own conversations, which is cut from all of them: no index can have its order without
/// being moved by every message. The user of the test has three thousand.
const MOST_OWN_ROWS: f64 = 3100.0;

/// Parameters of lists with values that something matches.
const VALUES: &[(&str, &[&str])] = &[
    ("State", &["active", "closed"]),
    ("StartDate", &["2026-01-10"]),
    ("EndDate", &["2026-02-01"]),
    ("Order", &["asc", "desc"]),
    ("SortBy", &["date_created", "last_message"]),
    ("Total", &["true"]),
    ("Include", &["last_message"]),
    ("Search", &["word7", "hello", "user 7", "talk 77", "talk"]),
    ("BindingType", &["fcm"]),
    ("Type", &["sms", "whatsapp"]),
    ("From", &["+155577"]),
    ("To", &["+166677"]),
];

#[sqlx::test]
async fn no_list_reads_more_than_its_page(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let mut filling = pool.acquire().await.expect("a connection");
    filling
        .execute(include_str!("fill.sql"))
        .await
        .expect("filled");
    let name = sqlx::query_scalar("select current_database()")
        .fetch_one(&mut *filling)
        .await;
    let name: String = name.expect("a name");
    // Every connection that is made from now on tells the plan of each of its statements.
    for setting in [
        "session_preload_libraries = 'auto_explain'",
        "auto_explain.log_min_duration = 0",
        "auto_explain.log_analyze = on",
        "auto_explain.log_timing = off",
        "auto_explain.log_format = json",
        "auto_explain.log_level = notice",
        "auto_explain.log_nested_statements = on",
    ] {
        let statement = format!("alter database \"{name}\" set {setting}");
        filling
            .execute(sqlx::AssertSqlSafe(statement))
            .await
            .expect("set");
    }
    drop(filling);
    server.stop().await;

    let (log, _listening) = captured::start();
    // Proof that a bad plan is seen.
    let mut conn = pool
        .connect_options()
        .connect()
        .await
        .expect("a connection");
    conn.execute("select sid from messages where author = 'nobody'")
        .await
        .expect("run");
    let told = log.take();
    assert!(
        told.iter()
            .any(|statement| complaint(&statement.plan, MOST_ROWS).is_some()),
        "{told:?}"
    );

    let server = TestServer::start(&pool).await;
    let (mut looked, mut complaints) = (0, Vec::new());
    let operations = document::read(&server).await;
    for path in operations.iter().flat_map(paths) {
        // The first page, the second, and the first again from behind.
        let mut asked = Some(path);
        for (new, old) in [
            ("next_page_url", "next_page_uri"),
            ("previous_page_url", "previous_page_uri"),
            ("", ""),
        ] {
            let Some(path) = asked.take() else { break };
            log.take();
            let answer = server.get(&path).await;
            // The tokens of accounts that SQL made cannot be opened; the statement has run all the same.
            let unsealed = path.ends_with("/Accounts.json");
            assert!(answer.status == 200 || unsealed, "{path}: {}", answer.body);
            let page = answer.body;
            let most = if path.starts_with("/v1/Users/") {
                MOST_OWN_ROWS
            } else {
                MOST_ROWS
            };
            for statement in log.take() {
                looked += 1;
                // `Total` asks for a count of all rows, which is what it costs.
                if path.contains("Total=true") && statement.text.starts_with("select count(*)") {
                    continue;
                }
                let what = complaint(&statement.plan, most);
                complaints.extend(what.map(|what| format!("{path}: {what}\n{statement}")));
            }
            let rows = page
                .as_object()
                .and_then(|page| page.values().find_map(Value::as_array));
            let narrowed = path.contains('?') || unsealed;
            assert!(
                narrowed || rows.is_some_and(|rows| !rows.is_empty()),
                "{path} has rows: {page}"
            );
            let link = page["meta"][new].as_str().or_else(|| page[old].as_str());
            asked = link.map(|link| link.replace(&server.url(""), ""));
        }
    }
    assert!(looked > 100, "plans were told: {looked}");
    assert!(
        complaints.is_empty(),
        "{} of {looked}:\n{}",
        complaints.len(),
        complaints.join("\n")
    );
    server.stop().await;
}

/// What to ask a list for: as it is, with each parameter, with each two of them.
fn paths(operation: &Operation) -> Vec<String> {
    let Some(path) = place(operation) else {
        return Vec::new();
    };
    if operation.path.ends_with("/ParticipantConversations") {
        let people = [
            "Identity=user+1",
            "Identity=user+77777",
            "Address=%2B15550000077",
        ];
        return people.map(|who| format!("{path}?{who}")).into();
    }
    if operation.path == "/iam/v1/Keys" {
        return vec![format!("{path}?AccountSid={ACCOUNT_SID}")];
    }
    let mut singles = Vec::new();
    for (name, values) in VALUES {
        if operation.params.iter().any(|param| param.name == *name) {
            singles.extend(values.iter().map(|value| {
                let mut query = form_urlencoded::Serializer::new(String::new());
                (*name, query.append_pair(name, value).finish())
            }));
        }
    }
    let mut all = vec![path.clone()];
    for (at, (name, query)) in singles.iter().enumerate() {
        all.push(format!("{path}?{query}"));
        let others = singles[at + 1..].iter().filter(|(other, _)| other != name);
        all.extend(others.map(|(_, more)| format!("{path}?{query}&{more}")));
    }
    all
}

/// Where a list is in the filled database. None for what is no list, and for those of a named service, which run the
/// same statements.
fn place(operation: &Operation) -> Option<String> {
    let listed = operation.list.is_some() || operation.path.ends_with(".json");
    let last_is_slot = operation.path.trim_end_matches(".json").ends_with('}');
    let named =
        operation.path.starts_with("/v1/Services/{") && !operation.path.ends_with("/Bindings");
    if operation.method != "GET" || !listed || last_is_slot || named {
        return None;
    }
    let mut path = operation.path.clone();
    for slot in operation.slots() {
        let segments: Vec<&str> = operation.path.split('/').collect();
        let name = match operation.kind(slot).as_str() {
            "Conversations" => sid("CH", '1', 1),
            "Messages" => sid("IM", '1', 500_000),
            "Users" => sid("US", '1', 1),
            "Services" => sid("IS", '1', 1),
            "messaging/Services" => sid("MG", '1', 1),
            "api/Accounts" => ACCOUNT_SID.to_owned(),
            other => panic!("where is a list of {other}?"),
        };
        path = path.replacen(segments[slot].trim_end_matches(".json"), &name, 1);
    }
    Some(path)
}

/// The SID of a row of fill.sql.
fn sid(prefix: &str, kind: char, n: u32) -> String {
    format!("{prefix}000000000000700{kind}8000{n:012x}")
}

/// What is wrong with a plan.
fn complaint(plan: &Value, most_rows: f64) -> Option<String> {
    let kind = plan["Node Type"].as_str().unwrap_or_default();
    let number = |key: &str| plan[key].as_f64().unwrap_or_default();
    let rows = (number("Actual Rows")
        + number("Rows Removed by Filter")
        + number("Rows Removed by Index Recheck"))
        * number("Actual Loops");
    // A bitmap only marks where rows are; the node above it brings them.
    if rows > most_rows && kind != "Bitmap Index Scan" {
        return Some(format!("{kind} brings {rows} rows"));
    }
    if kind == "Seq Scan" && number("Plan Rows") > most_rows {
        return Some(format!("{kind} of {}", plan["Relation Name"]));
    }
    plan["Plans"]
        .as_array()
        .into_iter()
        .flatten()
        .find_map(|plan| complaint(plan, most_rows))
}
