//! The settings of a provider, in our spelling and in that of the founding system.

use super::pools::speaks;
use crate::Protocol;
use crate::checking;
use crate::serving::ProviderPlan;
use crate::upstream::{HeaderRules, Speaks, Target, Way};
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use mainstay_core::providers::PoolName;
use mainstay_core::providers::settings::Offer;
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::Duration;
use url::Url;

const BASE_URLS: &[&str] = &[
    "base_url",
    "OPENAI_BASE_URL",
    "CLAUDE_BASE_URL",
    "GEMINI_BASE_URL",
    "FORWARD_BASE_URL",
    "QWEN_BASE_URL",
    "IFLOW_BASE_URL",
    "CODEX_BASE_URL",
];
const KEYS: &[&str] = &["api_key", "OPENAI_API_KEY", "CLAUDE_API_KEY", "GEMINI_API_KEY", "FORWARD_API_KEY"];
/// Time-outs where settings name none: models think for long, and say nothing while they do.
const CONNECT: Duration = Duration::from_secs(10);
const FIRST_BYTE: Duration = Duration::from_secs(120);
const IDLE: Duration = Duration::from_secs(120);

pub(super) fn read(pool: &PoolName, settings: &Map<String, Value>, body: &Map<String, Value>) -> ProviderPlan {
    let Offer { traits, models } = Offer::of(body);
    ProviderPlan {
        disabled: traits.disabled,
        models,
        excluded_models: traits.excluded_models,
        check: checking::read(pool, settings, body),
        target: target(pool, settings, body).map(Arc::new),
    }
}

fn target(pool: &PoolName, settings: &Map<String, Value>, body: &Map<String, Value>) -> Result<Target, String> {
    let speaks = speaks(pool, settings, text(body, &["protocol"]));
    let base = text(body, BASE_URLS).or_else(|| usual(speaks)).ok_or("its settings name no `base_url`")?;
    let base_url: Url = base.parse().map_err(|_| "its `base_url` is no address")?;
    if !matches!(base_url.scheme(), "http" | "https") || base_url.host().is_none() {
        return Err("its `base_url` must begin with http:// or https://".into());
    }
    let header = text(body, &["key_header", "FORWARD_HEADER_NAME"]);
    let header = header.map_or(Ok(AUTHORIZATION), str::parse).map_err(|_| "the header of its key is no header")?;
    let prefix = body.get("key_prefix").or_else(|| body.get("FORWARD_HEADER_VALUE_PREFIX")).and_then(Value::as_str);
    let tls = body.get("tls").and_then(Value::as_object);
    let pem = |name: &str| tls.and_then(|tls| text(tls, &[name])).map(str::to_owned);
    let identity = pem("client_cert").map(|cert| format!("{cert}\n{}", pem("client_key").unwrap_or_default()));
    let model_map = body.get("model_map").and_then(Value::as_object).into_iter().flatten();
    Ok(Target {
        speaks,
        base_url,
        key: text(body, KEYS).map(Into::into),
        key_header: (header, prefix.unwrap_or("Bearer ").to_owned()),
        headers: headers(body.get("headers"))?,
        way: Way {
            proxy: text(body, &["proxy"]).map(str::to_owned),
            ca: pem("ca"),
            identity,
            connect_timeout: duration(body, "connect_timeout_ms", CONNECT),
        },
        first_byte_timeout: duration(body, "first_byte_timeout_ms", FIRST_BYTE),
        idle_timeout: duration(body, "idle_timeout_ms", IDLE),
        model_map: model_map.filter_map(|(name, there)| Some((name.clone(), there.as_str()?.to_owned()))).collect(),
    })
}

/// Where the makers of a protocol serve it.
const fn usual(speaks: Speaks) -> Option<&'static str> {
    match speaks {
        Speaks::Protocol(Protocol::OpenAi | Protocol::Responses) => Some("https://api.openai.com/v1"),
        Speaks::Protocol(Protocol::Anthropic) => Some("https://api.anthropic.com"),
        Speaks::Protocol(Protocol::Gemini) => Some("https://generativelanguage.googleapis.com"),
        Speaks::Anything => None,
    }
}

fn headers(said: Option<&Value>) -> Result<HeaderRules, String> {
    let add = said.and_then(|said| said.get("add")).and_then(Value::as_object).into_iter().flatten();
    let pair = |(name, value): (&String, &Value)| {
        let value = HeaderValue::try_from(value.as_str()?).ok()?;
        Some((name.parse::<HeaderName>().ok()?, value))
    };
    let add: Option<Vec<_>> = add.map(pair).collect();
    let remove = texts(said.and_then(|said| said.get("remove")));
    let remove: Result<Vec<HeaderName>, _> = remove.iter().map(|name| name.parse()).collect();
    match (add, remove) {
        (Some(add), Ok(remove)) => Ok(HeaderRules { add, remove }),
        _ => Err("its `headers` hold what is no header".into()),
    }
}

/// The first of these members that says something.
fn text<'a>(body: &'a Map<String, Value>, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| body.get(*name).and_then(Value::as_str).filter(|text| !text.trim().is_empty()))
}

fn texts(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn duration(body: &Map<String, Value>, name: &str, usual: Duration) -> Duration {
    body.get(name).and_then(Value::as_u64).map_or(usual, Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_core::api::Namespace;
    use mainstay_core::api::providers::PoolType;
    use secrecy::ExposeSecret;
    use serde_json::json;

    fn plan(pool: &str, body: &Value) -> ProviderPlan {
        let name = PoolName { namespace: Namespace::default(), pool: PoolType::parse(pool).unwrap() };
        read(&name, &Map::new(), body.as_object().unwrap())
    }

    #[test]
    fn both_spellings_describe_the_same_provider() {
        let original = json!({"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "https://a.example/v1", "isDisabled": true,
            "notSupportedModels": ["x"], "uuid": "u"});
        let ours =
            json!({"api_key": "k", "base_url": "https://a.example/v1", "disabled": true, "excluded_models": ["x"]});
        for body in [original, ours] {
            let plan = plan("openai-custom", &body);
            assert!(plan.disabled);
            assert_eq!(plan.excluded_models, ["x"]);
            let target = plan.target.unwrap();
            assert_eq!(target.base_url.as_str(), "https://a.example/v1");
            assert_eq!(target.key.as_ref().unwrap().expose_secret(), "k");
        }
    }

    #[test]
    fn an_upstream_that_speaks_anything_may_take_its_key_in_any_header() {
        let body = json!({"FORWARD_API_KEY": "k", "FORWARD_BASE_URL": "https://a.example", "FORWARD_HEADER_NAME": "X-Key",
            "FORWARD_HEADER_VALUE_PREFIX": ""});
        let target = plan("forward-api", &body).target.unwrap();
        assert_eq!(target.speaks, Speaks::Anything);
        assert_eq!(target.credentials(None)[0].0, "x-key");
        assert_eq!(target.credentials(None)[0].1, "k");
    }

    #[test]
    fn what_cannot_be_is_said_and_no_secret_with_it() {
        for body in [
            json!({"base_url": "ftp://a.example"}),
            json!({"base_url": "nowhere"}),
            json!({"headers": {"add": {"a b": "c"}}}),
            json!({"key_header": "a b"}),
        ] {
            assert!(plan("openai-custom", &body).target.is_err(), "{body}");
        }
        assert!(plan("forward-api", &json!({})).target.is_err());
    }
}
