//! What does not exist, or not there, is absent: in every slot of every path, for every method.

use sqlx::PgPool;

use super::world::Stage;
use super::{facts, is_as_absent, snapshots, unknown};
use crate::support::{Credentials, text};

/// What stands at the beginning of a path does not belong to a service but to the account.
const OF_THE_ACCOUNT: &[&str] = &["Services", "Credentials", "Addresses", "mcs/Services"];

/// Kinds whose objects hold others: what hangs on one is absent under the next.
const HOLDERS: &[&str] = &["Conversations", "Messages", "Users", "messaging/Services"];

#[sqlx::test]
async fn unknown_names_name_nothing(pool: PgPool) {
    let stage = Stage::open(&pool).await;
    let owner = Credentials::owner();
    let worlds = [
        stage.default_world(&owner).await,
        stage.named_world(&owner).await,
    ];
    let before = snapshots(&stage, &[&worlds[0], &worlds[1]]).await;
    let long = "x".repeat(5000);
    for operation in &stage.operations {
        for world in &worlds {
            if world.path(operation).is_none() {
                continue;
            }
            for slot in operation.slots() {
                let kind = operation.kind(slot);
                let real = world.object(&kind);
                let wrong_kind = ["Messages", "Conversations"]
                    .into_iter()
                    .find(|other| *other != kind)
                    .map(|other| world.object(other));
                let (right_digits, one_short) = (format!("ZZ{}", &real[2..]), &real[..33]);
                let (one_long, lower) = (format!("{real}0"), real.to_lowercase());
                let odd = [
                    "%00",
                    "%ff",
                    "%",
                    "%zz",
                    "x%2Fy",
                    "%20",
                    "%E2%98%82",
                    "%27%3B%20drop%20table%20users",
                    "+",
                    "null",
                    "%22",
                    "%0d%0aX-Evil:%20yes",
                    "-1",
                    "*",
                    &long,
                ];
                let names = [
                    unknown(real).as_str(),
                    &right_digits,
                    one_short,
                    &one_long,
                    &lower,
                ]
                .into_iter()
                .chain(wrong_kind)
                .chain(odd)
                .map(str::to_owned)
                .collect::<Vec<_>>();
                for name in names {
                    let path = world.swapped(operation, &[(slot, &name)]);
                    let what = facts::good(operation, world);
                    let answer = stage
                        .server
                        .ask(Some(&owner), &operation.method, &path, &what)
                        .await;
                    let found = (answer.status.as_u16(), answer.code());
                    assert_eq!(
                        found,
                        (404, 20404),
                        "{} {path}: {}",
                        operation.method,
                        answer.body
                    );
                }
            }
        }
    }
    assert_eq!(before, snapshots(&stage, &[&worlds[0], &worlds[1]]).await);
    stage.server.stop().await;
}

#[sqlx::test]
async fn what_another_service_has_is_as_absent(pool: PgPool) {
    let stage = Stage::open(&pool).await;
    let owner = Credentials::owner();
    let (ours, theirs) = (
        stage.default_world(&owner).await,
        stage.named_world(&owner).await,
    );
    let others = stage.named_world(&owner).await;
    let all = [&ours, &theirs, &others];
    let before = snapshots(&stage, &all).await;
    for operation in &stage.operations {
        for (home, foreign) in [(&ours, &theirs), (&theirs, &others), (&theirs, &ours)] {
            if home.path(operation).is_none() {
                continue;
            }
            let slots = operation.slots();
            let inner: Vec<(usize, &str)> = slots
                .iter()
                .filter(|slot| !OF_THE_ACCOUNT.contains(&operation.kind(**slot).as_str()))
                .filter(|_| {
                    operation.path.starts_with("/v1/") || operation.path.starts_with("/mcs/")
                })
                .map(|slot| (*slot, foreign.object(&operation.kind(*slot))))
                .collect();
            for one in &inner {
                is_as_absent(&stage, operation, home, &[*one]).await;
            }
            if inner.len() > 1 {
                is_as_absent(&stage, operation, home, &inner).await;
            }
        }
    }
    assert_eq!(
        before,
        snapshots(&stage, &all).await,
        "something was changed from outside"
    );
    stage.server.stop().await;
}

#[sqlx::test]
async fn what_hangs_on_another_object_is_as_absent(pool: PgPool) {
    let stage = Stage::open(&pool).await;
    let owner = Credentials::owner();
    // Two worlds in one service: each has conversations, messages, users of its own.
    let (one, other) = (
        stage.default_world(&owner).await,
        stage.default_world(&owner).await,
    );
    let before = snapshots(&stage, &[&one, &other]).await;
    for operation in &stage.operations {
        if one.path(operation).is_none() {
            continue;
        }
        for pair in operation.slots().windows(2) {
            if HOLDERS.contains(&operation.kind(pair[0]).as_str()) {
                let foreign = other.object(&operation.kind(pair[1]));
                is_as_absent(&stage, operation, &one, &[(pair[1], foreign)]).await;
            }
        }
    }
    assert_eq!(before, snapshots(&stage, &[&one, &other]).await);
    stage.server.stop().await;
}

#[sqlx::test]
async fn names_hold_in_their_own_service_and_account(pool: PgPool) {
    let stage = Stage::open(&pool).await;
    let owner = Credentials::owner();
    let other = stage.server.another_account().await;
    let (ours, theirs) = (
        stage.default_world(&owner).await,
        stage.named_world(&owner).await,
    );
    let name = [("UniqueName", "the talk".to_owned())];
    let talk = stage
        .ask(&owner, "POST", "/v1/Conversations", &name)
        .await
        .with(201);
    let alice = [("Identity", "alice".to_owned())];
    let inside = format!("/v1/Conversations/{}/Participants", text(&talk, "sid"));
    stage.ask(&owner, "POST", &inside, &alice).await.with(201);
    let base = format!("/v1/Services/{}", theirs.object("Services"));
    for (path, status) in [
        ("/Conversations/the%20talk", 200),
        ("/Conversations/the%20talk/Participants/alice", 200),
        ("/Users/alice", 200),
        ("/Conversations/The%20Talk", 404),
        ("/Users/ALICE", 404),
    ] {
        let own = stage.ask(&owner, "GET", &format!("/v1{path}"), &[]).await;
        assert_eq!(own.status.as_u16(), status, "{path}");
        let in_other_service = stage
            .ask(&owner, "GET", &format!("{base}{path}"), &[])
            .await;
        assert_eq!(in_other_service.refused(404), 20404, "{path}");
        let in_other_account = stage.ask(&other, "GET", &format!("/v1{path}"), &[]).await;
        assert_eq!(in_other_account.refused(404), 20404, "{path}");
    }
    assert_ne!(ours.object("Services"), theirs.object("Services"));
    // The same names are free elsewhere.
    for (who, path) in [
        (&owner, format!("{base}/Conversations")),
        (&other, "/v1/Conversations".to_owned()),
    ] {
        stage.ask(who, "POST", &path, &name).await.with(201);
    }
    stage.server.stop().await;
}
