//! Spans of time and moments, as people write them.

use jiff::{Span, SpanRelativeTo};
use mainstay_api::Timestamp;
use std::str::FromStr;
use std::time::Duration;

/// The longest span accepted: ten years.
const MAX_MS: i64 = 3_653 * 24 * 60 * 60 * 1_000;

/// A span of time, such as `30s`, `5m`, `2h`, `7d` or `1h 30m`; a day has 24 hours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Millis(pub i64);

impl Millis {
    /// The span for the clock of the runtime.
    #[must_use]
    pub fn duration(self) -> Duration {
        Duration::from_millis(self.0.unsigned_abs())
    }
}

impl FromStr for Millis {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let rule = || format!("{text:?} is no span of time, such as 30s, 5m, 2h or 7d");
        let span: Span = text.parse().map_err(|_| rule())?;
        let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).map_err(|_| rule())?;
        let millis = i64::try_from(duration.as_millis()).map_err(|_| rule())?;
        if (0..=MAX_MS).contains(&millis) { Ok(Self(millis)) } else { Err(rule()) }
    }
}

/// A moment, as RFC 3339 or as a span from the present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// This one.
    At(Timestamp),
    /// This far from the present.
    Away(Millis),
}

impl Moment {
    /// The moment, a span lying in the past.
    #[must_use]
    pub fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Away(span) => Timestamp::from_millis(now.as_millis() - span.0),
        }
    }

    /// The moment, a span lying in the future.
    #[must_use]
    pub fn after(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(time) => time,
            Self::Away(span) => Timestamp::from_millis(now.as_millis() + span.0),
        }
    }
}

impl FromStr for Moment {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let at = text.parse().map(Self::At).ok();
        let away = || text.parse().map(Self::Away).ok();
        at.or_else(away)
            .ok_or_else(|| format!("{text:?} is neither a span such as 2h nor a time such as 2026-11-20T21:23:47Z"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_write_them() {
        for (text, millis) in [
            ("30s", 30_000),
            ("5m", 300_000),
            ("2h", 7_200_000),
            ("7d", 604_800_000),
            ("1h 30m", 5_400_000),
            ("250ms", 250),
            ("0s", 0),
        ] {
            assert_eq!(text.parse(), Ok(Millis(millis)), "{text}");
        }
        for bad in ["", "30", "soon", "-5s", "1000000h", "5 parsecs"] {
            assert!(bad.parse::<Millis>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_moment_is_a_time_or_lies_a_span_away() {
        let now: Timestamp = "2026-11-20T12:00:00Z".parse().unwrap();
        let moment = |text: &str| text.parse::<Moment>().unwrap();
        assert_eq!(moment("24h").before(now).to_seconds_text(), "2026-11-19T12:00:00Z");
        assert_eq!(moment("2h").after(now).to_seconds_text(), "2026-11-20T14:00:00Z");
        assert_eq!(moment("2026-01-01T00:00:00Z").before(now).to_seconds_text(), "2026-01-01T00:00:00Z");
    }
}
