//! Where an event stands in its log.

use crate::text::{InvalidText, string_schema};
use crate::{Epoch, Timestamp};
use serde::{Deserialize, Serialize};

/// The place of an event in its log, written `<ms>-<seq>` as an entry of a Redis stream: milliseconds since 1970, and a
/// number within them. Grows with every event and is never used twice; not dense.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[derive(schemars::JsonSchema)]
#[schemars(with = "String")]
pub struct EventOffset {
    /// Milliseconds since 1970.
    pub ms: u64,
    /// Which one within the millisecond, from 0.
    pub seq: u64,
}

string_schema!(EventOffset, "1763673827000-0");

impl EventOffset {
    /// Before the first event.
    pub const ZERO: Self = Self { ms: 0, seq: 0 };

    /// The place of an event that follows this one and is stored now.
    #[must_use]
    pub fn next(self, now: Timestamp) -> Self {
        let ms = u64::try_from(now.as_millis()).unwrap_or(0);
        if ms > self.ms { Self { ms, seq: 0 } } else { Self { ms: self.ms, seq: self.seq + 1 } }
    }
}

impl std::fmt::Display for EventOffset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.ms, self.seq)
    }
}

impl std::str::FromStr for EventOffset {
    type Err = InvalidText;
    fn from_str(value: &str) -> Result<Self, InvalidText> {
        let parsed = value.split_once('-').and_then(|(ms, seq)| Some(Self { ms: number(ms)?, seq: number(seq)? }));
        parsed.ok_or_else(|| InvalidText { what: "offset", rule: format!("{value:?} is not of the form ms-seq") })
    }
}

/// A number that fits the integers of SQLite.
fn number(digits: &str) -> Option<u64> {
    let plain = digits.bytes().all(|b| b.is_ascii_digit());
    digits.parse().ok().filter(|value| plain && i64::try_from(*value).is_ok())
}

/// A reader's place in a log, written `epoch:ms-seq`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[derive(schemars::JsonSchema)]
#[schemars(with = "String")]
pub struct EventPosition {
    /// The life of the log that the offset belongs to.
    pub epoch: Epoch,
    /// The last event that the reader has seen.
    pub offset: EventOffset,
}

string_schema!(EventPosition, "5f2c9a1e:1763673827000-0");

impl std::fmt::Display for EventPosition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.epoch.as_str(), self.offset)
    }
}

impl std::str::FromStr for EventPosition {
    type Err = InvalidText;
    fn from_str(value: &str) -> Result<Self, InvalidText> {
        let parsed = value
            .split_once(':')
            .and_then(|(epoch, offset)| Some(Self { epoch: Epoch::parse(epoch).ok()?, offset: offset.parse().ok()? }));
        parsed.ok_or_else(|| InvalidText {
            what: "position",
            rule: format!("{value:?} is not of the form epoch:ms-seq, as an earlier answer gave it"),
        })
    }
}

/// An event in the hands of a group, written `<partition>:<ms-seq>`: what it is acknowledged, kept and given back by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[derive(schemars::JsonSchema)]
#[schemars(with = "String")]
pub struct EventToken {
    /// The partition of the stream.
    pub partition: u16,
    /// The event's place in it.
    pub offset: EventOffset,
}

string_schema!(EventToken, "0:1763673827000-0");

impl std::fmt::Display for EventToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.partition, self.offset)
    }
}

impl std::str::FromStr for EventToken {
    type Err = InvalidText;
    fn from_str(value: &str) -> Result<Self, InvalidText> {
        let parsed = value.split_once(':').and_then(|(partition, offset)| {
            Some(Self { partition: u16::try_from(number(partition)?).ok()?, offset: offset.parse().ok()? })
        });
        parsed.ok_or_else(|| InvalidText {
            what: "token",
            rule: format!("{value:?} is not of the form partition:ms-seq, as an earlier answer gave it"),
        })
    }
}

macro_rules! written_as_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = InvalidText;
            fn try_from(value: String) -> Result<Self, InvalidText> {
                value.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
    };
}
written_as_text!(EventOffset);
written_as_text!(EventPosition);
written_as_text!(EventToken);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_survives_its_text_and_nothing_else_is_one() {
        let position: EventPosition = "ab1:1763673827000-12".parse().unwrap();
        assert_eq!(position.to_string(), "ab1:1763673827000-12");
        for bad in ["", "ab1", "ab1:", "ab1:1", "ab1:1-", "ab1:-1-0", "ab1:1-+2", "a b:1-1", "x:9223372036854775808-0"]
        {
            assert!(bad.parse::<EventPosition>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_token_names_partition_and_place() {
        let token: EventToken = "3:1763673827000-12".parse().unwrap();
        assert_eq!((token.partition, token.offset.seq, token.to_string().as_str()), (3, 12, "3:1763673827000-12"));
        for bad in ["", "1", "1:", ":1-1", "65536:1-1", "+1:1-1", "a:1-1", "0:1"] {
            assert!(bad.parse::<EventToken>().is_err(), "{bad}");
        }
    }

    #[test]
    fn offsets_grow_also_where_the_clock_does_not() {
        let at = |ms| Timestamp::from_millis(ms);
        let first = EventOffset::ZERO.next(at(5));
        assert_eq!(first, EventOffset { ms: 5, seq: 0 });
        assert_eq!(first.next(at(5)), EventOffset { ms: 5, seq: 1 });
        assert_eq!(first.next(at(3)), EventOffset { ms: 5, seq: 1 });
        assert!(first.next(at(6)) > first.next(at(5)));
    }
}
