//! What an answer says of the provider that gave it.

use http::header::{HeaderMap, RETRY_AFTER};
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use mainstay_core::api::Timestamp;
use mainstay_core::providers::{Failure, FailureClass};
use mainstay_core::text::cut;
use std::time::Duration;

/// Longest message about a failure that is kept, in bytes.
const MAX_MESSAGE_BYTES: usize = 500;
/// How long a provider that is asked too much is left alone where it does not say.
const DEFAULT_PAUSE: Duration = Duration::from_secs(1);
/// What is added to a pause at most, so that not all nodes come back at once: a tenth of it.
const JITTER_PART: u32 = 10;
/// The longest wish of a provider that is followed.
const MAX_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);
/// What a provider says of an account that it will not serve for a while.
const SUSPENDED: &str = "temporarily is suspended";

/// What of an answer is judged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Evidence<'a> {
    pub status: u16,
    pub headers: &'a HeaderMap,
    /// The beginning of its body.
    pub said: &'a str,
    /// Whether the provider has a credential that can be refreshed.
    pub refreshable: bool,
    /// A random number for the jitter.
    pub random: u8,
    pub now: Timestamp,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The provider did what it was asked.
    Answered,
    /// It is the client's doing, and says nothing of the provider.
    OfTheClient,
    /// The provider failed: another one may not.
    Failed(Failure),
}

/// Judges an answer.
pub(crate) fn judge(evidence: &Evidence<'_>) -> Verdict {
    let asked_for = retry_after(evidence.headers, evidence.now);
    let failed = |class| Failure {
        class,
        message: message(evidence),
        counts: true,
        condemns: false,
        retry_at: asked_for,
        needs_refresh: false,
    };
    Verdict::Failed(match evidence.status {
        100..=399 => return Verdict::Answered,
        401 => Failure {
            counts: !evidence.refreshable,
            needs_refresh: evidence.refreshable,
            ..failed(FailureClass::Unauthorized)
        },
        402 => Failure {
            condemns: true,
            retry_at: asked_for.or_else(|| next_month(evidence.now)),
            ..failed(FailureClass::PaymentRequired)
        },
        403 => Failure {
            condemns: evidence.said.contains(SUSPENDED),
            needs_refresh: evidence.refreshable,
            ..failed(FailureClass::Forbidden)
        },
        429 => Failure {
            counts: false,
            retry_at: Some(jittered(asked_for, evidence)),
            ..failed(FailureClass::RateLimited)
        },
        408 | 500..=599 => failed(FailureClass::Server),
        _ => return Verdict::OfTheClient,
    })
}

/// A failure without an answer.
pub(crate) fn unreached(why: &str) -> Failure {
    Failure {
        class: FailureClass::Network,
        message: cut(why, MAX_MESSAGE_BYTES),
        counts: true,
        condemns: false,
        retry_at: None,
        needs_refresh: false,
    }
}

fn message(evidence: &Evidence<'_>) -> String {
    let said = evidence.said.trim();
    cut(&format!("{}: {said}", evidence.status), MAX_MESSAGE_BYTES)
}

/// What `Retry-After` asks for: seconds, or a moment; `retry-after-ms` where it is there.
fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let exactly = text("retry-after-ms").and_then(|ms| ms.trim().parse::<u64>().ok()).map(Duration::from_millis);
    let wait = exactly.or_else(|| {
        let said = text(RETRY_AFTER.as_str())?.trim();
        if let Ok(seconds) = said.parse::<f64>() {
            return Duration::try_from_secs_f64(seconds).ok();
        }
        let at = jiff::fmt::rfc2822::parse(said).ok()?.timestamp().as_millisecond();
        Some(Duration::from_millis(u64::try_from(at.saturating_sub(now.as_millis())).unwrap_or(0)))
    })?;
    Some(now.after(wait.min(MAX_PAUSE)))
}

fn jittered(asked_for: Option<Timestamp>, evidence: &Evidence<'_>) -> Timestamp {
    let at = asked_for.unwrap_or_else(|| evidence.now.after(DEFAULT_PAUSE));
    let pause_ms = u64::try_from(at.as_millis().saturating_sub(evidence.now.as_millis())).unwrap_or(0);
    at.after(Duration::from_millis(pause_ms) / JITTER_PART * evidence.random.into() / 255)
}

/// When what was paid for is there again, where nobody says: with the next month of UTC.
fn next_month(now: Timestamp) -> Option<Timestamp> {
    let today = jiff::Timestamp::from_millisecond(now.as_millis()).ok()?.to_zoned(TimeZone::UTC).date();
    let first: Date = today.first_of_month().checked_add(1.month()).ok()?;
    let at = first.to_zoned(TimeZone::UTC).ok()?.timestamp().as_millisecond();
    Some(Timestamp::from_millis(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-01-31T10:00:00Z.
    const NOW_MS: i64 = 1_769_853_600_000;

    fn judged(status: u16, headers: &[(&'static str, &str)], refreshable: bool) -> Verdict {
        let headers: HeaderMap =
            headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        let now = Timestamp::from_millis(NOW_MS);
        judge(&Evidence { status, headers: &headers, said: " no ", refreshable, random: 255, now })
    }

    fn failure(verdict: Verdict) -> Failure {
        match verdict {
            Verdict::Failed(failure) => failure,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_the_client_did_wrong_says_nothing_of_the_provider() {
        for status in [400, 404, 405, 409, 413, 415, 422, 451] {
            assert_eq!(judged(status, &[], true), Verdict::OfTheClient, "{status}");
        }
        assert_eq!(judged(200, &[], true), Verdict::Answered);
    }

    #[test]
    fn a_refused_token_is_refreshed_and_a_refused_key_counts() {
        let token = failure(judged(401, &[], true));
        assert!(token.needs_refresh && !token.counts, "{token:?}");
        let key = failure(judged(401, &[], false));
        assert!(!key.needs_refresh && key.counts, "{key:?}");
        assert_eq!(key.message, "401: no");
    }

    #[test]
    fn what_is_used_up_is_there_again_with_the_next_month_or_when_the_provider_says() {
        let at = |ms: i64| Some(Timestamp::from_millis(ms));
        // 2026-02-01T00:00:00Z.
        assert_eq!(failure(judged(402, &[], false)).retry_at, at(1_769_904_000_000));
        assert_eq!(failure(judged(402, &[("retry-after", "60")], false)).retry_at, at(NOW_MS + 60_000));
        let moment = [("retry-after", "Sat, 31 Jan 2026 10:02:00 GMT")];
        assert_eq!(failure(judged(503, &moment, false)).retry_at, at(NOW_MS + 120_000));
    }

    #[test]
    fn a_provider_that_is_asked_too_much_is_left_alone_a_little_longer_than_it_asks_for() {
        let at = |headers: &[(&'static str, &str)]| failure(judged(429, headers, false)).retry_at.unwrap().as_millis();
        assert_eq!(at(&[("retry-after", "10")]) - NOW_MS, 11_000);
        assert_eq!(at(&[("retry-after-ms", "250"), ("retry-after", "9")]) - NOW_MS, 275);
        assert_eq!(at(&[]) - NOW_MS, 1_100);
        assert_eq!(at(&[("retry-after", "99999999999")]) - NOW_MS, 24 * 3_600_000 * 11 / 10, "within bounds");
        assert!(!failure(judged(429, &[], false)).counts);
    }
}
