//! Time on the wire: RFC 3339 in UTC.

use crate::text::InvalidText;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// A moment, in milliseconds since 1970-01-01T00:00:00Z; on the wire RFC 3339 in UTC with milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[derive(utoipa::ToSchema, schemars::JsonSchema)]
#[schema(value_type = String, format = DateTime, example = "2026-11-20T21:23:47.000Z")]
#[schemars(with = "String", extend("format" = "date-time"))]
pub struct Timestamp(i64);

impl Timestamp {
    /// The latest moment accepted: 9999-12-30T22:00:00Z, the last one whose date is in the year 9999 in every zone.
    pub const MAX: Self = Self(253_402_207_200_000);

    /// A moment from milliseconds since 1970, held within the years 0 to 9999.
    #[must_use]
    pub fn from_millis(millis: i64) -> Self {
        Self(millis.clamp(-62_167_219_200_000, Self::MAX.0))
    }

    /// Milliseconds since 1970.
    #[must_use]
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// The moment so much later, at most the latest one.
    #[must_use]
    pub fn after(self, span: Duration) -> Self {
        Self::from_millis(self.0.saturating_add(millis(span)))
    }

    /// The moment so much earlier, at least the earliest one.
    #[must_use]
    pub fn before(self, span: Duration) -> Self {
        Self::from_millis(self.0.saturating_sub(millis(span)))
    }

    /// The moment as `YYYY-MM-DDTHH:MM:SSZ`, the precision of the legacy scripts and files.
    #[must_use]
    pub fn to_seconds_text(self) -> String {
        self.civil().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }

    /// The moment as `YYYY-MM-DDTHH:MM:SS.mmmZ`.
    #[must_use]
    pub fn to_millis_text(self) -> String {
        self.civil().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
    }

    fn civil(self) -> jiff::Timestamp {
        jiff::Timestamp::from_millisecond(self.0).expect("the constructor keeps the range")
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_millis_text())
    }
}

impl std::str::FromStr for Timestamp {
    type Err = InvalidText;
    fn from_str(value: &str) -> Result<Self, InvalidText> {
        let parsed = value.parse::<jiff::Timestamp>().map_err(|_| InvalidText {
            what: "time",
            rule: format!("{value:?} is not RFC 3339, such as 2026-11-20T21:23:47Z"),
        })?;
        Ok(Self::from_millis(parsed.as_millisecond()))
    }
}

impl TryFrom<String> for Timestamp {
    type Error = InvalidText;
    fn try_from(value: String) -> Result<Self, InvalidText> {
        value.parse()
    }
}

impl From<Timestamp> for String {
    fn from(value: Timestamp) -> String {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_fractions_become_utc() {
        let time: Timestamp = "2026-01-22T23:01:25.5+02:00".parse().unwrap();
        assert_eq!(time.to_string(), "2026-01-22T21:01:25.500Z");
        assert_eq!(time.to_seconds_text(), "2026-01-22T21:01:25Z");
    }

    #[test]
    fn the_ends_of_time_have_a_text() {
        for millis in [i64::MIN, i64::MAX] {
            assert!(!Timestamp::from_millis(millis).to_string().is_empty());
        }
        assert_eq!(Timestamp::MAX.to_string(), "9999-12-30T22:00:00.000Z");
    }

    #[test]
    fn what_is_no_time_says_what_one_looks_like() {
        assert!("yesterday".parse::<Timestamp>().unwrap_err().to_string().contains("RFC 3339"));
    }
}
