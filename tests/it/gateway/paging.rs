//! Pages of sync objects against a model: by place and by token, both ways, in both orders, over gaps.

use serde_json::{Value, json};
use sqlx::PgPool;

use super::sid;
use crate::support::socket::SocketClient;
use crate::support::{TestServer, text};

/// A collection as it should be read.
struct Model {
    path: String,
    /// The name of the place of an item.
    name: &'static str,
    /// The places, ascending, as they are printed.
    places: Vec<String>,
}

impl Model {
    async fn page(&self, client: &mut SocketClient, params: Value) -> (Vec<String>, Value) {
        let (status, page) = client.get(&self.path, params).await;
        assert_eq!(status, 200, "{page}");
        let items = page["items"].as_array().expect("items");
        let print = |place: &Value| {
            place
                .as_str()
                .map_or_else(|| place.to_string(), str::to_owned)
        };
        let places = items.iter().map(|item| print(&item[self.name])).collect();
        let meta = page["meta"].as_object().expect("meta");
        assert_eq!(meta.len(), 2, "{page}");
        (places, page["meta"].clone())
    }

    /// Follows a token until there is no other.
    async fn walk(
        &self,
        client: &mut SocketClient,
        mut meta: Value,
        token: &str,
    ) -> Vec<Vec<String>> {
        let mut pages = Vec::new();
        while let Some(next) = meta[token].as_str() {
            let (places, beyond) = self.page(client, json!({ "PageToken": next })).await;
            assert!(!places.is_empty(), "a page was promised");
            pages.push(places);
            meta = beyond;
        }
        pages
    }

    async fn hold(&self, client: &mut SocketClient, from: &[String]) {
        for order in ["asc", "desc"] {
            let mut all = self.places.clone();
            if order == "desc" {
                all.reverse();
            }
            for size in [1, 2, 3, all.len(), all.len() + 1] {
                let asked =
                    json!({ "PageSize": size.to_string(), "Order": order, "HideExpired": "true" });
                let (first, meta) = self.page(client, asked.clone()).await;
                let what = format!("{} {order} {size}", self.path);
                assert_eq!(first, all[..size.min(all.len())], "{what}");
                assert_eq!(meta["previous_token"], Value::Null, "{what}");
                assert_eq!(meta["next_token"].is_null(), size >= all.len(), "{what}");
                let rest = self.walk(client, meta, "next_token").await;
                assert_eq!([first, rest.concat()].concat(), all, "{what}");

                for from in from {
                    let mut asked = asked.clone();
                    asked["From"] = json!(from);
                    let before = all
                        .iter()
                        .take_while(|place| behind(place, from, order))
                        .count();
                    let (places, meta) = self.page(client, asked).await;
                    let what = format!("{what} from {from}");
                    let end = all.len().min(before + size);
                    assert_eq!(places, all[before..end], "{what}");
                    assert_eq!(meta["previous_token"].is_null(), before == 0, "{what}");
                    assert_eq!(meta["next_token"].is_null(), end == all.len(), "{what}");
                    let next = self.walk(client, meta.clone(), "next_token").await;
                    assert_eq!(next.concat(), all[end..], "{what}");
                    let mut previous = self.walk(client, meta, "previous_token").await;
                    previous.reverse();
                    assert_eq!(previous.concat(), all[..before], "{what}");
                }
            }
        }
        for place in &self.places {
            let (found, meta) = self.page(client, json!({ "Key": place })).await;
            assert_eq!(
                (found.as_slice(), &meta["next_token"]),
                (&[place.clone()][..], &Value::Null)
            );
        }
    }
}

/// Whether a place comes before another in an order. Numbers of different lengths are compared as numbers.
fn behind(place: &str, from: &str, order: &str) -> bool {
    let key = |text: &str| (text.len(), text.to_owned());
    if order == "asc" {
        key(place) < key(from)
    } else {
        key(place) > key(from)
    }
}

#[sqlx::test]
async fn pages_are_those_of_the_model_and_their_ends_are_true(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    let sid = sid(&talk).to_owned();
    let mut people = Vec::new();
    for n in 0..5 {
        let identity = if n == 0 {
            "alice".to_owned()
        } else {
            format!("member {n}")
        };
        let made = server
            .post(&format!("{talk}/Participants"), &[("Identity", &identity)])
            .await
            .with(201);
        people.push(text(&made, "sid"));
    }
    let mut messages = Vec::new();
    for _ in 0..13 {
        let made = server
            .post(&format!("{talk}/Messages"), &[("Body", "x")])
            .await
            .with(201);
        messages.push(text(&made, "sid"));
    }
    let gone = [0, 4, 5, 9, 12];
    for index in gone {
        let path = format!("{talk}/Messages/{}", messages[index]);
        server.delete(&path).await.with(204);
    }
    server
        .delete(&format!("{talk}/Participants/{}", people[2]))
        .await
        .with(204);
    let absent = people.remove(2);
    people.sort();
    let mut alice = server.socket("alice").await;
    let list = Model {
        path: format!("/v3/Lists/{sid}.messages/Items"),
        name: "index",
        places: (0..13)
            .filter(|n| !gone.contains(n))
            .map(|n: usize| n.to_string())
            .collect(),
    };
    let everywhere: Vec<String> = (0..15).map(|n| n.to_string()).collect();
    list.hold(&mut alice, &everywhere).await;
    let map = Model {
        path: format!("/v3/Maps/{sid}.roster/Items"),
        name: "key",
        places: people.clone(),
    };
    let first = "MB00000000000000000000000000000000".to_owned();
    let last = "MBffffffffffffffffffffffffffffffff".to_owned();
    let everywhere = [people, vec![absent.clone(), first, last]].concat();
    map.hold(&mut alice, &everywhere).await;
    // A place where nothing is, or that is none, is no error.
    for (model, key) in [
        (&list, "4"),
        (&list, "x"),
        (&map, absent.as_str()),
        (&map, "x"),
    ] {
        let (found, _) = model.page(&mut alice, json!({ "Key": key })).await;
        assert_eq!(found, Vec::<String>::new(), "{key}");
    }
    server.stop().await;
}

#[sqlx::test]
async fn a_page_that_was_emptied_meanwhile_leads_back(pool: PgPool) {
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    let sid = sid(&talk).to_owned();
    server
        .post(&format!("{talk}/Participants"), &[("Identity", "alice")])
        .await
        .with(201);
    let mut messages = Vec::new();
    for _ in 0..4 {
        let made = server
            .post(&format!("{talk}/Messages"), &[("Body", "x")])
            .await
            .with(201);
        messages.push(text(&made, "sid"));
    }
    let mut alice = server.socket("alice").await;
    let list = Model {
        path: format!("/v3/Lists/{sid}.messages/Items"),
        name: "index",
        places: Vec::new(),
    };
    let asked = json!({ "PageSize": "2", "Order": "desc" });
    let (_, meta) = list.page(&mut alice, asked).await;
    for gone in &messages[..2] {
        server
            .delete(&format!("{talk}/Messages/{gone}"))
            .await
            .with(204);
    }
    let next = json!({ "PageToken": meta["next_token"] });
    let (places, meta) = list.page(&mut alice, next).await;
    assert_eq!((places.len(), &meta["next_token"]), (0, &Value::Null));
    let back = json!({ "PageToken": meta["previous_token"] });
    let (places, meta) = list.page(&mut alice, back).await;
    assert_eq!(places, ["3", "2"]);
    assert_eq!(meta, json!({ "previous_token": null, "next_token": null }));
    server.stop().await;
}

#[sqlx::test]
async fn pages_of_the_longest_messages_end_early_and_lead_on(pool: PgPool) {
    const ALL: usize = 70;
    // What 30 of the longest messages hold; the one after those is still taken in.
    const MOST: usize = 30 * 37 * 1024;
    let server = TestServer::start(&pool).await;
    let talk = server.conversation(&[]).await;
    let sid = sid(&talk).to_owned();
    server
        .post(&format!("{talk}/Participants"), &[("Identity", "alice")])
        .await
        .with(201);
    let body = "x".repeat(32 * 1024);
    let attributes = format!("\"{}\"", "y".repeat(4 * 1024 - 2));
    for _ in 0..ALL {
        let form = [("Body", &*body), ("Attributes", &*attributes)];
        let path = format!("{talk}/Messages");
        server.post(&path, &form).await.with(201);
    }
    let mut alice = server.socket("alice").await;
    let list = Model {
        path: format!("/v3/Lists/{sid}.messages/Items"),
        name: "index",
        places: (0..ALL).map(|n| n.to_string()).collect(),
    };
    for order in ["asc", "desc"] {
        let mut all = list.places.clone();
        if order == "desc" {
            all.reverse();
        }
        let asked = json!({ "PageSize": "100", "Order": order });
        let (status, page) = alice.get(&list.path, asked.clone()).await;
        assert_eq!(status, 200, "{page}");
        let text: usize = page["items"]
            .as_array()
            .expect("items")
            .iter()
            .map(|item| text(&item["data"], "text").len() + text(&item["data"], "attributes").len())
            .sum();
        assert!((MOST..=MOST + 64 * 1024).contains(&text), "{text}");

        // On from token to token, and back.
        let (first, meta) = list.page(&mut alice, asked.clone()).await;
        assert_eq!(meta["previous_token"], Value::Null);
        let mut pages = list.walk(&mut alice, meta, "next_token").await;
        assert!(pages.len() > 1, "{pages:?}");
        pages.insert(0, first);
        assert_eq!(pages.concat(), all);
        let last = json!({ "From": all[ALL - 1], "PageSize": "100", "Order": order });
        let (end, meta) = list.page(&mut alice, last).await;
        let mut before = list.walk(&mut alice, meta, "previous_token").await;
        before.reverse();
        assert_eq!([before.concat(), end].concat(), all);

        // On from the last one that is there, as the SDK asks.
        let mut had = Vec::new();
        loop {
            let mut asked = asked.clone();
            if let Some(last) = had.last() {
                asked["From"] = json!(last);
            }
            let (places, meta) = list.page(&mut alice, asked).await;
            let is_new = |place: &String| Some(place) != had.last();
            let new: Vec<String> = places
                .iter()
                .filter(|place| is_new(place))
                .cloned()
                .collect();
            assert!(!new.is_empty(), "a page was promised");
            had.extend(new);
            if meta["next_token"].is_null() {
                break;
            }
        }
        assert_eq!(had, all);

        // What an SDK asks for unless it is told otherwise is whole.
        let asked = json!({ "PageSize": "30", "Order": order });
        let (page, _) = list.page(&mut alice, asked).await;
        assert_eq!(page, all[..30]);
    }
    // Many at once are answered one turn after the other, each as if it were alone.
    let paths = vec![list.path.clone(); 20];
    for (status, page) in alice.read_all(&paths).await {
        assert_eq!(status, 200, "{page}");
        assert_eq!(page["items"].as_array().map(Vec::len), Some(31));
    }
}
