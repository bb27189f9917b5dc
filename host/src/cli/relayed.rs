//! How a relay stands, for people.

use super::{table::aligned, text::harmless};
use crate::control::{OutboxStatus, RelayStatus, SubscriberStatus, Unreached};

/// The outboxes, those who get their events, and what keeps any of these from being reached.
pub(super) fn table(relay: &RelayStatus) -> String {
    let RelayStatus { target, outboxes, subscribers, unreached } = relay;
    let mut outboxes_told = vec![["outbox of", "waiting", "refused"].map(str::to_owned)];
    outboxes_told.extend(outboxes.iter().map(|OutboxStatus { component, waiting, refused }| {
        [component.clone(), waiting.to_string(), refused.to_string()]
    }));
    let heads = ["subscriber", "topic", "taken", "retries", "rejected", "parked", "lag"];
    let mut subscribers_told = vec![heads.map(str::to_owned)];
    subscribers_told.extend(subscribers.iter().map(|subscriber| {
        let SubscriberStatus { component, topic, taken, retries, rejected, parked, lag } = subscriber;
        let [taken, retries, rejected, parked] = [taken, retries, rejected, parked].map(u64::to_string);
        [component.clone(), topic.clone(), taken, retries, rejected, parked, lag.to_string()]
    }));
    let unreached: String = unreached
        .iter()
        .map(|Unreached { component, reason }| format!("{component} is not reached: {}\n", harmless(reason)))
        .collect();
    let (outboxes, subscribers) = (aligned(&outboxes_told), aligned(&subscribers_told));
    format!("relays to {target}\n\n{outboxes}\n{subscribers}{unreached}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_and_who_is_not_reached_stand_in_it() {
        let subscriber = SubscriberStatus {
            component: "lamps".to_owned(),
            topic: "desk-events".to_owned(),
            taken: 7,
            retries: 2,
            rejected: 1,
            parked: 3,
            lag: 0,
        };
        let told = table(&RelayStatus {
            target: "http://127.0.0.1:3000".to_owned(),
            outboxes: vec![OutboxStatus { component: "desks".to_owned(), waiting: 4, refused: 0 }],
            subscribers: vec![subscriber],
            unreached: vec![Unreached { component: "lamps".to_owned(), reason: "\u{1b}[31mnobody".to_owned() }],
        });
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let lines: Vec<Vec<String>> = told.lines().map(words).collect();
        assert_eq!(lines[0], ["relays", "to", "http://127.0.0.1:3000"]);
        assert_eq!(lines[3], ["desks", "4", "0"]);
        assert_eq!(lines[6], ["lamps", "desk-events", "7", "2", "1", "3", "0"]);
        assert!(told.ends_with("lamps is not reached: \\u{1b}[31mnobody\n"), "{told}");
    }
}
