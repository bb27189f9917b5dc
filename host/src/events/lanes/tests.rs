use std::{future::pending, sync::Mutex, time::Duration};

use futures::{FutureExt, future::BoxFuture};

use super::*;
use crate::{events::BusError, limits::SMALL_EVENT_BYTES};

/// Takes every event but one, which it refuses each time.
struct Fussy {
    refuses: Uuid,
    seen: Mutex<Vec<Uuid>>,
}

impl Bus for Fussy {
    fn publish<'a>(&'a self, event: &'a Event) -> Result<BoxFuture<'a, Result<(), BusError>>, BusError> {
        self.seen.lock().unwrap().push(event.id);
        let refused = event.id == self.refuses;
        let outcome = if refused { Err(BusError::Refused("too long".to_owned())) } else { Ok(()) };
        Ok(async { outcome }.boxed())
    }
}

fn event(number: u128) -> Event {
    Event {
        id: Uuid::from_u128(number),
        topic: "topic".to_owned(),
        key: "key".to_owned(),
        kind: "KIND".to_owned(),
        source: "/source".to_owned(),
        time: "2026-01-01T00:00:00Z".to_owned(),
        traceparent: None,
        value: "{}".to_owned(),
    }
}

/// Takes nothing, ever.
struct Silent;

impl Bus for Silent {
    fn publish<'a>(&'a self, _: &'a Event) -> Result<BoxFuture<'a, Result<(), BusError>>, BusError> {
        Ok(pending().boxed())
    }
}

async fn hand_over(lanes: &mut Lanes, numbers: [u128; 3]) -> Vec<Uuid> {
    lanes.open(numbers.map(event).into());
    let mut taken = Vec::new();
    while lanes.are_open() {
        lanes.told().await;
        taken.extend(lanes.taken());
        lanes.marked();
    }
    taken
}

#[tokio::test]
async fn an_event_that_is_refused_again_and_again_is_overtaken_once_at_most() {
    let bus = Arc::new(Fussy { refuses: Uuid::from_u128(2), seen: Mutex::default() });
    let mut lanes = Lanes::new(bus.clone(), CancellationToken::new());
    assert_eq!(hand_over(&mut lanes, [1, 2, 3]).await, [Uuid::from_u128(1)]);
    bus.seen.lock().unwrap().clear();
    assert!(hand_over(&mut lanes, [2, 3, 4]).await.is_empty());
    assert_eq!(*bus.seen.lock().unwrap(), [Uuid::from_u128(2)], "nothing behind it was handed over");
}

#[tokio::test]
async fn an_event_that_is_refused_for_its_size_is_not_overtaken() {
    let bus = Arc::new(Fussy { refuses: Uuid::from_u128(3), seen: Mutex::default() });
    let mut lanes = Lanes::new(bus.clone(), CancellationToken::new());
    let large = Event { value: "x".repeat(SMALL_EVENT_BYTES), ..event(3) };
    lanes.open(vec![event(1), event(2), large, event(4)]);
    while lanes.are_open() {
        lanes.told().await;
        lanes.marked();
    }
    assert_eq!(*bus.seen.lock().unwrap(), [1, 2, 3].map(Uuid::from_u128));
}

#[tokio::test]
async fn a_topic_is_full_when_it_has_many_bytes_in_hand_however_few_its_keys() {
    let mut lanes = Lanes::new(Arc::new(Silent), CancellationToken::new());
    let large = |topic: &str, number: u128| Event {
        topic: topic.to_owned(),
        key: number.to_string(),
        value: "x".repeat(LANES_BYTES_PER_TOPIC / 2),
        ..event(number)
    };
    lanes.open(vec![large("topic", 1), event(2)]);
    assert!(lanes.full_topics().is_empty());
    lanes.open(vec![large("topic", 3), large("other", 4)]);
    assert_eq!(lanes.full_topics(), ["topic"]);
    assert_eq!(lanes.are_full(&lanes.full_topics()), Full::Some);
}

#[tokio::test]
async fn what_was_taken_of_a_topic_makes_room_on_it() {
    let bus = Arc::new(Fussy { refuses: Uuid::nil(), seen: Mutex::default() });
    let mut lanes = Lanes::new(bus, CancellationToken::new());
    lanes.open(vec![Event { value: "x".repeat(LANES_BYTES_PER_TOPIC), ..event(1) }]);
    assert_eq!(lanes.full_topics(), ["topic"]);
    while lanes.are_open() {
        lanes.told().await;
        lanes.marked();
    }
    assert!(lanes.full_topics().is_empty());
}

#[tokio::test]
async fn a_key_that_rests_keeps_nobody_from_stopping() {
    let bus = Arc::new(Fussy { refuses: Uuid::from_u128(1), seen: Mutex::default() });
    let stopping = CancellationToken::new();
    let mut lanes = Lanes::new(bus, stopping.clone());
    let refused_often = 20;
    lanes.refused.insert(("topic".to_owned(), "key".to_owned()), refused_often);
    lanes.open(vec![event(1)]);
    stopping.cancel();
    tokio::time::timeout(Duration::from_secs(10), lanes.told()).await.expect("it rests no more");
    assert_eq!(lanes.refused[&("topic".to_owned(), "key".to_owned())], refused_often + 1);
}
