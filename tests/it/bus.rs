//! What every bus promises, whatever it is made of.

use std::sync::Arc;

use convoke::bus::local::LocalBus;
use convoke::bus::nats::{self, NatsBus};
use convoke::bus::{Bus, Heard, Listener, Parcel, Typist};
use convoke::domain::{ConversationSid, Identity, UserSid};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::support::{NatsServer, wait};

/// One of each kind; the NATS server and the carrying end when they are dropped.
struct Buses {
    all: Vec<Arc<dyn Bus>>,
    _nats: NatsServer,
    _carrying: JoinSet<()>,
}

async fn buses() -> Buses {
    let nats = NatsServer::start().await;
    let mut carrying = JoinSet::new();
    let (far, _) = node(&nats, &mut carrying).await;
    // The gap that comes with the connection is told before a test begins to listen.
    wait::until("the bus is reached", async || far.was_reached()).await;
    Buses {
        all: vec![Arc::new(LocalBus::new()), far],
        _nats: nats,
        _carrying: carrying,
    }
}

/// The bus of one node, and what stops it.
async fn node(nats: &NatsServer, carrying: &mut JoinSet<()>) -> (Arc<NatsBus>, CancellationToken) {
    let (bus, carrier) = nats::connect(&nats.url(), "tests").await.expect("a bus");
    let stopped = CancellationToken::new();
    carrying.spawn(carrier.run(stopped.clone()));
    (Arc::new(bus), stopped)
}

/// A parcel that can be told from others.
fn parcel(number: u128) -> Parcel {
    Parcel::Typing(Typist {
        conversation: ConversationSid::from_uuid(Uuid::from_u128(number)),
        user: UserSid::from_uuid(Uuid::from_u128(1)),
        identity: Identity::parse("alice".to_owned()).expect("an identity"),
    })
}

fn number(parcel: &Parcel) -> u128 {
    match parcel {
        Parcel::Typing(typist) => typist.conversation.uuid().as_u128(),
        Parcel::Committed(_) => panic!("nobody committed anything"),
    }
}

async fn hear(listener: &mut Listener) -> Option<u128> {
    match listener.hear().await {
        Heard::Parcel(parcel) => Some(number(&parcel)),
        Heard::Gap => None,
        Heard::End => panic!("the bus ended"),
    }
}

#[tokio::test]
async fn everybody_hears_everything_in_order() {
    for bus in &buses().await.all {
        let mut listeners: Vec<Listener> = (0..3).map(|_| bus.listen()).collect();
        for n in 0..1000 {
            bus.publish(parcel(n));
        }
        for listener in &mut listeners {
            for n in 0..1000 {
                assert_eq!(hear(listener).await, Some(n));
            }
        }
    }
}

#[tokio::test]
async fn parcels_of_one_publisher_stay_in_order_among_those_of_others() {
    for bus in &buses().await.all {
        let mut listener = bus.listen();
        let mut publishers = JoinSet::new();
        for publisher in 0..4_u128 {
            let bus = Arc::clone(bus);
            publishers.spawn(async move {
                for n in 0..500 {
                    bus.publish(parcel(publisher * 1000 + n));
                    tokio::task::yield_now().await;
                }
            });
        }
        let mut next = [0; 4];
        for _ in 0..2000 {
            let heard = hear(&mut listener).await.expect("a parcel");
            let publisher = usize::try_from(heard / 1000).expect("a publisher");
            assert_eq!(heard % 1000, next[publisher]);
            next[publisher] += 1;
        }
        publishers.join_all().await;
    }
}

#[tokio::test]
async fn who_comes_later_hears_what_is_published_later() {
    for bus in &buses().await.all {
        bus.publish(parcel(1));
        let mut listener = bus.listen();
        bus.publish(parcel(2));
        assert_eq!(hear(&mut listener).await, Some(2));
    }
}

#[tokio::test]
async fn who_is_too_slow_is_told_of_the_gap_and_hears_on() {
    for bus in &buses().await.all {
        let mut listener = bus.listen();
        for n in 0..100_000 {
            bus.publish(parcel(n));
        }
        assert_eq!(
            hear(&mut listener).await,
            None,
            "a gap comes before what lies behind it"
        );
        let mut last = hear(&mut listener).await.expect("a parcel");
        while last != 99_999 {
            let next = hear(&mut listener).await.expect("one gap is told once");
            assert_eq!(next, last + 1);
            last = next;
        }
    }
}

/// Two nodes that hear each other: the first and what stops it, and a listener on the second.
async fn two_nodes(
    nats: &NatsServer,
    carrying: &mut JoinSet<()>,
) -> (Arc<NatsBus>, CancellationToken, Listener) {
    let (one, stop) = node(nats, carrying).await;
    let (other, _) = node(nats, carrying).await;
    let mut listener = other.listen();
    // Subscriptions take effect some time after they are asked for.
    let mut tries = 0;
    wait::until("the nodes hear each other", async || {
        one.publish(parcel(tries));
        tries += 1;
        let heard = tokio::time::timeout(std::time::Duration::from_millis(50), hear(&mut listener));
        matches!(heard.await, Ok(Some(_)))
    })
    .await;
    // What is still on its way comes before this.
    one.publish(parcel(u128::MAX));
    while hear(&mut listener).await != Some(u128::MAX) {}
    (one, stop, listener)
}

#[tokio::test]
async fn nodes_hear_each_other_in_order_and_themselves_once() {
    let nats = NatsServer::start().await;
    let mut carrying = JoinSet::new();
    let (one, _, mut far) = two_nodes(&nats, &mut carrying).await;
    let mut near = one.listen();
    for n in 0..1000 {
        one.publish(parcel(n));
    }
    for n in 0..1000 {
        assert_eq!(hear(&mut far).await, Some(n));
        assert_eq!(hear(&mut near).await, Some(n));
    }
}

#[tokio::test]
async fn a_node_that_stops_has_told_all_it_had_to() {
    let nats = NatsServer::start().await;
    let mut carrying = JoinSet::new();
    let (one, stop, mut far) = two_nodes(&nats, &mut carrying).await;
    for n in 0..1000 {
        one.publish(parcel(n));
    }
    stop.cancel();
    carrying
        .join_next()
        .await
        .expect("one stops")
        .expect("well");
    for n in 0..1000 {
        assert_eq!(hear(&mut far).await, Some(n));
    }
}

#[tokio::test]
async fn who_was_cut_off_is_told_of_the_gap_and_hears_on() {
    let mut nats = NatsServer::start().await;
    let mut carrying = JoinSet::new();
    let (one, _, mut far) = two_nodes(&nats, &mut carrying).await;
    nats.kill();
    let mut near = one.listen();
    one.publish(parcel(1));
    assert_eq!(
        hear(&mut near).await,
        Some(1),
        "a node hears itself without NATS"
    );
    nats.start_again().await;
    assert_eq!(hear(&mut far).await, None, "first of all the gap is told");
    let mut number = 2;
    wait::until("the nodes hear each other again", async || {
        one.publish(parcel(number));
        number += 1;
        let heard = tokio::time::timeout(std::time::Duration::from_millis(50), hear(&mut far));
        matches!(heard.await, Ok(Some(_)))
    })
    .await;
}
