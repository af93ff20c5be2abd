//! What every bus promises, whatever it is made of.

use std::sync::Arc;

use convoke::bus::local::LocalBus;
use convoke::bus::{Bus, Heard, Listener, Parcel, Typist};
use convoke::domain::{ConversationSid, Identity, UserSid};
use tokio::task::JoinSet;
use uuid::Uuid;

fn buses() -> Vec<Arc<dyn Bus>> {
    vec![Arc::new(LocalBus::new())]
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
    for bus in buses() {
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
    for bus in buses() {
        let mut listener = bus.listen();
        let mut publishers = JoinSet::new();
        for publisher in 0..4_u128 {
            let bus = Arc::clone(&bus);
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
    for bus in buses() {
        bus.publish(parcel(1));
        let mut listener = bus.listen();
        bus.publish(parcel(2));
        assert_eq!(hear(&mut listener).await, Some(2));
    }
}

#[tokio::test]
async fn who_is_too_slow_is_told_of_the_gap_and_hears_on() {
    for bus in buses() {
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
