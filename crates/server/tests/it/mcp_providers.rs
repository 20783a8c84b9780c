//! The tools of pools of providers, with a client of the current protocol.

use crate::mcp_support::{LEGACY, Site, Stdio, caller};
use mainstay_core::api::RawJson;
use mainstay_core::api::providers::{AddProvider, PoolType, ProviderId};
use mainstay_core::{Caller, Scope};
use serde_json::json;

const SETTINGS: &str = r#"{"base_url":"https://a.example/v1","odd":17691760451091230,"weight":2}"#;

/// The pool `main` with one provider, `a`.
async fn pool(site: &Site) {
    let add = AddProvider { id: Some(ProviderId::parse("a").unwrap()), settings: RawJson::parse(SETTINGS).unwrap() };
    let pool = PoolType::parse("main").unwrap();
    site.parts.services.providers.add(&Caller::owner(), pool, (add, None)).await.unwrap();
}

#[tokio::test]
async fn providers_are_listed_read_changed_set_back_and_cut_off() {
    let site = Site::start().await;
    pool(&site).await;
    let client = site.modern("backend");
    let listed = client.done("providers_list", json!({})).await;
    assert_eq!((&listed["pools"][0]["pool"], &listed["pools"][0]["providers"]), (&json!("main"), &json!(1)));
    let listed = client.done("providers_list", json!({ "pool": "main" })).await;
    assert_eq!((&listed["providers"][0]["provider"], &listed["json"]), (&json!("a"), &json!("{}")));
    let which = json!({ "pool": "main", "provider": "a" });
    let read = client.done("providers_get", which.clone()).await;
    assert_eq!((&read["json"], &read["health"]["healthy"]), (&json!(SETTINGS), &json!(true)));
    let mut patch = which.clone();
    patch["json"] = json!(r#"{"weight":null,"disabled":true}"#);
    patch["expected"] = read["version"].clone();
    let patched = client.done("providers_patch", patch.clone()).await;
    assert_eq!(patched["disabled"], true);
    assert_eq!(patched["json"], r#"{"base_url":"https://a.example/v1","odd":17691760451091230,"disabled":true}"#);
    patch["json"] = json!(r#"{"weight":5}"#);
    let stale = client.tool("providers_patch", patch).await;
    assert_eq!(stale["_meta"]["dev.mainstay/error"]["code"], "providers.version_conflict");
    let mut set = which.clone();
    (set["action"], set["reason"]) = (json!("open"), json!("maintenance"));
    let set = client.done("providers_breaker", set).await;
    assert_eq!(set["breaker"]["state"], "forced_open");
    assert_eq!(client.done("providers_reset", json!({ "pool": "main" })).await, json!({ "providers": 1 }));
    let none = client.tool("providers_get", json!({ "pool": "main", "provider": "b" })).await;
    assert_eq!(none["_meta"]["dev.mainstay/error"]["code"], "providers.not_found");
}

#[tokio::test]
async fn who_may_only_look_changes_nothing() {
    let site = Site::start().await;
    pool(&site).await;
    let scopes = [Scope::ProvidersRead].into_iter().collect();
    let mut viewer = Stdio::connect(&site.parts, Caller { scopes, ..caller(Some("backend")) });
    viewer.initialize(LEGACY).await;
    let listed = viewer.tool("providers_list", json!({ "pool": "main" })).await;
    assert!(listed["structuredContent"]["providers"][0]["version"].is_u64(), "{listed}");
    for (name, arguments) in [
        ("providers_patch", json!({ "pool": "main", "provider": "a", "json": "{}" })),
        ("providers_reset", json!({ "pool": "main" })),
        ("providers_breaker", json!({ "pool": "main", "provider": "a", "action": "open" })),
    ] {
        let result = viewer.tool(name, arguments).await;
        assert_eq!(result["_meta"]["dev.mainstay/error"]["code"], "auth.forbidden", "{name}: {result}");
    }
}
