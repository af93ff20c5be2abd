//! Strangers learn nothing, and accounts nothing of each other.

use std::collections::BTreeSet;

use regex::Regex;
use serde_json::Value;
use sqlx::PgPool;

use super::world::Stage;
use super::{facts, is_as_absent, snapshots};
use crate::support::Credentials;

#[sqlx::test]
async fn no_operation_answers_without_good_credentials(pool: PgPool) {
    let stage = Stage::open(&pool).await;
    let owner = Credentials::owner();
    let other = stage.server.another_account().await;
    let worlds = [
        stage.default_world(&owner).await,
        stage.named_world(&owner).await,
    ];
    let before = snapshots(&stage, &[&worlds[0], &worlds[1]]).await;
    let mixed = Credentials {
        user: owner.user.clone(),
        password: other.password.clone(),
    };
    let wrong = Credentials {
        user: owner.user.clone(),
        password: owner.password.to_uppercase(),
    };
    let nobody = Credentials {
        user: "AC00000000000000000000000000000099".to_owned(),
        password: owner.password.clone(),
    };
    for operation in &stage.operations {
        for world in &worlds {
            let Some(path) = world.path(operation) else {
                continue;
            };
            let what = facts::good(operation, world);
            for who in [None, Some(&mixed), Some(&wrong), Some(&nobody)] {
                let answer = stage.server.ask(who, &operation.method, &path, &what).await;
                assert_eq!(
                    (answer.status.as_u16(), answer.code()),
                    (401, 20003),
                    "{path}"
                );
            }
        }
    }
    assert_eq!(before, snapshots(&stage, &[&worlds[0], &worlds[1]]).await);
    stage.server.stop().await;
}

#[sqlx::test]
async fn what_another_account_has_is_as_absent(pool: PgPool) {
    let stage = Stage::open(&pool).await;
    let owner = Credentials::owner();
    let other = stage.server.another_account().await;
    let ours = [
        stage.default_world(&owner).await,
        stage.named_world(&owner).await,
    ];
    let theirs = [
        stage.default_world(&other).await,
        stage.named_world(&other).await,
    ];
    let all = [&ours[0], &ours[1], &theirs[0], &theirs[1]];
    let before = snapshots(&stage, &all).await;
    for operation in &stage.operations {
        for (victim, thief) in ours.iter().zip(&theirs) {
            if victim.path(operation).is_none() {
                continue;
            }
            let slots = operation.slots();
            let foreign: Vec<(usize, &str)> = slots
                .iter()
                .map(|slot| (*slot, victim.object(&operation.kind(*slot))))
                .collect();
            for one in &foreign {
                is_as_absent(&stage, operation, thief, &[*one]).await;
            }
            if foreign.len() > 1 {
                is_as_absent(&stage, operation, thief, &foreign).await;
            }
        }
    }
    assert_eq!(
        before,
        snapshots(&stage, &all).await,
        "something was changed from outside"
    );
    let (ours, theirs) = (sids(&before[..2]), sids(&before[2..]));
    assert!(ours.len() > 20 && theirs.len() > 20);
    assert_eq!(
        ours.intersection(&theirs).next(),
        None,
        "something of one is shown to the other"
    );
    stage.server.stop().await;
}

/// All SIDs that are printed anywhere.
fn sids(seen: &[std::collections::BTreeMap<String, Value>]) -> BTreeSet<String> {
    let sid = Regex::new("[A-Z]{2}[0-9a-f]{32}").expect("a pattern");
    let bodies = seen
        .iter()
        .flat_map(|snapshot| snapshot.values().map(Value::to_string));
    bodies
        .flat_map(|body| {
            sid.find_iter(&body)
                .map(|found| found.as_str().to_owned())
                .collect::<Vec<_>>()
        })
        .collect()
}
