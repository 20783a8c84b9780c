//! Keys as the fields of a hash, and back.

use crate::answer::Answer;
use crate::keys::{self, encode};
use mainstay_core::api::providers::GatewayKeyId;
use mainstay_core::api::{RawJson, Timestamp};
use mainstay_core::providers::keys::{Admission, KeyLimits, KeyRecord, Limit, Period, Refusal, Tally};
use mainstay_core::{Error, Result};
use std::str::FromStr;

/// How many of the fields a change may write.
pub(super) const SETTINGS: usize = 14;

/// The fields of a key, in the order of the scripts. What is absent is empty.
pub(super) fn fields(record: &KeyRecord) -> Vec<String> {
    let (limits, tally) = (&record.limits, &record.tally);
    let time = |at: Option<Timestamp>| text(at.map(Timestamp::as_millis));
    vec![
        record.id.to_string(),
        encode(record.namespace.as_str()),
        record.version.to_string(),
        record.body.as_str().to_owned(),
        record.seal_key.clone().unwrap_or_default(),
        text(limits.requests_per_minute),
        text(limits.tokens_per_minute),
        text(limits.requests_per_day),
        limits.bonus_requests.to_string(),
        text(limits.in_flight),
        text(limits.budget.map(|(most, _)| most)),
        limits.budget.map(|(_, period)| period.as_str().to_owned()).unwrap_or_default(),
        u8::from(record.disabled).to_string(),
        time(record.expires_at),
        record.created_at.as_millis().to_string(),
        tally.requests.to_string(),
        tally.requests_today.to_string(),
        tally.day.to_string(),
        tally.bonus_used.to_string(),
        tally.tokens.to_string(),
        tally.spent.to_string(),
        tally.spent_from.as_millis().to_string(),
        time(tally.used_at),
    ]
}

fn text(value: Option<impl ToString>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

/// A number, as its digits.
pub(super) fn number<T: FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::inconsistent(format!("{text:?} is no number of a gateway key")))
}

/// The next part, a number; none where it is empty.
fn some<T: FromStr>(answer: &mut Answer) -> Result<Option<T>> {
    let text = answer.next::<String>()?;
    if text.is_empty() { Ok(None) } else { number(&text).map(Some) }
}

fn next<T: FromStr>(answer: &mut Answer) -> Result<T> {
    number(&answer.next::<String>()?)
}

fn time(answer: &mut Answer) -> Result<Timestamp> {
    next(answer).map(Timestamp::from_millis)
}

/// A key, from its fields and what is in flight.
pub(super) fn key(answer: &mut Answer, digest: &str) -> Result<KeyRecord> {
    let broken = |what: String| Error::inconsistent(format!("a stored gateway key: {what}"));
    let id = GatewayKeyId::parse(answer.next::<String>()?).map_err(|e| broken(e.to_string()))?;
    let namespace = keys::namespace(&answer.next::<String>()?)?;
    let version = next(answer)?;
    let body = RawJson::parse(&answer.next::<String>()?).map_err(|e| broken(e.to_string()))?;
    let seal_key = Some(answer.next::<String>()?).filter(|key| !key.is_empty());
    let (requests_per_minute, tokens_per_minute, requests_per_day) = (some(answer)?, some(answer)?, some(answer)?);
    let (bonus_requests, in_flight, most) = (next(answer)?, some(answer)?, some(answer)?);
    let period = Period::find(&answer.next::<String>()?);
    let budget = most.zip(period);
    let limits =
        KeyLimits { requests_per_minute, tokens_per_minute, requests_per_day, bonus_requests, in_flight, budget };
    Ok(KeyRecord {
        id,
        digest: digest.to_owned(),
        namespace,
        body,
        seal_key,
        limits,
        disabled: answer.next::<String>()? == "1",
        expires_at: some(answer)?.map(Timestamp::from_millis),
        version,
        created_at: time(answer)?,
        tally: tally(answer)?,
    })
}

fn tally(answer: &mut Answer) -> Result<Tally> {
    Ok(Tally {
        requests: next(answer)?,
        requests_today: next(answer)?,
        day: next(answer)?,
        bonus_used: next(answer)?,
        tokens: next(answer)?,
        spent: next(answer)?,
        spent_from: time(answer)?,
        used_at: some(answer)?.map(Timestamp::from_millis),
        in_flight: answer.next()?,
    })
}

/// Whether a request was let in.
pub(super) fn admission(answer: &mut Answer, digest: &str) -> Result<Admission> {
    let word = answer.next::<String>()?;
    let refusal = match word.as_str() {
        "admitted" => return Ok(Admission::Admitted(Box::new(key(answer, digest)?))),
        "unknown" => return Ok(Admission::Unknown),
        "disabled" => Refusal::Disabled,
        "expired" => Refusal::Expired,
        "limited" => {
            let limit = match answer.next::<String>()?.as_str() {
                "requests_per_minute" => Limit::RequestsPerMinute,
                "tokens_per_minute" => Limit::TokensPerMinute,
                "requests_per_day" => Limit::RequestsPerDay,
                "in_flight" => Limit::InFlight,
                other => return Err(answer.unknown(other)),
            };
            Refusal::Limited { limit, retry_at: time(answer)? }
        }
        "budget" => Refusal::Budget { retry_at: some(answer)?.map(Timestamp::from_millis) },
        other => return Err(answer.unknown(other)),
    };
    Ok(Admission::Refused(refusal))
}
