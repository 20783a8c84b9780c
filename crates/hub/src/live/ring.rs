//! The last events of a log, and the ids by which repeats are recognised.

use super::event::LiveEvent;
use mainstay_core::api::events::{EventId, EventOffset};
use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

/// The last events of a log, bounded in number and memory.
pub(super) struct Ring {
    events: VecDeque<Arc<LiveEvent>>,
    bytes: usize,
    max_events: usize,
    max_bytes: usize,
    /// Everything behind this place, up to the end, is here.
    start: EventOffset,
}

impl Ring {
    pub(super) fn new(max_events: usize, max_bytes: usize) -> Self {
        Self { events: VecDeque::new(), bytes: 0, max_events, max_bytes, start: EventOffset::ZERO }
    }

    /// Begins anew behind a place.
    pub(super) fn restart(&mut self, start: EventOffset) {
        self.events.clear();
        self.bytes = 0;
        self.start = start;
    }

    pub(super) fn push(&mut self, event: Arc<LiveEvent>) {
        self.bytes += event.weight();
        self.events.push_back(event);
        while self.events.len() > self.max_events || self.bytes > self.max_bytes {
            let Some(oldest) = self.events.pop_front() else { break };
            self.bytes -= oldest.weight();
            self.start = oldest.offset();
        }
    }

    /// Whether everything behind the place is here.
    pub(super) fn covers(&self, offset: EventOffset) -> bool {
        offset >= self.start
    }

    /// The events behind a place, in order.
    pub(super) fn after(&self, offset: EventOffset) -> impl Iterator<Item = &Arc<LiveEvent>> {
        let first = self.events.partition_point(|event| event.offset() <= offset);
        self.events.range(first..)
    }
}

/// Ids of events for a time, so that one that is in a log twice is delivered once.
pub(super) struct Seen {
    ids: HashSet<EventId>,
    order: VecDeque<(u64, EventId)>,
    window_ms: u64,
    max: usize,
}

impl Seen {
    pub(super) fn new(window_ms: u64, max: usize) -> Self {
        Self { ids: HashSet::new(), order: VecDeque::new(), window_ms, max }
    }

    pub(super) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Remembers an id, stored at a time in milliseconds. `false` where it is known.
    pub(super) fn insert(&mut self, id: &EventId, stored_ms: u64) -> bool {
        if !self.ids.insert(id.clone()) {
            return false;
        }
        self.order.push_back((stored_ms, id.clone()));
        let end_ms = stored_ms.saturating_sub(self.window_ms);
        while self.order.len() > self.max || self.order.front().is_some_and(|(at, _)| *at < end_ms) {
            let Some((_, oldest)) = self.order.pop_front() else { break };
            self.ids.remove(&oldest);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::test_log::event;

    fn at(ms: u64) -> EventOffset {
        EventOffset { ms, seq: 0 }
    }

    #[test]
    fn a_ring_covers_exactly_what_it_still_has() {
        let mut ring = Ring::new(3, 1_000_000);
        (1..=5).for_each(|n| ring.push(event("room", "said", n)));
        assert!(!ring.covers(at(1)));
        assert!(ring.covers(at(2)), "3, 4 and 5 are here");
        assert_eq!(ring.after(at(3)).map(|event| event.stored_ms()).collect::<Vec<_>>(), [4, 5]);
        ring.restart(at(9));
        assert!(!ring.covers(at(8)) && ring.covers(at(9)));
        assert_eq!(ring.after(at(0)).count(), 0);
    }

    #[test]
    fn a_ring_is_bounded_in_memory() {
        let mut ring = Ring::new(1_000, 3_000);
        (1..=100).for_each(|n| ring.push(event("room", "said", n)));
        assert!(ring.after(at(0)).count() <= 6);
        assert!(ring.bytes <= 3_000);
    }

    #[test]
    fn an_id_is_known_within_its_window() {
        let id = |n: u32| EventId::parse(n.to_string()).unwrap();
        let mut seen = Seen::new(100, 3);
        assert!(seen.insert(&id(1), 0));
        assert!(!seen.insert(&id(1), 50));
        assert!(seen.insert(&id(2), 101), "the first one is forgotten with this");
        assert!(seen.insert(&id(1), 102));
        (3..6).for_each(|n| assert!(seen.insert(&id(n), 103)));
        assert_eq!(seen.ids.len(), 3);
    }
}
