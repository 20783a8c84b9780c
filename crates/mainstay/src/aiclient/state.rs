//! What the text of a provider says of its health and counters, which a store keeps as numbers and times of their own.
//!
//! *Invariant:* a text says again what it said where nothing changed since: a member is written only where what it says is
//! not what is so.

use super::text::{members, string_member, with_members};
use mainstay_api::providers::{MAX_COUNT, MAX_FAILURE_BYTES, Provider, ProviderCounters, ProviderHealth, ProviderId};
use mainstay_api::{RawJson, Timestamp};
use mainstay_core::text::cut;
use std::collections::BTreeMap;

/// How a provider does.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct State {
    /// Its health.
    pub health: ProviderHealth,
    /// What was counted.
    pub counters: ProviderCounters,
}

impl State {
    /// What a text says. What it does not say, or says in a way that makes no sense, is as of a new provider.
    pub fn said(body: &RawJson) -> Self {
        let said = Said(members(body).unwrap_or_default().into_iter().collect());
        let (failed_at, checked_at) = (said.time("lastErrorTime"), said.time("lastHealthCheckTime"));
        let errors = said.count("errorCount");
        Self {
            health: ProviderHealth {
                healthy: said.flag("isHealthy").unwrap_or(true),
                // The original counts failures in a row, and keeps no others.
                failures: u32::try_from(errors).unwrap_or(u32::MAX),
                failed_at,
                failure: failed_at.map(|_| said.text("lastErrorMessage").unwrap_or_default()),
                retry_at: said.time("scheduledRecoveryTime"),
                needs_refresh: said.flag("needsRefresh").unwrap_or(false),
                checked_at,
                checked_model: checked_at.and_then(|_| said.text("lastHealthCheckModel")),
            },
            counters: ProviderCounters {
                requests: said.count("usageCount"),
                errors,
                refreshes: said.count("refreshCount"),
                used_at: said.time("lastUsed"),
                failed_at,
                // The original numbers choices anew with every start.
                sequence: 0,
            },
        }
    }

    /// The state of a provider in a store.
    pub fn of(provider: &Provider) -> Self {
        Self { health: provider.health.clone(), counters: provider.counters.clone() }
    }

    /// A text of a provider that says how it does. All else keeps its bytes.
    pub fn told_in(&self, id: &ProviderId, body: &RawJson) -> RawJson {
        let said = Self::said(body);
        let mut changes = Vec::new();
        let mut tell = |name, was: Option<String>, now: Option<String>| {
            if was != now {
                changes.push((name, now.unwrap_or_else(|| "null".to_owned())));
            }
        };
        let uuid = string_member(body, "uuid");
        tell("uuid", uuid.as_deref().map(text), Some(text(id.as_str())));
        let (was, now) = (&said.health, &self.health);
        tell("isHealthy", Some(was.healthy.to_string()), Some(now.healthy.to_string()));
        tell("needsRefresh", Some(was.needs_refresh.to_string()), Some(now.needs_refresh.to_string()));
        let words = |health: &ProviderHealth| health.failure.as_deref().filter(|words| !words.is_empty()).map(text);
        tell("lastErrorMessage", words(was), words(now));
        tell("scheduledRecoveryTime", was.retry_at.map(time), now.retry_at.map(time));
        tell("lastHealthCheckTime", was.checked_at.map(time), now.checked_at.map(time));
        let model =
            |health: &ProviderHealth| health.checked_model.as_deref().filter(|model| !model.is_empty()).map(text);
        tell("lastHealthCheckModel", model(was), model(now));
        let (was, now) = (&said.counters, &self.counters);
        tell("usageCount", Some(was.requests.to_string()), Some(now.requests.to_string()));
        tell("errorCount", Some(was.errors.to_string()), Some(now.errors.to_string()));
        tell("refreshCount", Some(was.refreshes.to_string()), Some(now.refreshes.to_string()));
        tell("lastUsed", was.used_at.map(time), now.used_at.map(time));
        tell("lastErrorTime", was.failed_at.map(time), now.failed_at.map(time));
        if changes.is_empty() {
            return body.clone();
        }
        with_members(body, &changes).unwrap_or_else(|| body.clone())
    }

    /// Whether nothing that was counted is lost against another state.
    pub fn counts_at_least(&self, other: &Self) -> bool {
        let counts = |state: &Self| (state.counters.requests, state.counters.errors, state.counters.refreshes);
        let (mine, others) = (counts(self), counts(other));
        mine.0 >= others.0 && mine.1 >= others.1 && mine.2 >= others.2
    }
}

fn text(value: &str) -> String {
    serde_json::Value::from(value).to_string()
}

fn time(at: Timestamp) -> String {
    text(&at.to_millis_text())
}

/// The members of a text.
struct Said(BTreeMap<String, RawJson>);

impl Said {
    fn flag(&self, name: &str) -> Option<bool> {
        self.0.get(name)?.read().ok()
    }

    fn text(&self, name: &str) -> Option<String> {
        let text: String = self.0.get(name)?.read().ok()?;
        Some(cut(&text, MAX_FAILURE_BYTES))
    }

    fn count(&self, name: &str) -> u64 {
        self.0.get(name).and_then(|count| count.read::<u64>().ok()).unwrap_or(0).min(MAX_COUNT)
    }

    /// A time; one before 1970 is a mistake of a clock.
    fn time(&self, name: &str) -> Option<Timestamp> {
        self.0.get(name)?.read::<Timestamp>().ok().filter(|at| at.as_millis() >= 0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::text::parse;
    use super::*;

    const BODY: &str = r#"{"uuid":"u","isHealthy":false,"usageCount":1234,"errorCount":3,"lastErrorTime":"2026-01-25T10:30:00.123Z",
        "lastErrorMessage":"no","scheduledRecoveryTime":"2026-02-01T00:00:00.000Z","needsRefresh":true,"refreshCount":2,
        "lastUsed":"2026-01-25T10:30:00+02:00","lastHealthCheckTime":null,"lastHealthCheckModel":"m","_lastSelectionSeq":7}"#;

    fn id() -> ProviderId {
        ProviderId::parse("u").unwrap()
    }

    #[test]
    fn a_text_says_again_what_it_said() {
        for body in [
            BODY,
            r#"{"uuid":"u"}"#,
            r#"{"uuid":"u","isHealthy":"no","usageCount":-1,"errorCount":1e400,
            "lastUsed":"soon","lastErrorTime":"1969-01-01T00:00:00Z","lastErrorMessage":"x","refreshCount":99999999999999999}"#,
        ] {
            let body = parse(body).unwrap();
            assert_eq!(State::said(&body).told_in(&id(), &body), body);
        }
        let said = State::said(&parse(BODY).unwrap());
        assert_eq!((said.health.healthy, said.health.failures, said.counters.requests), (false, 3, 1_234));
        assert_eq!(said.counters.used_at.unwrap().to_string(), "2026-01-25T08:30:00.000Z");
        assert_eq!(said.health.checked_model, None, "it was not checked");
    }

    #[test]
    fn what_changed_is_told_and_all_else_keeps_its_bytes() {
        let body = parse(r#"{"usageCount" : 1, "lastUsed":null, "isHealthy":true, "x": [ ]}"#).unwrap();
        let mut state = State::said(&body);
        state.counters.requests = 7;
        state.health.healthy = false;
        state.counters.used_at = Some(Timestamp::from_millis(1_000));
        assert_eq!(
            state.told_in(&id(), &body).as_str(),
            r#"{"usageCount" : 7, "lastUsed":"1970-01-01T00:00:01.000Z", "isHealthy":false, "x": [ ],"uuid": "u"}"#
        );
    }
}
