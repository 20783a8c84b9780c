//! The settings of a pool itself.

use crate::Protocol;
use crate::serving::{PoolPlan, StickyRule};
use crate::upstream::Speaks;
use mainstay_core::api::Timestamp;
use mainstay_core::api::providers::PoolType;
use mainstay_core::providers::{BreakerRules, HealthRules, PoolName, SelectionRules, Strategy};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::time::Duration;

/// How long a session is remembered where nobody says.
const DEFAULT_STICKY: Duration = Duration::from_secs(30 * 60);

pub(super) fn read(pool: &PoolName, revision: u64, settings: &Map<String, Value>) -> PoolPlan {
    let fallback = settings.get("fallback").and_then(Value::as_array).into_iter().flatten();
    PoolPlan {
        revision,
        speaks: speaks(pool, settings, None),
        rules: SelectionRules {
            strategy: strategy(settings.get("strategy").and_then(Value::as_str)),
            health: health(settings.get("health")),
            breaker: breaker(settings.get("breaker")),
        },
        sticky: sticky(settings.get("sticky")),
        fallback: fallback.filter_map(|pool| PoolType::parse(pool.as_str()?).ok()).collect(),
        providers: BTreeMap::new(),
        changed_at: Timestamp::from_millis(0),
    }
}

/// What is spoken: as the provider says, or its pool, or as the name of the pool begins.
pub(super) fn speaks(pool: &PoolName, settings: &Map<String, Value>, own: Option<&str>) -> Speaks {
    let said = own.or_else(|| settings.get("protocol").and_then(Value::as_str));
    let named = said.unwrap_or_else(|| match pool.pool.as_str().split('-').next().unwrap_or_default() {
        "claude" => "anthropic",
        "openaiResponses" => "responses",
        beginning => beginning,
    });
    match named {
        "forward" => Speaks::Anything,
        other => Speaks::Protocol(other.parse().unwrap_or(Protocol::OpenAi)),
    }
}

fn strategy(name: Option<&str>) -> Strategy {
    match name.unwrap_or_default() {
        "least_used" => Strategy::LeastUsed,
        "least_recently_used" => Strategy::LeastRecentlyUsed,
        "round_robin" => Strategy::RoundRobin,
        "weighted" => Strategy::Weighted,
        "least_in_flight" => Strategy::LeastInFlight,
        "priority" => Strategy::Priority,
        _ => Strategy::Score,
    }
}

fn health(said: Option<&Value>) -> HealthRules {
    let mut rules = HealthRules::default();
    number(said, "max_failures", &mut rules.max_failures);
    duration(said, "window_ms", &mut rules.window);
    duration(said, "retry_after_ms", &mut rules.retry_after);
    rules
}

fn breaker(said: Option<&Value>) -> BreakerRules {
    let mut rules = BreakerRules::default();
    for (name, value) in [
        ("max_errors", &mut rules.max_errors),
        ("slow_per_mille", &mut rules.slow_per_mille),
        ("min_answers", &mut rules.min_answers),
        ("sample", &mut rules.sample),
        ("successes_to_close", &mut rules.successes_to_close),
        ("quorum", &mut rules.quorum),
    ] {
        number(said, name, value);
    }
    for (name, value) in [
        ("error_window_ms", &mut rules.error_window),
        ("open_for_ms", &mut rules.open_for),
        ("slow_after_ms", &mut rules.slow_after),
        ("slow_for_ms", &mut rules.slow_for),
    ] {
        duration(said, name, value);
    }
    rules
}

fn sticky(said: Option<&Value>) -> Option<StickyRule> {
    let said = said?.as_object()?;
    let header = said.get("header").and_then(Value::as_str).map(str::to_ascii_lowercase);
    if header.is_none() && said.get("user").and_then(Value::as_bool) != Some(true) {
        return None;
    }
    let ttl = said.get("ttl_ms").and_then(Value::as_u64).map_or(DEFAULT_STICKY, Duration::from_millis);
    Some(StickyRule { header, ttl })
}

fn number(said: Option<&Value>, name: &str, value: &mut u32) {
    if let Some(number) = said.and_then(|said| said.get(name)).and_then(Value::as_u64) {
        *value = u32::try_from(number).unwrap_or(u32::MAX);
    }
}

fn duration(said: Option<&Value>, name: &str, value: &mut Duration) {
    if let Some(ms) = said.and_then(|said| said.get(name)).and_then(Value::as_u64) {
        *value = Duration::from_millis(ms);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_core::api::Namespace;
    use serde_json::json;

    fn plan(pool: &str, settings: &Value) -> PoolPlan {
        let name = PoolName { namespace: Namespace::default(), pool: PoolType::parse(pool).unwrap() };
        read(&name, 1, settings.as_object().unwrap())
    }

    #[test]
    fn the_name_of_a_pool_says_what_is_spoken_where_nothing_else_does() {
        for (pool, speaks) in [
            ("claude-custom", Speaks::Protocol(Protocol::Anthropic)),
            ("openaiResponses-custom", Speaks::Protocol(Protocol::Responses)),
            ("gemini-cli-oauth", Speaks::Protocol(Protocol::Gemini)),
            ("forward-api", Speaks::Anything),
            ("mine", Speaks::Protocol(Protocol::OpenAi)),
        ] {
            assert_eq!(plan(pool, &json!({})).speaks, speaks, "{pool}");
        }
        assert_eq!(plan("claude-custom", &json!({"protocol": "gemini"})).speaks, Speaks::Protocol(Protocol::Gemini));
    }

    #[test]
    fn what_is_not_said_is_as_in_the_founding_document() {
        let said = json!({"breaker": {"max_errors": 5, "open_for_ms": 10}, "health": {"max_failures": 1}, "strategy": "weighted",
            "sticky": {"header": "X-Session"}, "fallback": ["b", 7, "not a pool"]});
        let read = plan("a", &said);
        assert_eq!((read.rules.breaker.max_errors, read.rules.breaker.quorum), (5, 1));
        assert_eq!((read.rules.health.max_failures, read.rules.health.window), (1, Duration::from_secs(10)));
        assert_eq!(read.rules.strategy, Strategy::Weighted);
        assert_eq!(read.sticky.unwrap().header.as_deref(), Some("x-session"));
        assert_eq!(read.fallback, [PoolType::parse("b").unwrap()]);
    }
}
