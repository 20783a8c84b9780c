//! Coalescing of what happens often and of which only the last state matters: who types, what was read.

use mainstay_core::api::events::{EventType, PublishEvent};
use mainstay_core::api::{RawJson, Timestamp};
use serde_json::{Map, Value};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::time::Duration;

/// Keys that are coalesced at a time; what comes beyond them passes as it is.
const MAX_KEYS: usize = 65_536;

/// Lets the first event of a key pass, and after that, for as long as more come, the last one at the end of each window.
/// So steady typing shows all the time, and what comes last always arrives: a stop after a start is never lost or overtaken.
///
/// It keeps no time of its own: whoever has it asks for what is due.
pub struct Typing<K, T> {
    /// Events of one key are at least this far apart.
    window: Duration,
    /// The keys in a window, with what waits for its end.
    keys: HashMap<K, Option<T>>,
    /// When the windows end, in that order.
    ends: VecDeque<(Timestamp, K)>,
    coalesced: u64,
}

/// What became of an event.
#[derive(Debug, PartialEq, Eq)]
pub enum Offered<T> {
    /// It is to be published now.
    Now(T),
    /// It waits for the end of its window, or for a later one to take its place.
    Held,
}

impl<K: Hash + Eq + Clone, T> Typing<K, T> {
    /// Coalesces within a window.
    #[must_use]
    pub fn new(window: Duration) -> Self {
        Self { window, keys: HashMap::new(), ends: VecDeque::new(), coalesced: 0 }
    }

    /// Takes an event. `join` makes one of two: the earlier, which waits, and the later.
    pub fn offer(&mut self, key: K, event: T, now: Timestamp, join: impl FnOnce(T, T) -> T) -> Offered<T> {
        let full = self.keys.len() >= MAX_KEYS;
        match self.keys.entry(key) {
            Entry::Occupied(mut held) => {
                let joined = match held.get_mut().take() {
                    Some(earlier) => {
                        self.coalesced += 1;
                        join(earlier, event)
                    }
                    None => event,
                };
                held.insert(Some(joined));
                Offered::Held
            }
            Entry::Vacant(_) if full => Offered::Now(event),
            Entry::Vacant(free) => {
                self.ends.push_back((now.after(self.window), free.key().clone()));
                free.insert(None);
                Offered::Now(event)
            }
        }
    }

    /// Takes what is to be published now, in the order in which it became due.
    pub fn due(&mut self, now: Timestamp) -> Vec<(K, T)> {
        let mut due = Vec::new();
        while self.ends.front().is_some_and(|(end, _)| *end <= now) {
            let Some((_, key)) = self.ends.pop_front() else { break };
            match self.keys.get_mut(&key).and_then(Option::take) {
                Some(event) => {
                    // Another window begins with it.
                    self.ends.push_back((now.after(self.window), key.clone()));
                    due.push((key, event));
                }
                None => drop(self.keys.remove(&key)),
            }
        }
        due
    }

    /// When to ask for what is due next; never where nothing was offered lately.
    #[must_use]
    pub fn next_due(&self) -> Option<Timestamp> {
        self.ends.front().map(|(end, _)| *end)
    }

    /// How many events were left out because a later one stands for them.
    #[must_use]
    pub fn coalesced(&self) -> u64 {
        self.coalesced
    }
}

/// Whether events of a type are coalesced, and with which others: a start and a stop stand for each other.
#[must_use]
pub fn coalesced_with(kind: &EventType) -> Option<&'static str> {
    match kind.as_str() {
        "typing_start" | "typing_stop" => Some("typing"),
        "read_receipt" => Some("read_receipt"),
        _ => None,
    }
}

/// Makes one event of two: the later one, which says for how many it stands. Of receipts, the messages of both are read.
#[must_use]
pub fn join(earlier: PublishEvent, mut later: PublishEvent) -> PublishEvent {
    let count = |event: &PublishEvent| event.metadata.coalesced_count.unwrap_or(1);
    later.metadata.coalesced_count = Some(count(&earlier).saturating_add(count(&later)));
    let both = (later.kind.as_str() == "read_receipt").then(|| both_read(&earlier.payload, &later.payload));
    if let Some(both) = both.flatten() {
        later.payload = both;
    }
    later
}

/// The later payload with the `message_ids` of both.
fn both_read(earlier: &RawJson, later: &RawJson) -> Option<RawJson> {
    const IDS: &str = "message_ids";
    let earlier: Map<String, Value> = earlier.read().ok()?;
    let mut later: Map<String, Value> = later.read().ok()?;
    let mut ids = earlier.get(IDS)?.as_array()?.clone();
    for id in later.get(IDS)?.as_array()? {
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    later.insert(IDS.into(), Value::Array(ids));
    RawJson::of(&later).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const WINDOW: Duration = Duration::from_millis(100);

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    fn later<T>(_earlier: T, later: T) -> T {
        later
    }

    #[test]
    fn the_first_event_passes_at_once_and_steady_typing_shows_in_every_window() {
        let mut typing = Typing::new(WINDOW);
        let mut shown = Vec::new();
        for ms in (0..1_000).step_by(10) {
            shown.extend(typing.due(at(ms)).into_iter().map(|(_, event)| event));
            if let Offered::Now(event) = typing.offer("a", ms, at(ms), later) {
                shown.push(event);
            }
        }
        assert_eq!(shown, [0, 90, 190, 290, 390, 490, 590, 690, 790, 890]);
        assert_eq!(typing.due(at(2_000)), [("a", 990)]);
        assert_eq!(typing.coalesced(), 100 - 11);
    }

    #[test]
    fn the_last_state_arrives_and_nothing_is_kept_of_who_is_silent() {
        let mut typing = Typing::new(WINDOW);
        assert_eq!(typing.offer("a", "start", at(0), later), Offered::Now("start"));
        assert_eq!(typing.offer("a", "stop", at(1), later), Offered::Held);
        assert_eq!(typing.offer("a", "start", at(2), later), Offered::Held);
        assert_eq!(typing.offer("a", "stop", at(3), later), Offered::Held);
        assert!(typing.due(at(99)).is_empty());
        assert_eq!(typing.due(at(100)), [("a", "stop")]);
        assert!(typing.due(at(200)).is_empty());
        assert_eq!((typing.next_due(), typing.keys.len()), (None, 0));
        assert_eq!(typing.offer("a", "start", at(300), later), Offered::Now("start"));
    }

    #[test]
    fn two_who_type_do_not_stand_for_each_other() {
        let mut typing = Typing::new(WINDOW);
        for who in ["a", "b"] {
            assert_eq!(typing.offer(who, "start", at(0), later), Offered::Now("start"));
            assert_eq!(typing.offer(who, "stop", at(1), later), Offered::Held);
        }
        assert_eq!(typing.due(at(100)), [("a", "stop"), ("b", "stop")]);
    }

    #[test]
    fn an_event_says_for_how_many_it_stands_and_no_receipt_is_lost() {
        let event = |kind: &str, payload: Value| {
            let text = json!({"type": kind, "room": "r", "payload": payload}).to_string();
            serde_json::from_str::<PublishEvent>(&text).unwrap()
        };
        let receipt = |ids: &[&str]| event("read_receipt", json!({"user_id": "7", "message_ids": ids}));
        let joined = join(join(receipt(&["1", "2"]), receipt(&["2", "3"])), receipt(&["4"]));
        assert_eq!(joined.metadata.coalesced_count, Some(3));
        assert_eq!(joined.payload.read::<Value>().unwrap()["message_ids"], json!(["1", "2", "3", "4"]));
        let joined = join(event("typing_start", json!({"a": 1})), event("typing_stop", json!({})));
        assert_eq!((joined.kind.as_str(), joined.payload.as_str()), ("typing_stop", "{}"));
        assert_eq!(coalesced_with(&joined.kind), Some("typing"));
        assert_eq!(coalesced_with(&EventType::parse("chat_message").unwrap()), None);
    }
}
