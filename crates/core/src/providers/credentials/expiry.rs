//! When an access token expires, in every form in which token files say so.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use mainstay_api::Timestamp;
use serde_json::Value;

/// Numbers below this are seconds since 1970, others milliseconds: as milliseconds it is a day of 1973, as seconds
/// one of the year 5138.
const SECONDS_BELOW: i64 = 100_000_000_000;

/// How a moment is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Milliseconds since 1970; as a text where that is set.
    Millis { text: bool },
    /// Seconds since 1970; as a text where that is set.
    Seconds { text: bool },
    /// RFC 3339; with milliseconds where that is set.
    Iso { millis: bool },
    /// `YYYY-MM-DD HH:MM`, in UTC; with seconds where that is set.
    Civil { seconds: bool },
}

/// Reads a moment from a value of a token file, or of an answer; nothing where it says none.
#[must_use]
pub fn parse_expiry(value: &Value) -> Option<Timestamp> {
    read(value).map(|(at, _)| at)
}

/// Reads a moment and how it is written.
pub(super) fn read(value: &Value) -> Option<(Timestamp, Form)> {
    match value {
        Value::Number(number) => {
            #[expect(clippy::cast_possible_truncation, reason = "a time beyond the range is held at its end")]
            let number = number.as_i64().or_else(|| number.as_f64().map(|float| float as i64))?;
            number_of(number, false)
        }
        Value::String(text) => text_of(text.trim()),
        _ => None,
    }
}

fn number_of(number: i64, text: bool) -> Option<(Timestamp, Form)> {
    match number {
        ..=0 => None,
        1..SECONDS_BELOW => Some((Timestamp::from_millis(number * 1_000), Form::Seconds { text })),
        _ => Some((Timestamp::from_millis(number), Form::Millis { text })),
    }
}

fn text_of(text: &str) -> Option<(Timestamp, Form)> {
    if let Ok(number) = text.parse::<i64>() {
        return number_of(number, true);
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Some((at, Form::Iso { millis: text.contains('.') }));
    }
    let civil: DateTime = text.parse().ok()?;
    let at = civil.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond();
    Some((Timestamp::from_millis(at), Form::Civil { seconds: text.matches(':').count() > 1 }))
}

/// A moment as a JSON literal of a form. What has no room for seconds says the minute before.
pub(super) fn write(at: Timestamp, form: Form) -> String {
    let (value, text) = match form {
        Form::Millis { text } => (at.as_millis().to_string(), text),
        Form::Seconds { text } => ((at.as_millis() / 1_000).to_string(), text),
        Form::Iso { millis: true } => (at.to_millis_text(), true),
        Form::Iso { millis: false } => (at.to_seconds_text(), true),
        Form::Civil { seconds } => {
            let length = if seconds { 19 } else { 16 };
            (at.to_seconds_text().chars().take(length).collect::<String>().replace('T', " "), true)
        }
    };
    if text { Value::from(value).to_string() } else { value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn every_form_is_read_and_written_back_as_it_was() {
        let at = Timestamp::from_millis(1_769_176_085_000);
        for (value, exact) in [
            (json!(1_769_176_085_000_i64), true),
            (json!(1_769_176_085), true),
            (json!("1769176085000"), true),
            (json!("1769176085"), true),
            (json!("2026-01-23T13:48:05.000Z"), true),
            (json!("2026-01-23T13:48:05Z"), true),
            (json!("2026-01-23 13:48:05"), true),
            (json!("2026-01-23 13:48"), false),
        ] {
            let (read_at, form) = read(&value).unwrap_or_else(|| panic!("{value}"));
            assert_eq!(read_at.as_millis(), if exact { at.as_millis() } else { at.as_millis() - 5_000 }, "{value}");
            assert_eq!(write(at, form), value.to_string(), "{value}");
        }
        assert_eq!(parse_expiry(&json!("2026-01-23T15:48:05+02:00")), Some(at));
    }

    #[test]
    fn what_says_no_time_is_none() {
        for value in [json!(""), json!(null), json!(0), json!(-1), json!("soon"), json!({}), json!(true)] {
            assert_eq!(parse_expiry(&value), None, "{value}");
        }
    }
}
