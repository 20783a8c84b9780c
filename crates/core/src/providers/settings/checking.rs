//! What settings may say. Members that we do not know are of somebody else, and carried as they are.

use super::reading::{MAX_MODELS, MAX_NUMBER, MAX_WEIGHT};
use crate::error::{Error, Result};
use crate::jsontext::{Kind, Node};
use crate::providers::credentials::OAuthClient;
use crate::providers::pool::MAX_MARKS;
use crate::secrets::members::is_secret_name;
use mainstay_api::RawJson;
use mainstay_api::providers::PoolType;
use serde_json::{Map, Value};
use std::ops::RangeInclusive;

/// Longest text of a member, in bytes; keys and certificates of TLS are longer than others.
const MAX_TEXT_BYTES: usize = 32 * 1_024;
/// Most pools that one falls back to.
const MAX_FALLBACKS: usize = 16;
/// Bounds of a time, in milliseconds: up to a day.
const MILLIS: RangeInclusive<u64> = 1..=24 * 60 * 60 * 1_000;
/// The time in which slowness is looked at has twelve parts, which last at least a second each.
const SLOW_FOR_MILLIS: RangeInclusive<u64> = 12_000..=24 * 60 * 60 * 1_000;
/// How long a session may be remembered, in milliseconds: up to 30 days.
const STICKY_MILLIS: RangeInclusive<u64> = 1..=30 * 24 * 60 * 60 * 1_000;
/// How long checks may be apart, in seconds: up to a day.
pub const CHECK_SECONDS: RangeInclusive<u64> = 5..=24 * 60 * 60;
/// How long a check may take, in milliseconds.
pub const CHECK_MILLIS: RangeInclusive<u64> = 100..=120_000;
const NUMBER: RangeInclusive<u64> = 0..=MAX_NUMBER;
const COUNT: RangeInclusive<u64> = 1..=MAX_NUMBER;

const PROTOCOLS: &[&str] = &["openai", "responses", "anthropic", "gemini", "forward"];
const STRATEGIES: &[&str] =
    &["score", "least_used", "least_recently_used", "round_robin", "weighted", "least_in_flight", "priority"];

/// What a member must be.
enum Shape {
    Text,
    Flag,
    Object,
    /// A text for each name.
    Texts,
    /// A list of texts.
    Names,
    /// A list of pools.
    Pools,
    Number(RangeInclusive<u64>),
    OneOf(&'static [&'static str]),
    /// An address that begins with one of these.
    Address(&'static [&'static str]),
    /// How tokens are refreshed.
    OAuth,
}

use Shape::{Address, Flag, Names, Number, OAuth, Object, OneOf, Pools, Text, Texts};

/// What a provider and its pool may both say, by path.
const EITHER: &[(&str, Shape)] = &[
    ("protocol", OneOf(PROTOCOLS)),
    ("check", Object),
    ("check.enabled", Flag),
    ("check.model", Text),
    ("check.path", Text),
    ("check.interval_seconds", Number(CHECK_SECONDS)),
    ("check.timeout_ms", Number(CHECK_MILLIS)),
    ("oauth", OAuth),
];

/// What else we know of a provider's settings.
const PROVIDER: &[(&str, Shape)] = &[
    ("name", Text),
    ("base_url", Address(&["http://", "https://"])),
    ("api_key", Text),
    ("key_header", Text),
    ("key_prefix", Text),
    ("headers", Object),
    ("headers.add", Texts),
    ("headers.remove", Names),
    ("proxy", Address(&["http://", "https://", "socks5://", "socks5h://"])),
    ("tls", Texts),
    ("connect_timeout_ms", Number(MILLIS)),
    ("first_byte_timeout_ms", Number(MILLIS)),
    ("idle_timeout_ms", Number(MILLIS)),
    ("weight", Number(1..=MAX_WEIGHT)),
    ("priority", Number(NUMBER)),
    ("max_in_flight", Number(NUMBER)),
    ("disabled", Flag),
    ("models", Names),
    ("excluded_models", Names),
    ("model_map", Texts),
];

/// What else we know of the settings of a pool itself.
const POOL: &[(&str, Shape)] = &[
    ("strategy", OneOf(STRATEGIES)),
    ("fallback", Pools),
    ("sticky", Object),
    ("sticky.header", Text),
    ("sticky.user", Flag),
    ("sticky.ttl_ms", Number(STICKY_MILLIS)),
    ("health", Object),
    ("health.max_failures", Number(NUMBER)),
    ("health.window_ms", Number(MILLIS)),
    ("health.retry_after_ms", Number(MILLIS)),
    ("breaker", Object),
    ("breaker.max_errors", Number(0..=MAX_MARKS as u64)),
    ("breaker.error_window_ms", Number(MILLIS)),
    ("breaker.open_for_ms", Number(MILLIS)),
    ("breaker.slow_after_ms", Number(MILLIS)),
    ("breaker.slow_per_mille", Number(0..=1_000)),
    ("breaker.slow_for_ms", Number(SLOW_FOR_MILLIS)),
    ("breaker.min_answers", Number(COUNT)),
    ("breaker.sample", Number(COUNT)),
    ("breaker.successes_to_close", Number(COUNT)),
    ("breaker.quorum", Number(COUNT)),
];

/// Checks what is said of a provider in our spelling.
///
/// # Errors
/// `request.invalid`, naming the member and the rule, and no value.
pub fn check_provider(settings: &Map<String, Value>) -> Result<()> {
    check(settings, PROVIDER)
}

/// Checks the settings of a pool itself.
///
/// # Errors
/// `request.invalid`, naming the member and the rule, and no value; also for a secret, which belongs to a provider.
pub fn check_pool(settings: &RawJson) -> Result<()> {
    if let Some(name) = secret_member(&Node::of(settings)?, settings.as_str()) {
        return Err(Error::invalid(format!(
            "settings: `{name}` is secret, and a pool itself keeps no secrets; give it to the providers of the pool"
        )));
    }
    let members: Map<String, Value> =
        settings.read().map_err(|_| Error::invalid("settings: they must be a JSON object"))?;
    check(&members, POOL)
}

fn check(settings: &Map<String, Value>, known: &[(&str, Shape)]) -> Result<()> {
    for (path, shape) in known.iter().chain(EITHER) {
        let Some(value) = find(settings, path) else { continue };
        if let Err(rule) = shape.fits(value) {
            return Err(Error::invalid(format!("settings: `{path}` must be {rule}")));
        }
        if let (OAuth, Value::Object(said)) = (shape, value) {
            check_oauth(said)?;
        }
    }
    Ok(())
}

/// Checks how tokens are refreshed. A provider and its pool complete one another, so that either may leave out the address.
fn check_oauth(said: &Map<String, Value>) -> Result<()> {
    let mut whole = Map::from_iter([("token_url".to_owned(), Value::from("https://host"))]);
    whole.extend(said.clone());
    OAuthClient::parse(&Value::Object(whole).to_string()).map(drop)
}

/// The member at a path; absent where it is null.
fn find<'a>(settings: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let (outer, inner) = path.split_once('.').map_or((path, None), |(outer, inner)| (outer, Some(inner)));
    let value = settings.get(outer)?;
    let value = inner.map_or(Some(value), |inner| value.get(inner))?;
    (!value.is_null()).then_some(value)
}

impl Shape {
    /// Whether a value is as it must be; how it must be, where it is not.
    fn fits(&self, value: &Value) -> std::result::Result<(), String> {
        let is_text = |value: &Value| value.as_str().is_some_and(|text| text.len() <= MAX_TEXT_BYTES);
        let (fits, rule) = match self {
            Text => (is_text(value), format!("a text of at most {MAX_TEXT_BYTES} bytes")),
            Flag => (value.is_boolean(), "true or false".to_owned()),
            Object | OAuth => (value.is_object(), "an object".to_owned()),
            Texts => {
                let texts = value.as_object().is_some_and(|texts| texts.values().all(is_text));
                (texts, "an object whose members are texts".to_owned())
            }
            Names => {
                let names =
                    value.as_array().is_some_and(|names| names.len() <= MAX_MODELS && names.iter().all(is_text));
                (names, format!("a list of at most {MAX_MODELS} texts"))
            }
            Pools => {
                let is_pool = |name: &Value| name.as_str().is_some_and(|name| PoolType::parse(name).is_ok());
                let pools = value.as_array();
                let fits = pools.is_some_and(|pools| pools.len() <= MAX_FALLBACKS && pools.iter().all(is_pool));
                (fits, format!("a list of at most {MAX_FALLBACKS} names of pools"))
            }
            Number(range) => {
                let fits = value.as_u64().is_some_and(|number| range.contains(&number));
                (fits, format!("a whole number from {} to {}", range.start(), range.end()))
            }
            OneOf(words) => {
                (value.as_str().is_some_and(|word| words.contains(&word)), format!("one of {}", words.join(", ")))
            }
            Address(schemes) => {
                let rule = format!("an address that begins with {}, and names a host", schemes.join(" or "));
                (value.as_str().is_some_and(|text| is_address(text, schemes)), rule)
            }
        };
        if fits { Ok(()) } else { Err(rule) }
    }
}

fn is_address(text: &str, schemes: &[&str]) -> bool {
    let rest = schemes.iter().find_map(|scheme| text.trim().strip_prefix(scheme));
    let host =
        rest.and_then(|rest| rest.split(['/', '?', '#']).next()).map(|host| host.rsplit('@').next().unwrap_or(host));
    text.len() <= MAX_TEXT_BYTES && host.is_some_and(|host| !host.is_empty() && !host.starts_with(':'))
}

/// The name of a member that its name says to be secret, and that says something.
fn secret_member(node: &Node, text: &str) -> Option<String> {
    match &node.kind {
        Kind::Object(members) => members.iter().find_map(|member| {
            // These say what members are called in the words of an authorization server.
            if matches!(member.name.as_str(), "fields" | "request_fields") {
                return None;
            }
            let value = &member.value;
            let says = !matches!(value.kind, Kind::Word) && value.text(text) != "\"\"";
            let found = is_secret_name(&member.name) && says;
            if found { Some(member.name.clone()) } else { secret_member(value, text) }
        }),
        Kind::Array(elements) => elements.iter().find_map(|element| secret_member(element, text)),
        Kind::Text | Kind::Number | Kind::Word => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn provider(settings: &Value) -> Result<()> {
        check_provider(settings.as_object().unwrap())
    }

    #[test]
    fn what_is_written_in_our_spelling_is_checked_and_no_value_told() {
        for (settings, named) in [
            (json!({"weight": 0}), "`weight`"),
            (json!({"base_url": "ftp://secret.example"}), "`base_url`"),
            (json!({"base_url": "https://:80/"}), "`base_url`"),
            (json!({"headers": {"add": {"a": 7}}}), "`headers.add`"),
            (json!({"disabled": "secret"}), "`disabled`"),
            (json!({"models": ["a", 1]}), "`models`"),
            (json!({"proxy": "secret:1080"}), "`proxy`"),
            (json!({"oauth": {"client_secret": "secret:", "timeout_ms": 1}}), "`oauth.timeout_ms`"),
        ] {
            let refused = provider(&settings).unwrap_err().problem.detail;
            assert!(
                refused.contains(named) && !refused.contains("secret:") && !refused.contains("example"),
                "{refused}"
            );
        }
        let fine = json!({"base_url": "https://a.example/v1", "weight": 3, "models": [], "proxy": "socks5://u:p@h:1",
            "priority": null, "oauth": {"client_secret": "s"}, "notSupportedModels": "odd", "OPENAI_BASE_URL": 7, "mine": {"weight": 0}});
        provider(&fine).unwrap();
    }

    #[test]
    fn a_pool_itself_has_rules_and_no_secrets() {
        let pool = |text: &str| check_pool(&RawJson::parse(text).unwrap());
        pool(
            r#"{"strategy": "weighted", "breaker": {"max_errors": 0}, "fallback": ["b"], "odd": [],
            "oauth": {"token_url": "https://a.example", "fields": {"access_token": "t"}}}"#,
        )
        .unwrap();
        for refused in [
            r#"{"strategy": "best"}"#,
            r#"{"breaker": {"max_errors": 101}}"#,
            r#"{"check": {"enabled": true, "interval_seconds": 4}}"#,
            r#"{"fallback": ["a b"]}"#,
            r#"{"oauth": {"token_url": "https://a.example", "client_secret": "s"}}"#,
            r#"{"list": [{"api_key": "s"}]}"#,
            "[]",
        ] {
            assert!(pool(refused).is_err(), "{refused}");
        }
    }
}
