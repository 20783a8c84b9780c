//! Gateway keys over HTTP.

use crate::support::{Call, Setup, Site};
use http::Method;
use mainstay_core::api::providers::{LeaseId, PoolType, ProviderId};
use mainstay_core::identity::IdentityRules;
use mainstay_core::providers::keys::{Ask, PriceTable, Reserve, Settlement, Spent};
use mainstay_core::secrets::KeyRing;
use serde_json::{Value, json};
use std::time::Duration;

async fn site() -> Site {
    let identity = IdentityRules { ring: Some(KeyRing::generate().unwrap()), ..IdentityRules::default() };
    Site::start_with(Setup { identity, ..Setup::default() }).await
}

/// Lets a request in and settles it, as the data plane does.
async fn use_once(site: &Site, secret: &str, request: &str, model: &str) {
    let meter = &site.services.meter;
    let request = LeaseId::parse(request).unwrap();
    let flight = Duration::from_secs(60);
    let ask = Ask { secret, request, model: Some(model), pool: None, reserve: Reserve { tokens: 9, cost: 9 }, flight };
    let ticket = meter.admit(ask).await.unwrap();
    let (pool, provider) = (PoolType::parse("openai").unwrap(), ProviderId::parse("p1").unwrap());
    let spent = Spent { input_tokens: 2, output_tokens: 3, reported: true, ..Spent::default() };
    let settlement = Settlement { pool, provider, model, spent, failed: false };
    assert!(meter.settle(&ticket, settlement, &PriceTable::default()).await.unwrap());
}

#[tokio::test]
async fn a_key_is_made_changed_and_removed_and_its_secret_shown_once() {
    let site = site().await;
    let reply = site.call(Call::post("/v1/gateway/keys", json!({ "name": "ada" }))).await;
    assert_eq!(reply.status, 201);
    assert_eq!(reply.headers["cache-control"], "no-store");
    let location = reply.headers["location"].to_str().unwrap().to_owned();
    let made = reply.json().await;
    let secret = made["secret"].as_str().unwrap();
    let read = site.call(Call::get(&location)).await.text().await;
    assert!(!read.contains(secret));
    let change = json!({ "disabled": true, "expected": 1 });
    let patch = |body: &Value| Call::new(Method::PATCH, &location).body(body.to_string());
    assert_eq!(site.call(patch(&change)).await.ok().await["version"], 2);
    site.call(patch(&change)).await.problem("gateway.key_version_conflict").await;
    site.call(patch(&json!({ "budget": 1 }))).await.problem("request.invalid").await;
    assert_eq!(site.call(Call::new(Method::DELETE, &location)).await.status, 204);
    site.call(Call::get(&location)).await.problem("gateway.key_not_found").await;
}

#[tokio::test]
async fn usage_is_told_as_json_and_as_csv() {
    let site = site().await;
    let made = site.call(Call::post("/v1/gateway/keys", json!({ "name": "ada" }))).await.json().await;
    let secret = made["secret"].as_str().unwrap();
    use_once(&site, secret, "r1", "=cmd").await;
    use_once(&site, secret, "r2", "m").await;
    let page = site.call(Call::get("/v1/gateway/usage?limit=1")).await.ok().await;
    assert_eq!(page["items"][0]["model"], "=cmd");
    let rest = format!("/v1/gateway/usage?limit=1&cursor={}", page["next"].as_str().unwrap());
    assert_eq!(site.call(Call::get(&rest)).await.ok().await["items"][0]["output_tokens"], 3);
    let reply = site.call(Call::get("/v1/gateway/usage?format=csv")).await;
    assert!(reply.headers["content-type"].to_str().unwrap().starts_with("text/csv"));
    let text = reply.text().await;
    let lines: Vec<&str> = text.split_terminator("\r\n").collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(lines[1].contains(",openai,p1,'=cmd,1,0,2,0,3,0,false"), "{text}");
    let metrics = site.call(Call::get("/metrics")).await.text().await;
    assert!(metrics.contains("mainstay_gateway_admitted_total 2"), "{metrics}");
    assert!(metrics.matches("# TYPE mainstay_gateway_tokens ").count() <= 1, "it is registered once: {metrics}");
}

#[tokio::test]
async fn an_import_and_an_export_are_recorded_and_need_their_scope() {
    let site = site().await;
    let file = json!({ "keys": { "maki_12345678": { "id": "maki_12345678", "name": "b" } } });
    let import = json!({ "file": file });
    let user = site.key(&["gateway:use"]).await.token;
    site.call(Call::post("/v1/gateway/keys/import", import.clone()).with(&user)).await.problem("auth.forbidden").await;
    site.call(Call::get("/v1/gateway/keys/export").with(&user)).await.problem("auth.forbidden").await;
    assert_eq!(site.call(Call::post("/v1/gateway/keys/import", import)).await.ok().await["created"], 1);
    let exported = site.call(Call::get("/v1/gateway/keys/export")).await.ok().await;
    assert_eq!(exported["file"], file);
    let trail = site.call(Call::get("/v1/audit/entries?action=gateway.keys.")).await.text().await;
    assert!(trail.contains("gateway.keys.import") && trail.contains("gateway.keys.export"), "{trail}");
    assert!(!trail.contains("maki_"), "the trail holds no secret");
}
