//! Providers as they stand in a hash.

use crate::answer::Answer;
use crate::keys::decode;
use mainstay_core::api::providers::ProviderId;
use mainstay_core::api::{RawJson, Timestamp};
use mainstay_core::providers::{
    Breaker, BreakerState, Counters, Health, PoolRecord, ProviderRecord, ProviderSettings, Traits, Transition,
};
use mainstay_core::{Error, Result};
use redis::Value;
use std::collections::HashMap;

/// Reads a pool; absent where the script answered nothing.
pub(super) fn pool(value: Value, what: &'static str) -> Result<Option<PoolRecord>> {
    let mut answer = Answer::of(value, what)?;
    if answer.is_empty() {
        return Ok(None);
    }
    let (revision, settings) = (answer.next()?, json(&answer.next::<String>()?)?);
    let mut providers = Vec::new();
    while !answer.is_empty() {
        providers.push(provider(answer.next()?)?);
    }
    Ok(Some(PoolRecord { revision, settings, providers }))
}

/// Reads the changes of circuits, four parts each.
pub(super) fn transitions(answer: &mut Answer) -> Result<Vec<Transition>> {
    let mut transitions = Vec::new();
    while !answer.is_empty() {
        transitions.push(Transition {
            provider: id(answer.next()?)?,
            from: state(answer.next()?)?,
            to: state(answer.next()?)?,
            reason: answer.next()?,
        });
    }
    Ok(transitions)
}

/// The id of a provider.
pub(super) fn id(text: String) -> Result<ProviderId> {
    ProviderId::parse(text).map_err(|e| Error::inconsistent(e.to_string()))
}

/// The state of this number.
pub(super) fn state(number: i64) -> Result<BreakerState> {
    match number {
        0 => Ok(BreakerState::Closed),
        1 => Ok(BreakerState::Open),
        2 => Ok(BreakerState::HalfOpen),
        3 => Ok(BreakerState::ForcedOpen),
        other => Err(Error::inconsistent(format!("a circuit has the state {other}"))),
    }
}

fn provider(parts: Vec<String>) -> Result<ProviderRecord> {
    let mut parts = parts.into_iter();
    let mut next = || parts.next().unwrap_or_default();
    let (name, credential) = (id(next())?, next());
    let mut fields = HashMap::new();
    while let Some(field) = parts.next() {
        fields.insert(field, parts.next().unwrap_or_default());
    }
    let row = Row(fields);
    Ok(ProviderRecord {
        id: name,
        settings: row.settings()?,
        health: row.health()?,
        counters: row.counters()?,
        breaker: row.breaker()?,
        in_flight: row.number("fl")?,
        credential: (!credential.is_empty()).then(|| parse(&credential)).transpose()?,
    })
}

/// The fields of a provider.
struct Row(HashMap<String, String>);

impl Row {
    fn text(&self, field: &str) -> Option<&String> {
        self.0.get(field)
    }

    fn number<T: std::str::FromStr + Default>(&self, field: &str) -> Result<T> {
        self.text(field).map_or_else(|| Ok(T::default()), |text| parse(text))
    }

    fn time(&self, field: &str) -> Result<Option<Timestamp>> {
        self.text(field).map(|text| parse(text).map(Timestamp::from_millis)).transpose()
    }

    fn settings(&self) -> Result<ProviderSettings> {
        let models = self.text("ex").map_or("", String::as_str).split(' ').filter(|model| !model.is_empty());
        Ok(ProviderSettings {
            body: json(self.text("body").map_or("", String::as_str))?,
            traits: Traits {
                disabled: self.text("dis").is_some(),
                weight: self.number("w")?,
                priority: self.number("prio")?,
                max_in_flight: self.number("max")?,
                excluded_models: models.map(decode).collect::<Result<_>>()?,
            },
            seal_key: self.text("seal").cloned(),
            version: self.number("ver")?,
            updated_at: self.time("upd")?.unwrap_or(Timestamp::from_millis(0)),
        })
    }

    fn health(&self) -> Result<Health> {
        let last_failure = self.time("lfa")?.map(|at| (at, self.text("lfm").cloned().unwrap_or_default()));
        Ok(Health {
            unhealthy: self.text("un").is_some(),
            failures: self.number("fs")?,
            last_failure,
            retry_at: self.time("rt")?,
            needs_refresh: self.text("nr").is_some(),
            checked: self.time("cka")?.map(|at| (at, self.text("ckm").cloned())),
        })
    }

    fn counters(&self) -> Result<Counters> {
        Ok(Counters {
            requests: self.number("rq")?,
            errors: self.number("er")?,
            refreshes: self.number("rf")?,
            used_at: self.time("ua")?,
            failed_at: self.time("fa")?,
            sequence: self.number("sq")?,
        })
    }

    fn breaker(&self) -> Result<Breaker> {
        Ok(Breaker {
            state: state(self.number("bs")?)?,
            reason: self.text("br").cloned(),
            since: self.time("bsn")?,
            probe_at: self.time("bpa")?,
        })
    }
}

fn json(text: &str) -> Result<RawJson> {
    RawJson::parse(text).map_err(|e| Error::inconsistent(format!("the settings of a pool are no JSON: {e}")))
}

fn parse<T: std::str::FromStr>(text: &str) -> Result<T> {
    text.parse().map_err(|_| Error::inconsistent(format!("{text:?} is not a number of a provider")))
}
