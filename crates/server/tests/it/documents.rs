//! Documents over HTTP, on both kinds of store.

use crate::support::sealing::{TEXT, member, patch, put, setup, sites};
use crate::support::{Call, Kept, Reply, Site};
use http::{Method, StatusCode};
use mainstay_core::secrets::KeyRing;
use serde_json::{Value, json};

const MAIN: &str = "/v1/documents/settings/main";
/// The text of the value in an answer, byte for byte.
async fn value(reply: Reply) -> String {
    member(reply, "value").await
}

#[tokio::test]
async fn a_document_keeps_every_byte_through_put_patch_and_get() {
    for site in sites().await {
        put(&site, MAIN, TEXT).await.ok().await;
        patch(&site, MAIN, r#"{"f":2.0,"new":[]}"#).await.ok().await;
        let expected = TEXT.replace("1.50", "2.0");
        let expected = format!("{},\"new\":[]}}", expected.strip_suffix('}').unwrap());
        let revealed = site.call(Call::get(&format!("{MAIN}/revealed"))).await;
        assert_eq!(value(revealed).await, expected);
        let masked = expected.replace("sk-secret\\u0021", "********");
        let read = site.call(Call::get(MAIN)).await;
        assert_eq!(value(read).await, masked);
        // What was read is written back: the secret stays.
        put(&site, MAIN, &masked).await.ok().await;
        assert_eq!(value(site.call(Call::get(&format!("{MAIN}/revealed"))).await).await, expected);
    }
}

#[tokio::test]
async fn a_secret_stands_nowhere_in_clear() {
    for site in sites().await {
        put(&site, MAIN, TEXT).await.ok().await;
        put(&site, MAIN, r#"{"OPENAI_API_KEY":"sk-other","n":1}"#).await.ok().await;
        let history = site.call(Call::get(&format!("{MAIN}/history"))).await.text().await;
        assert!(!history.contains("sk-"), "{history}");
        assert!(history.contains(r#"{"op":"replace","path":"/OPENAI_API_KEY","secret":true}"#), "{history}");
        let list = site.call(Call::get("/v1/documents/settings")).await.text().await;
        assert!(!list.contains("sk-") && list.contains("********"), "{list}");
        if let Kept::File(folder) = &site.store {
            let files = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path());
            let stored: Vec<u8> = files.flat_map(|path| std::fs::read(path).unwrap()).collect();
            assert!(!String::from_utf8_lossy(&stored).contains("sk-"), "the store holds a secret");
        }
        let reader = site.key(&["documents:read", "documents:write"]).await.token;
        site.call(Call::get(&format!("{MAIN}/revealed")).with(&reader)).await.problem("auth.forbidden").await;
        let revealed = value(site.call(Call::get(&format!("{MAIN}/revealed"))).await).await;
        assert!(revealed.contains("sk-other"), "{revealed}");
        let trail = site.call(Call::get("/v1/audit/entries")).await.text().await;
        assert!(trail.contains("documents.reveal") && trail.contains("documents.put"), "{trail}");
        assert!(!trail.contains("sk-"), "{trail}");
    }
}

#[tokio::test]
async fn a_revision_that_was_seen_is_the_one_that_is_replaced() {
    for site in sites().await {
        let created = site.call(Call::new(Method::PUT, MAIN).header("if-none-match", "*").body("{\"n\":1}")).await;
        let tag = created.headers["etag"].to_str().unwrap().to_owned();
        assert_eq!(created.status, StatusCode::OK);
        let again = site.call(Call::new(Method::PUT, MAIN).header("if-none-match", "*").body("{}")).await;
        again.problem("documents.version_conflict").await;
        let known = site.call(Call::get(MAIN).header("if-none-match", &tag)).await;
        assert_eq!(known.status, StatusCode::NOT_MODIFIED);
        let change = || Call::new(Method::PATCH, MAIN).header("if-match", &tag).body("{\"n\":2}");
        site.call(change()).await.ok().await;
        let refused = site.call(change()).await.problem("documents.version_conflict").await;
        let now = site.call(Call::get(MAIN)).await.ok().await;
        assert_eq!(refused["current_version"], now["revision"]);
        patch(&site, "/v1/documents/settings/none", "{}").await.problem("documents.not_found").await;
        let gone = site.call(Call::new(Method::DELETE, "/v1/documents/settings/none")).await;
        gone.problem("documents.not_found").await;
    }
}

#[tokio::test]
async fn many_patches_at_once_lose_none() {
    for site in sites().await {
        put(&site, MAIN, "{}").await.ok().await;
        let patches = (0..8).map(|nth| {
            let site = &site;
            async move { patch(site, MAIN, &format!("{{\"m{nth}\":{nth}}}")).await.ok().await }
        });
        futures::future::join_all(patches).await;
        let document = site.call(Call::get(MAIN)).await.ok().await;
        assert_eq!(document["value"].as_object().unwrap().len(), 8, "{document}");
    }
}

#[tokio::test]
async fn a_request_that_is_repeated_is_done_once() {
    for site in sites().await {
        let write = || Call::new(Method::PUT, MAIN).header("idempotency-key", "r1").body("{\"n\":1}");
        let first = site.call(write()).await.ok().await;
        put(&site, MAIN, "{\"n\":2}").await.ok().await;
        let again = site.call(write()).await.ok().await;
        assert_eq!((&again["position"], &again["replayed"]), (&first["position"], &json!(true)));
        assert_eq!(site.call(Call::get(MAIN)).await.ok().await["value"]["n"], 2);
        let other = Call::new(Method::PUT, MAIN).header("idempotency-key", "r1").body("{}");
        site.call(other).await.problem("request.id_reused").await;
        let delete = || Call::new(Method::DELETE, MAIN).header("idempotency-key", "r2");
        let gone = site.call(delete()).await.ok().await;
        assert_eq!(site.call(delete()).await.ok().await["position"], gone["position"]);
    }
}

#[tokio::test]
async fn a_schema_is_checked_before_anything_is_written() {
    for site in sites().await {
        let schema = r#"{"properties":{"port":{"type":"integer"},"pin":{"writeOnly":true}},"required":["port"]}"#;
        put(&site, "/v1/documents/schemas/settings", r#"{"type":"none"}"#)
            .await
            .problem("documents.schema_violation")
            .await;
        put(&site, "/v1/documents/schemas/settings", schema).await.ok().await;
        let refused = put(&site, MAIN, r#"{"port":"hunter2"}"#).await.problem("documents.schema_violation").await;
        let detail = refused["detail"].as_str().unwrap();
        assert!(detail.contains("/port") && !detail.contains("hunter2"), "{detail}");
        put(&site, MAIN, r#"{"port":1,"pin":4711,"password":"p"}"#).await.ok().await;
        let shown = value(site.call(Call::get(MAIN)).await).await;
        assert_eq!(shown, r#"{"port":1,"pin":"********","password":"********"}"#);
        patch(&site, MAIN, r#"{"port":null}"#).await.problem("documents.schema_violation").await;
        // What the schema calls secret stays sealed when the schema is gone.
        site.call(Call::new(Method::DELETE, "/v1/documents/schemas/settings")).await.ok().await;
        assert_eq!(value(site.call(Call::get(MAIN)).await).await, shown);
        let masked = put(&site, "/v1/documents/settings/other", r#"{"password":"********"}"#).await;
        masked.problem("request.invalid").await;
    }
}

#[tokio::test]
async fn a_transaction_is_made_whole_or_not_at_all() {
    for site in sites().await {
        put(&site, MAIN, "{\"n\":1}").await.ok().await;
        let transact = |changes: Value, dry_run: bool| {
            site.call(Call::post("/v1/documents/transactions", json!({ "changes": changes, "dry_run": dry_run })))
        };
        let two = json!([
            {"collection": "plugins", "key": "a", "op": "put", "value": null},
            {"collection": "settings", "key": "main", "op": "patch", "value": {"n": 2}},
        ]);
        let preview = transact(two.clone(), true).await.ok().await;
        assert_eq!(preview["changes"][1]["diff"], json!([{"op": "replace", "path": "/n", "old": 1, "new": 2}]));
        assert!(preview.get("position").is_none());
        site.call(Call::get("/v1/documents/plugins/a")).await.problem("documents.not_found").await;
        let mut guarded = two.as_array().unwrap().clone();
        guarded.push(json!({"collection": "settings", "key": "guard", "op": "check", "expected": 7}));
        transact(json!(guarded), false).await.problem("documents.version_conflict").await;
        site.call(Call::get("/v1/documents/plugins/a")).await.problem("documents.not_found").await;
        transact(two, false).await.ok().await;
        let plugin = site.call(Call::get("/v1/documents/plugins/a")).await.ok().await;
        let main = site.call(Call::get(MAIN)).await.ok().await;
        assert_eq!((&plugin["revision"], &plugin["value"]), (&main["revision"], &Value::Null));
        assert_eq!(site.call(Call::get("/v1/documents")).await.ok().await, json!(["plugins", "settings"]));
    }
}

#[tokio::test]
async fn an_earlier_revision_comes_back_with_its_secrets() {
    for site in sites().await {
        let first = put(&site, MAIN, TEXT).await.ok().await;
        put(&site, MAIN, "{}").await.ok().await;
        site.call(Call::new(Method::DELETE, MAIN)).await.ok().await;
        let position = first["position"].as_str().unwrap();
        let revision: u64 = position.split_once(':').unwrap().1.parse().unwrap();
        let back = |revision: u64| site.call(Call::post(&format!("{MAIN}/rollback"), json!({ "revision": revision })));
        back(revision).await.ok().await;
        assert_eq!(value(site.call(Call::get(&format!("{MAIN}/revealed"))).await).await, TEXT);
        back(revision + 7).await.problem("documents.not_found").await;
        let history = site.call(Call::get(&format!("{MAIN}/history"))).await.ok().await;
        let kinds: Vec<_> = history["revisions"].as_array().unwrap().iter().map(|row| row["kind"].clone()).collect();
        assert_eq!(kinds, ["put", "deleted", "put", "put"]);
        assert_eq!(history["revisions"][0]["by"], "owner");
    }
}

#[tokio::test]
async fn whoever_follows_is_told_of_every_change_in_order() {
    for site in sites().await {
        let began = site.call(Call::get("/v1/documents/changes")).await.ok().await;
        let after = began["position"].as_str().unwrap().to_owned();
        let mut events = site.call(Call::get(&format!("/v1/documents/watch?after={after}"))).await.events();
        events.expect("ready").await;
        for nth in 0..3 {
            put(&site, MAIN, &nth.to_string()).await.ok().await;
        }
        let mut revisions = Vec::new();
        for _ in 0..3 {
            let told = events.expect("changes").await;
            assert_eq!(told.data["changes"][0]["key"], "main");
            assert_eq!(told.id.as_deref(), told.data["position"].as_str());
            revisions.push(told.data["changes"][0]["revision"].as_u64().unwrap());
        }
        assert!(revisions.is_sorted());
        let path = format!("/v1/documents/changes?after={after}&limit=2&wait_ms=1000");
        let page = site.call(Call::get(&path)).await.ok().await;
        assert_eq!(page["changes"].as_array().unwrap().len(), 2);
        let rest = page["position"].as_str().unwrap();
        let page = site.call(Call::get(&format!("/v1/documents/changes?after={rest}"))).await.ok().await;
        assert_eq!(page["changes"][0]["revision"], revisions[2]);
        let other = site.call(Call::get("/v1/documents/changes?after=other:1")).await.ok().await;
        assert_eq!(other["compacted"]["head"], other["position"]);
        let waiting = format!("/v1/documents/changes?wait_ms=20000&after={}", page["position"].as_str().unwrap());
        let (told, _) = tokio::join!(site.call(Call::get(&waiting)), async {
            tokio::task::yield_now().await;
            put(&site, "/v1/documents/plugins/a%2F%F0%9F%A6%80", "1").await.ok().await
        });
        assert_eq!(told.ok().await["changes"][0]["key"], "a/🦀");
    }
}

#[tokio::test]
async fn what_is_sealed_is_sealed_anew_after_a_rotation_history_and_all() {
    let ring = KeyRing::generate().unwrap();
    let site = Site::start_with(setup(&ring)).await;
    put(&site, MAIN, TEXT).await.ok().await;
    put(&site, MAIN, r#"{"password":"p"}"#).await.ok().await;
    let rotated = ring.rotated().unwrap();
    let owner = mainstay_core::Caller::owner();
    let second = site.beside_with(setup(&rotated)).await;
    assert_eq!(second.services.reseal(&owner).await.unwrap(), 2);
    assert_eq!(second.services.reseal(&owner).await.unwrap(), 0);
    let keys = second.services.seal_keys(&owner).await.unwrap();
    assert_eq!(keys.into_iter().collect::<Vec<_>>(), [rotated.primary().id.clone()]);
    let retired = site.beside_with(setup(&rotated.without(&ring.primary().id).unwrap())).await;
    retired.services.check_ring().await.unwrap();
    assert_eq!(value(retired.call(Call::get(&format!("{MAIN}/revealed"))).await).await, r#"{"password":"p"}"#);
    assert!(site.beside_with(setup(&KeyRing::generate().unwrap())).await.services.check_ring().await.is_err());
}

#[tokio::test]
async fn what_is_too_large_too_deep_or_ambiguous_is_refused() {
    for site in sites().await {
        let long = format!("\"{}\"", "x".repeat(256 * 1_024));
        put(&site, MAIN, &long).await.problem("request.too_large").await;
        let deep = format!("{}{}", "[".repeat(65), "]".repeat(65));
        put(&site, MAIN, &deep).await.problem("request.invalid").await;
        put(&site, MAIN, r#"{"a":1,"\u0061":2}"#).await.problem("request.invalid").await;
        put(&site, "/v1/documents/Upper/a", "1").await.problem("request.invalid").await;
        site.call(Call::get(MAIN)).await.problem("documents.not_found").await;
    }
}
