//! Which streams there are, and what is kept of them.

use mainstay_api::InvalidText;
use mainstay_api::events::{RoomId, StreamName};
use std::collections::BTreeMap;
use std::time::Duration;

/// Most partitions of a stream.
pub const MAX_PARTITIONS: u16 = 64;
/// Most streams of an installation.
pub const MAX_STREAMS: usize = 64;

/// The stream in which circuits of providers tell how they stand.
pub const GATEWAY_STREAM: &str = "gateway";

/// Words that stand where the name of a stream does in addresses of the API.
const RESERVED: [&str; 6] = ["consumer-lag", "health", "streams", "top", "transport", "ws"];

/// What is done with what a slow connection has not taken, past its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// The connection is closed with a code that says "come back from your position".
    Close,
    /// Only the last event of each type in the room is kept for it, which it is told.
    Conflate,
}

/// What happens to an event that a consumer group has not read, when the stream is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trimming {
    /// It is trimmed, which is counted and logged.
    Count,
    /// Nothing is trimmed: the publication is refused until the group has read on.
    Refuse,
}

/// Who may subscribe to a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoomAccess {
    /// Whoever may read events in the namespace; a room of one person (`user:<id>`, `notifications:<id>`,
    /// `user-tickets:<id>`) only that person.
    Open,
    /// Members of the room alone.
    Members,
}

/// A stream: what is kept, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamOptions {
    /// About how many events each partition keeps.
    pub max_len: u32,
    /// How long an event is kept; without an end where absent.
    pub max_age: Option<Duration>,
    /// How many logs the rooms are divided among. All events of a room are in one.
    pub partitions: u16,
    /// The key in Redis of the first partition in the namespace `default`; `events:<name>` by custom.
    pub redis_key: String,
    /// How long an event's id is remembered, at least five minutes by custom.
    pub dedupe: Duration,
    /// What is done for consumer groups that are behind.
    pub trimming: Trimming,
    /// What is done about slow connections.
    pub overflow: Overflow,
    /// Who may subscribe.
    pub access: RoomAccess,
}

impl StreamOptions {
    /// The usual options for a stream of this name.
    #[must_use]
    pub fn usual(name: &StreamName) -> Self {
        Self {
            max_len: 10_000,
            max_age: None,
            partitions: 1,
            redis_key: format!("events:{name}"),
            dedupe: Duration::from_secs(300),
            trimming: Trimming::Count,
            overflow: Overflow::Close,
            access: RoomAccess::Open,
        }
    }

    /// The partition that a room's events are in, on every node alike.
    #[must_use]
    pub fn partition_of(&self, room: &RoomId) -> u16 {
        u16::try_from(room.spread() % u64::from(self.partitions.max(1))).unwrap_or(0)
    }
}

/// The streams of an installation, by name. Every namespace has them all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Streams(BTreeMap<StreamName, StreamOptions>);

impl Streams {
    /// The options of a stream, where it exists.
    #[must_use]
    pub fn get(&self, name: &StreamName) -> Option<&StreamOptions> {
        self.0.get(name)
    }

    /// The options of a stream.
    ///
    /// # Errors
    /// `events.stream_unknown`, with the names that there are.
    pub fn require(&self, name: &StreamName) -> crate::Result<&StreamOptions> {
        self.get(name).ok_or_else(|| super::refusals::unknown_stream(name, self))
    }

    /// Adds a stream or replaces its options.
    ///
    /// # Errors
    /// Where an option is out of its bounds, two streams would share a key in Redis, or there are too many.
    pub fn set(&mut self, name: StreamName, options: StreamOptions) -> Result<(), InvalidText> {
        let broken = |rule: String| InvalidText { what: "stream", rule: format!("{name}: {rule}") };
        if RESERVED.contains(&name.as_str()) {
            return Err(broken("the name stands for something else in addresses; choose another".into()));
        }
        if !(100..=10_000_000).contains(&options.max_len) {
            return Err(broken("max_len must be 100 to 10000000".into()));
        }
        if !(1..=MAX_PARTITIONS).contains(&options.partitions) {
            return Err(broken(format!("partitions must be 1 to {MAX_PARTITIONS}")));
        }
        if options.dedupe < Duration::from_secs(10) || options.dedupe > Duration::from_secs(86_400) {
            return Err(broken("dedupe must be 10 seconds to a day".into()));
        }
        if options.redis_key.is_empty() || options.redis_key.contains(['{', '}', '@']) {
            let why = "redis_key must not be empty, and without braces, which would move it to another slot, and `@`";
            return Err(broken(why.into()));
        }
        // That is how the further partitions of a stream are called.
        let last = options.redis_key.rsplit(':').next().unwrap_or_default();
        if options.redis_key.contains(':') && last.bytes().all(|b| b.is_ascii_digit()) {
            return Err(broken("redis_key must not end with a number behind a colon".into()));
        }
        if let Some((other, _)) = self.0.iter().find(|(other, o)| **other != name && o.redis_key == options.redis_key) {
            return Err(broken(format!("its redis_key is that of the stream {other}")));
        }
        if self.0.len() >= MAX_STREAMS && !self.0.contains_key(&name) {
            return Err(broken(format!("at most {MAX_STREAMS} streams are possible")));
        }
        self.0.insert(name, options);
        Ok(())
    }

    /// Every stream, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&StreamName, &StreamOptions)> {
        self.0.iter()
    }
}

impl Default for Streams {
    /// The seven streams that exist without configuration.
    fn default() -> Self {
        let lengths = [
            ("agent_tasks", 10_000),
            ("agent_updates", 10_000),
            ("chat", 10_000),
            (GATEWAY_STREAM, 5_000),
            ("notification", 5_000),
            ("remote", 1_000),
            ("ticket", 5_000),
        ];
        let streams = lengths.into_iter().map(|(name, max_len)| {
            let name = StreamName::parse(name).expect("a constant name is valid");
            let options = StreamOptions { max_len, ..StreamOptions::usual(&name) };
            (name, options)
        });
        Self(streams.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> StreamName {
        StreamName::parse(text).unwrap()
    }

    #[test]
    fn the_partition_of_a_room_is_the_same_everywhere_and_all_are_used() {
        let options = StreamOptions { partitions: 8, ..StreamOptions::usual(&name("chat")) };
        let rooms = (0..400).map(|n| RoomId::parse(format!("request:{n}")).unwrap());
        let mut used = [0; 8];
        rooms.for_each(|room| used[usize::from(options.partition_of(&room))] += 1);
        assert!(used.iter().all(|count| (20..100).contains(count)), "{used:?}");
        assert_eq!(options.partition_of(&RoomId::parse("request:42").unwrap()), 4, "a change would reorder rooms");
    }

    #[test]
    fn options_out_of_bounds_and_shared_keys_are_refused() {
        let mut streams = Streams::default();
        assert_eq!(streams.iter().count(), 7);
        let usual = StreamOptions::usual(&name("own"));
        for broken in [
            StreamOptions { max_len: 0, ..usual.clone() },
            StreamOptions { partitions: 65, ..usual.clone() },
            StreamOptions { redis_key: "a{b}".into(), ..usual.clone() },
            StreamOptions { redis_key: "events:chat".into(), ..usual.clone() },
            StreamOptions { dedupe: Duration::ZERO, ..usual.clone() },
        ] {
            assert!(streams.set(name("own"), broken).is_err());
        }
        assert!(streams.set(name("ws"), StreamOptions::usual(&name("ws"))).is_err());
        streams.set(name("own"), usual).unwrap();
        assert!(streams.get(&name("own")).is_some());
    }
}
