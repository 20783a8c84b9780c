//! Which pools may answer, and for which model: what documents of the namespace say.

use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::Namespace;
use mainstay_core::api::providers::PoolType;
use mainstay_core::providers::keys::matches;
use serde_json::{Map, Value};
use std::sync::Arc;

/// Most attempts that a document may ask for.
const MAX_ATTEMPTS: u64 = 20;
/// Attempts where no document says a number: the first, and as many switches as in the founding system.
const DEFAULT_ATTEMPTS: u32 = 6;
/// Most pools that one request may come by.
const MAX_CANDIDATES: usize = 8;

/// What the documents `settings/main` and `settings/gateway` say of a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Routing {
    routes: Vec<Route>,
    default_pools: Vec<PoolType>,
    fallback_pools: Vec<(PoolType, Vec<PoolType>)>,
    fallback_models: Vec<(String, Candidate)>,
    /// A proxy, and the pools whose upstreams are reached by it; all where absent.
    proxy: Option<(String, Option<Vec<PoolType>>)>,
    /// Most providers that are asked for one request.
    pub(crate) max_attempts: u32,
}

/// Models, and the pool that answers for them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Route {
    model: String,
    pool: PoolType,
    /// What the model is called there; as the client calls it where absent.
    to: Option<String>,
}

/// A pool that may answer, and the model that it is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub pool: PoolType,
    pub model: Option<String>,
}

/// Where routing is read from. Only what is not known yet is waited for: a change never holds up a request.
#[async_trait]
pub trait RoutingSource: Send + Sync {
    /// The routing of a namespace.
    ///
    /// # Errors
    /// Those of the store.
    async fn routing(&self, namespace: &Namespace) -> Result<Arc<Routing>>;
}

impl Default for Routing {
    fn default() -> Self {
        Self {
            routes: Vec::new(),
            default_pools: Vec::new(),
            fallback_pools: Vec::new(),
            fallback_models: Vec::new(),
            proxy: None,
            max_attempts: DEFAULT_ATTEMPTS,
        }
    }
}

impl Routing {
    /// Reads the two documents; what cannot be understood in them counts as not said, and is told to the log.
    #[must_use]
    pub fn read(main: Option<&str>, gateway: Option<&str>) -> Self {
        let members = |name: &str, text: Option<&str>| match text.map(serde_json::from_str::<Map<String, Value>>) {
            Some(Ok(members)) => members,
            Some(Err(cause)) => {
                tracing::warn!(document = name, %cause, "a document of settings is no JSON object");
                Map::new()
            }
            None => Map::new(),
        };
        let (main, gateway) = (members("main", main), members("gateway", gateway));
        let said = |ours: &str, original: &str| gateway.get(ours).or_else(|| main.get(original)).cloned();
        let listed = said("default_pools", "DEFAULT_MODEL_PROVIDERS").map(|listed| pools(&listed)).unwrap_or_default();
        let named = main.get("MODEL_PROVIDER").map(pools).unwrap_or_default();
        let attempts = gateway.get("max_attempts").and_then(Value::as_u64);
        let switches = main.get("CREDENTIAL_SWITCH_MAX_RETRIES").and_then(Value::as_u64);
        let attempts = attempts.or_else(|| switches.map(|switches| switches.saturating_add(1)));
        Self {
            routes: gateway.get("routes").and_then(Value::as_array).into_iter().flatten().filter_map(route).collect(),
            // The first one of the founding system's own setting comes before the list that it makes of it.
            default_pools: if gateway.contains_key("default_pools") || named.is_empty() { listed } else { named },
            fallback_pools: object(said("fallback_pools", "providerFallbackChain"))
                .iter()
                .filter_map(|(pool, next)| Some((PoolType::parse(pool.as_str()).ok()?, pools(next))))
                .collect(),
            fallback_models: object(said("fallback_models", "modelFallbackMapping"))
                .iter()
                .filter_map(|(model, target)| Some((model.clone(), model_target(target)?)))
                .collect(),
            proxy: proxy(&gateway, &main),
            max_attempts: attempts.map_or(DEFAULT_ATTEMPTS, |count| count.clamp(1, MAX_ATTEMPTS) as u32),
        }
    }

    /// The proxy on the way to the upstreams of a pool.
    pub(crate) fn proxy(&self, pool: &PoolType) -> Option<&str> {
        let (proxy, pools) = self.proxy.as_ref()?;
        pools.as_ref().is_none_or(|pools| pools.contains(pool)).then_some(proxy.as_str())
    }

    /// The pool that a route names for a model.
    pub(crate) fn routed(&self, model: &str) -> Option<Candidate> {
        let route = self.routes.iter().find(|route| matches(&route.model, model))?;
        let model = route.to.clone().unwrap_or_else(|| model.to_owned());
        Some(Candidate { pool: route.pool.clone(), model: Some(model) })
    }

    /// The pools that are asked where nothing else says which: the first that serves the model.
    pub(crate) fn default_pools(&self) -> &[PoolType] {
        &self.default_pools
    }

    /// All pools that may answer, in turn: the first, then those behind it in its chain, then the model that stands for this
    /// one, with the chain of its pool. None twice.
    pub(crate) fn candidates(&self, first: Candidate, own_chain: &[PoolType]) -> Vec<Candidate> {
        let mut candidates = vec![first.clone()];
        let chained = |candidates: &mut Vec<Candidate>, from: &Candidate| {
            let chain = self.fallback_pools.iter().find(|(pool, _)| *pool == from.pool);
            for pool in chain.map(|(_, chain)| chain.as_slice()).unwrap_or_default() {
                push(candidates, Candidate { pool: pool.clone(), model: from.model.clone() });
            }
        };
        for pool in own_chain {
            push(&mut candidates, Candidate { pool: pool.clone(), model: first.model.clone() });
        }
        chained(&mut candidates, &first);
        let stands_for = self.fallback_models.iter().find(|(model, _)| Some(model) == first.model.as_ref());
        if let Some((_, other)) = stands_for {
            push(&mut candidates, other.clone());
            chained(&mut candidates, other);
        }
        candidates
    }
}

fn push(candidates: &mut Vec<Candidate>, candidate: Candidate) {
    if candidates.len() < MAX_CANDIDATES && !candidates.contains(&candidate) {
        candidates.push(candidate);
    }
}

fn object(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    }
}

/// Pools of a list, or of a text with commas.
fn pools(value: &Value) -> Vec<PoolType> {
    let texts: Vec<&str> = match value {
        Value::String(text) => text.split(',').collect(),
        Value::Array(list) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    };
    let mut pools: Vec<PoolType> = Vec::new();
    for pool in texts.into_iter().filter_map(|text| PoolType::parse(text.trim()).ok()) {
        if !pools.contains(&pool) {
            pools.push(pool);
        }
    }
    pools
}

/// What is said of a proxy: `proxy` and `proxy_pools`, or `PROXY_URL`, which the founding system uses for the pools of
/// `PROXY_ENABLED_PROVIDERS` alone.
fn proxy(gateway: &Map<String, Value>, main: &Map<String, Value>) -> Option<(String, Option<Vec<PoolType>>)> {
    let text = |said: Option<&Value>| said.and_then(Value::as_str).filter(|url| !url.is_empty()).map(str::to_owned);
    if let Some(url) = text(gateway.get("proxy")) {
        return Some((url, gateway.get("proxy_pools").map(pools)));
    }
    let enabled = main.get("PROXY_ENABLED_PROVIDERS").map(pools).unwrap_or_default();
    text(main.get("PROXY_URL")).map(|url| (url, Some(enabled)))
}

fn route(value: &Value) -> Option<Route> {
    let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
    Some(Route { model: text("model")?, pool: PoolType::parse(text("pool")?).ok()?, to: text("to") })
}

fn model_target(value: &Value) -> Option<Candidate> {
    let text = |names: &[&str]| names.iter().find_map(|name| value.get(*name).and_then(Value::as_str));
    let pool = text(&["pool", "targetProviderType", "targetProvider"])?;
    let model = text(&["model", "targetModel"])?;
    Some(Candidate { pool: PoolType::parse(pool).ok()?, model: Some(model.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(pool: &str, model: &str) -> Candidate {
        Candidate { pool: PoolType::parse(pool).unwrap(), model: Some(model.into()) }
    }

    #[test]
    fn both_spellings_lead_to_the_same_pools() {
        let original = r#"{"providerFallbackChain":{"a":["b","c"]},"CREDENTIAL_SWITCH_MAX_RETRIES":2,
            "modelFallbackMapping":{"m":{"targetProviderType":"d","targetModel":"n"}},"MODEL_PROVIDER":" a , b,a"}"#;
        let ours = r#"{"fallback_pools":{"a":["b","c"]},"max_attempts":3,"default_pools":["a","b"],
            "fallback_models":{"m":{"pool":"d","model":"n"}}}"#;
        let read = Routing::read(Some(original), None);
        assert_eq!(read, Routing::read(None, Some(ours)));
        let all = read.candidates(candidate("a", "m"), &[]);
        assert_eq!(all, [candidate("a", "m"), candidate("b", "m"), candidate("c", "m"), candidate("d", "n")]);
        assert_eq!(read.default_pools().len(), 2);
    }

    #[test]
    fn a_proxy_is_for_the_pools_that_it_names() {
        let original = r#"{"PROXY_URL":"socks5://10.0.0.1:1080","PROXY_ENABLED_PROVIDERS":["a"]}"#;
        let proxy = |main: Option<&str>, gateway: Option<&str>, pool: &str| {
            Routing::read(main, gateway).proxy(&PoolType::parse(pool).unwrap()).map(str::to_owned)
        };
        assert_eq!(proxy(Some(original), None, "a").as_deref(), Some("socks5://10.0.0.1:1080"));
        assert_eq!(proxy(Some(original), None, "b"), None);
        let ours = r#"{"proxy":"http://10.0.0.2:3128"}"#;
        assert_eq!(proxy(Some(original), Some(ours), "b").as_deref(), Some("http://10.0.0.2:3128"));
        assert_eq!(proxy(Some(r#"{"PROXY_URL":null}"#), None, "a"), None);
    }

    #[test]
    fn a_chain_that_leads_back_ends() {
        let read = Routing::read(
            None,
            Some(
                r#"{"fallback_pools":{"a":["b","a"],"b":["a"]},"fallback_models":{"m":{"pool":"a","model":"m"}},
                "routes":[{"model":"x*","pool":"b","to":"y"}]}"#,
            ),
        );
        assert_eq!(read.candidates(candidate("a", "m"), &[]), [candidate("a", "m"), candidate("b", "m")]);
        assert_eq!(read.routed("xyz"), Some(candidate("b", "y")));
        assert_eq!(read.routed("yx"), None);
    }

    #[test]
    fn what_is_no_settings_at_all_does_no_harm() {
        for text in ["", "[]", "7", r#"{"routes":7,"fallback_pools":[],"max_attempts":"many","default_pools":{"a":1}}"#]
        {
            let read = Routing::read(Some(text), Some(text));
            assert_eq!(read, Routing::default(), "{text}");
        }
    }
}
