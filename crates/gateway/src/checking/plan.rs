//! What settings say of checks.

use mainstay_core::providers::PoolName;
use mainstay_core::providers::settings::{CHECK_MILLIS, CHECK_SECONDS};
use serde_json::{Map, Value};
use std::ops::RangeInclusive;
use std::time::Duration;

/// How long checks are apart where nobody says.
const DEFAULT_EVERY: Duration = Duration::from_secs(600);
/// How long a check may take where nobody says.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(15);

/// How a provider is checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckPlan {
    /// The model that is asked; absent where an upstream speaks anything.
    pub model: Option<String>,
    /// The path that is asked of an upstream that speaks anything.
    pub path: String,
    /// How long checks are apart.
    pub every: Duration,
    /// How long a check may take.
    pub timeout: Duration,
}

/// Reads the settings of a provider, and those of its pool where it says nothing itself. Absent where it is not to be checked.
pub(crate) fn read(pool: &PoolName, settings: &Map<String, Value>, body: &Map<String, Value>) -> Option<CheckPlan> {
    let said = |name: &str| {
        let of = |settings: &Map<String, Value>| settings.get("check")?.get(name).cloned();
        of(body).or_else(|| of(settings))
    };
    let own = body.get("check").and_then(|check| check.get("enabled"));
    let enabled = own.or_else(|| body.get("checkHealth")).cloned().or_else(|| said("enabled"));
    if enabled.and_then(|enabled| enabled.as_bool()) != Some(true) {
        return None;
    }
    let text = |value: Option<Value>| {
        value.as_ref().and_then(Value::as_str).map(str::to_owned).filter(|text| !text.trim().is_empty())
    };
    let original = || text(body.get("checkModelName").cloned());
    let own = text(body.get("check").and_then(|check| check.get("model")).cloned());
    let model = own.or_else(original).or_else(|| text(said("model")));
    let served = || {
        let models = body.get("models").and_then(Value::as_array).into_iter().flatten();
        models.filter_map(Value::as_str).find(|model| !model.ends_with('*')).map(str::to_owned)
    };
    let number = |name: &str, within: RangeInclusive<u64>| {
        said(name).as_ref().and_then(Value::as_u64).map(|number| number.clamp(*within.start(), *within.end()))
    };
    Some(CheckPlan {
        model: model.or_else(served).or_else(|| usual(pool.pool.as_str()).map(str::to_owned)),
        path: text(said("path")).unwrap_or_default(),
        every: number("interval_seconds", CHECK_SECONDS).map_or(DEFAULT_EVERY, Duration::from_secs),
        timeout: number("timeout_ms", CHECK_MILLIS).map_or(DEFAULT_TIMEOUT, Duration::from_millis),
    })
}

/// The model that the founding system asks, by the type of the pool.
fn usual(pool: &str) -> Option<&'static str> {
    [
        ("claude-kiro", "claude-haiku-4-5"),
        ("claude", "claude-3-7-sonnet-20250219"),
        ("gemini", "gemini-2.5-flash"),
        ("openai-qwen", "qwen3-coder-flash"),
        ("openai-iflow", "qwen3-coder-plus"),
        ("openai-codex", "gpt-5-codex-mini"),
        ("openai", "gpt-4o-mini"),
    ]
    .into_iter()
    .find(|(beginning, _)| pool.starts_with(beginning))
    .map(|(_, model)| model)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_core::api::Namespace;
    use mainstay_core::api::providers::PoolType;
    use serde_json::json;

    fn plan(pool: &str, settings: &Value, body: &Value) -> Option<CheckPlan> {
        let name = PoolName { namespace: Namespace::default(), pool: PoolType::parse(pool).unwrap() };
        read(&name, settings.as_object().unwrap(), body.as_object().unwrap())
    }

    #[test]
    fn nothing_is_checked_that_nobody_asks_for() {
        for body in
            [json!({}), json!({"check": {}}), json!({"check": {"enabled": "yes"}}), json!({"checkHealth": false})]
        {
            assert_eq!(plan("openai-custom", &json!({}), &body), None, "{body}");
        }
        let settings = json!({"check": {"enabled": true}});
        assert!(plan("openai-custom", &settings, &json!({})).is_some());
        assert_eq!(plan("openai-custom", &settings, &json!({"check": {"enabled": false}})), None);
        assert_eq!(plan("openai-custom", &settings, &json!({"checkHealth": false})), None);
    }

    #[test]
    fn both_spellings_ask_for_the_same_check() {
        let ours = json!({"check": {"enabled": true, "model": "small"}});
        let original = json!({"checkHealth": true, "checkModelName": "small"});
        let check = plan("claude-custom", &json!({}), &ours);
        assert_eq!(check, plan("claude-custom", &json!({}), &original));
        let check = check.unwrap();
        assert_eq!(
            (check.model.as_deref(), check.every, check.timeout),
            (Some("small"), DEFAULT_EVERY, DEFAULT_TIMEOUT)
        );
    }

    #[test]
    fn what_a_provider_does_not_say_its_pool_does_within_bounds() {
        let settings = json!({"check": {"interval_seconds": 1, "timeout_ms": 9_999_999, "model": "of-the-pool"}});
        let check = plan("a", &settings, &json!({"check": {"enabled": true}})).unwrap();
        assert_eq!((check.every, check.timeout), (Duration::from_secs(5), Duration::from_secs(120)));
        assert_eq!(check.model.as_deref(), Some("of-the-pool"));
        for (pool, body, model) in [
            ("openai-custom", json!({"checkHealth": true, "models": ["x*", "y"]}), Some("y")),
            ("claude-kiro-oauth", json!({"checkHealth": true, "checkModelName": null}), Some("claude-haiku-4-5")),
            ("mine", json!({"checkHealth": true}), None),
        ] {
            assert_eq!(plan(pool, &json!({}), &body).unwrap().model.as_deref(), model, "{pool}");
        }
    }
}
