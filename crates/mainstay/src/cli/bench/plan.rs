//! What a run consists of: who is where, and what is published when.

use mainstay_api::events::{EventId, EventMetadata, EventType, PublishEvent, RoomId, StreamName};
use mainstay_api::{RawJson, Timestamp};
use mainstay_core::{Error, Result};
use std::time::Duration;

/// Time before anything is measured: connections settle, and code and data come into the caches.
pub(super) const WARM_UP: Duration = Duration::from_secs(1);
/// What a payload has besides what fills it up, in bytes.
pub(super) const MIN_PAYLOAD_BYTES: u32 = 64;

/// What a run consists of.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// Tells this run's rooms and events from those of others.
    pub run: String,
    pub stream: StreamName,
    pub users: u32,
    pub rooms: u32,
    /// Events in a second, in all rooms together.
    pub rate: u32,
    /// How long is measured, behind the time of warming up.
    pub duration: Duration,
    pub payload_bytes: u32,
    pub typing: bool,
}

impl Plan {
    /// The room of a user: users take turns.
    pub(super) fn room_of(&self, user: u32) -> u32 {
        user % self.rooms
    }

    /// Which of some nodes a user connects to first: those of one room are spread over all.
    pub(super) fn node_of(&self, user: u32, nodes: usize) -> usize {
        ((user / self.rooms + user % self.rooms) as usize) % nodes.max(1)
    }

    /// The name of a room.
    pub(super) fn room(&self, room: u32) -> Result<RoomId> {
        RoomId::parse(format!("bench-{}:{room}", self.run)).map_err(|cause| Error::bug(cause.to_string()))
    }

    /// How many events a room has.
    pub(super) fn events_of(&self, room: u32) -> u64 {
        let all = u64::from(self.rate) * (WARM_UP + self.duration).as_secs();
        let (each, rest) = (all / u64::from(self.rooms), all % u64::from(self.rooms));
        each + u64::from(u64::from(room) < rest)
    }

    /// When an event of a room is due, from the beginning of the run: rooms take turns.
    pub(super) fn due(&self, room: u32, number: u64) -> Duration {
        let turn = number * u64::from(self.rooms) + u64::from(room);
        Duration::from_micros(turn * 1_000_000 / u64::from(self.rate))
    }

    /// An event with its number, and the moment from which its way counts, in microseconds of the run.
    pub(super) fn event(&self, room: u32, number: u64, at_us: u64) -> Result<PublishEvent> {
        let bug = |cause: &dyn std::fmt::Display| Error::bug(cause.to_string());
        let head = format!(r#"{{"n":{number},"at_us":{at_us},"fill":""#);
        let fill = (self.payload_bytes as usize).saturating_sub(head.len() + 2);
        let payload = format!("{head}{}\"}}", "x".repeat(fill));
        Ok(PublishEvent {
            id: Some(EventId::parse(format!("{}-{room}-{number}", self.run)).map_err(|cause| bug(&cause))?),
            kind: EventType::parse("bench").map_err(|cause| bug(&cause))?,
            room: self.room(room)?,
            timestamp: None::<Timestamp>,
            payload: RawJson::parse(&payload).map_err(|cause| bug(&cause))?,
            metadata: EventMetadata::default(),
        })
    }
}

#[cfg(test)]
pub(super) fn plan() -> Plan {
    Plan {
        run: "r".into(),
        stream: StreamName::parse("chat").unwrap(),
        users: 10,
        rooms: 3,
        rate: 10,
        duration: Duration::from_secs(9),
        payload_bytes: 200,
        typing: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_events_are_published_and_none_too_early() {
        let plan = plan();
        assert_eq!((0..3).map(|room| plan.events_of(room)).collect::<Vec<_>>(), [34, 33, 33]);
        let mut due: Vec<Duration> = (0..3)
            .flat_map(|room| (0..plan.events_of(room)).map(move |n| (room, n)))
            .map(|(r, n)| plan.due(r, n))
            .collect();
        due.sort();
        assert_eq!(due[0], Duration::ZERO);
        assert!(due.windows(2).all(|two| two[1] - two[0] == Duration::from_millis(100)), "{due:?}");
        assert_eq!(due.last(), Some(&Duration::from_millis(9_900)));
    }

    #[test]
    fn the_users_of_a_room_are_spread_over_the_nodes() {
        let plan = Plan { users: 12, rooms: 4, ..plan() };
        for room in 0..4 {
            let nodes: Vec<usize> =
                (0..12).filter(|user| plan.room_of(*user) == room).map(|user| plan.node_of(user, 2)).collect();
            assert!(nodes.contains(&0) && nodes.contains(&1), "{nodes:?}");
        }
    }

    #[test]
    fn a_payload_is_as_long_as_it_was_asked_for() {
        let event = plan().event(0, 7, 123_456).unwrap();
        assert_eq!(event.payload.as_str().len(), 200);
        let least = Plan { payload_bytes: MIN_PAYLOAD_BYTES, ..plan() }.event(0, u64::MAX, u64::MAX).unwrap();
        assert!(least.payload.as_str().len() <= 80);
    }
}
