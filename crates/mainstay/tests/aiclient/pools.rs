//! Pools of the original are pools, with their settings, health and counters; and files again.

use crate::site::{Site, files, wait_for};
use mainstay_api::providers::{PoolType, ProviderId};
use mainstay_api::{Namespace, RawJson, Timestamp};
use mainstay_core::providers::{
    AddCounts, ChangePool, CountsOf, PoolChange, PoolName, PoolRecord, ProviderStore, SeededProvider, Traits,
};
use mainstay_redis::RedisOptions;
use mainstay_sqlite::SqliteOptions;
use std::sync::Arc;

const OPENAI: &str = "openai-custom";
const FIRST: &str = "ba0711aa-ecab-4bfb-97c1-9159eb1462c1";

/// The pools of a site, past every service.
async fn pools(site: &Site) -> Arc<dyn ProviderStore> {
    let stores = match &site.redis {
        Some(redis) => mainstay_redis::open(RedisOptions::from_url(&redis.url()).unwrap()).await,
        None => {
            let url = format!("sqlite:{}", site.path("store.db").display());
            mainstay_sqlite::open(SqliteOptions::from_url(&url).unwrap()).await
        }
    };
    stores.unwrap().providers
}

fn name(pool: &str) -> PoolName {
    PoolName { namespace: Namespace::default(), pool: PoolType::parse(pool).unwrap() }
}

fn now() -> Timestamp {
    "2026-02-02T02:02:02.222Z".parse().unwrap()
}

async fn pool(store: &Arc<dyn ProviderStore>, pool: &str) -> PoolRecord {
    store.pool(&name(pool), now()).await.unwrap().unwrap()
}

#[test]
fn settings_health_and_counters_of_providers_are_those_of_pools() {
    for site in Site::each() {
        site.sample();
        site.import("configs", &[]);
        wait_for(async {
            let store = pools(&site).await;
            let openai = pool(&store, OPENAI).await;
            let ids: Vec<_> = openai.providers.iter().map(|provider| provider.id.as_str()).collect();
            assert_eq!(ids, [FIRST, "7dc411aa-f7fe-43ea-b200-378f53bc4cc0"], "the order of the file");
            let [first, second] = &openai.providers[..] else { unreachable!("there are two") };
            assert_eq!((first.counters.requests, first.counters.errors), (1_234, 0));
            assert_eq!(first.counters.used_at.unwrap().to_string(), "2026-01-25T10:30:00.123Z");
            assert_eq!(first.settings.traits.excluded_models, ["gpt-4-turbo"]);
            assert_eq!((first.settings.traits.disabled, second.settings.traits.disabled), (false, true));
            let body = first.settings.body.as_str();
            assert!(body.contains("OpenAI节点1") && !body.contains("sk-fake"), "{body}");

            let kiro = pool(&store, "claude-kiro-oauth").await;
            let paused = &kiro.providers[1];
            assert!(paused.health.unhealthy && paused.credential.is_some(), "{paused:?}");
            assert_eq!(paused.health.retry_at.unwrap().to_string(), "2026-02-01T00:00:00.000Z");
            assert_eq!(paused.health.last_failure.as_ref().unwrap().1, "402 Payment Required - Quota Exhausted");
            assert_eq!((paused.counters.errors, paused.health.failures), (3, 3));
            let gemini = pool(&store, "gemini-cli-oauth").await;
            assert!(gemini.providers[1].health.needs_refresh && gemini.providers[1].counters.refreshes == 1);
            assert!(gemini.providers[0].health.checked.is_some());
            assert_eq!(pool(&store, "custom-empty").await.providers.len(), 0);
        });
    }
}

#[test]
fn defects_2_and_11_what_was_counted_since_is_exported_and_set_back_by_no_import() {
    for site in Site::each() {
        let folder = site.sample();
        site.import("configs", &[]);
        let counted = CountsOf {
            provider: ProviderId::parse(FIRST).unwrap(),
            requests: 5,
            errors: 1,
            used_at: Some(now()),
            failed_at: Some(now()),
        };
        let add = AddCounts { pool: name(OPENAI), memo: "once".into(), counts: vec![counted], now: now() };
        assert!(wait_for(async { pools(&site).await.add_counts(add).await.unwrap() }));

        let out = site.export("out/configs");
        let (mut after, mut before) = (files(&out), files(&folder));
        let written = after.remove("provider_pools.json").unwrap();
        let changed: Vec<_> = [
            ("\"usageCount\": 1234", "\"usageCount\": 1239"),
            ("\"errorCount\": 0", "\"errorCount\": 1"),
            ("\"lastUsed\": \"2026-01-25T10:30:00.123Z\"", "\"lastUsed\": \"2026-02-02T02:02:02.222Z\""),
            ("\"lastErrorTime\": null", "\"lastErrorTime\": \"2026-02-02T02:02:02.222Z\""),
        ]
        .into();
        let pools_before = before.remove("provider_pools.json").unwrap();
        let expected = changed.iter().fold(pools_before, |text, (was, is)| text.replacen(was, is, 1));
        assert_eq!(written, expected);
        assert_eq!(after, before);

        for folder in ["configs", "out/configs"] {
            let ran = site.import(folder, &["--allow-missing", "--force"]);
            assert_eq!((ran.count("created"), ran.count("replaced"), ran.status), (0, 0, 0), "{folder}: {ran:?}");
        }
        let record = wait_for(async { pool(&pools(&site).await, OPENAI).await });
        assert_eq!(record.providers[0].counters.requests, 1_239);
    }
}

#[test]
fn what_the_original_cannot_say_comes_along_in_the_file_of_the_export() {
    let site = Site::sqlite();
    site.sample();
    site.import("configs", &[]);
    let settings = RawJson::parse(r#"{"strategy": "round_robin",  "x": 1.0}"#).unwrap();
    let added = SeededProvider {
        id: ProviderId::parse("by-hand").unwrap(),
        body: RawJson::parse(r#"{"base_url": "https://models.example/v1"}"#).unwrap(),
        traits: Traits::default(),
        seal_key: None,
        health: None,
        counters: None,
    };
    wait_for(async {
        let store = pools(&site).await;
        for change in [PoolChange::Settings(settings.clone()), PoolChange::Add(added)] {
            let change = ChangePool { pool: name(OPENAI), change, expected: None, max_providers: 10, now: now() };
            store.change(change).await.unwrap();
        }
    });
    let out = site.export("out/configs");
    let same = site.import(out.to_str().unwrap(), &["--allow-missing"]);
    assert_eq!((same.count("created"), same.count("kept"), same.status), (0, 0, 0), "{same:?}");

    let other = Site::redis();
    let ran = other.import(out.to_str().unwrap(), &["--allow-missing"]);
    assert_eq!((ran.count("created"), ran.count("verified"), ran.status), (41, 41, 0), "{ran:?}");
    let record = wait_for(async { pool(&pools(&other).await, OPENAI).await });
    assert_eq!((record.settings, record.providers[2].id.as_str()), (settings, "by-hand"));
    assert_eq!(files(&other.export("back/configs")), files(&out));
}

#[test]
fn a_provider_that_is_refused_is_told_and_keeps_no_other_out() {
    let site = Site::sqlite();
    std::fs::create_dir_all(site.path("configs")).unwrap();
    let text = r#"{"p":[{"uuid":"a"},{"uuid":"b","weight":0},{"uuid":"c"}],"q":[{"uuid":"d","proxy":"odd"}]}"#;
    std::fs::write(site.path("configs/provider_pools.json"), text).unwrap();
    let ran = site.import("configs", &[]);
    assert_eq!((ran.count("failed"), ran.count("created"), ran.status), (2, 3, 1), "{ran:?}");
    let told = ran.json()["failed"].to_string();
    assert!(told.contains("p/b") && told.contains("`weight`") && told.contains("`proxy`"), "{told}");
    let record = wait_for(async { pool(&pools(&site).await, "p").await });
    let ids: Vec<_> = record.providers.iter().map(|provider| provider.id.as_str()).collect();
    assert_eq!(ids, ["a", "c"]);
}

#[test]
fn another_order_of_providers_is_taken_by_force_alone_and_nobody_leaves() {
    let site = Site::sqlite();
    for (folder, ids) in [("one", ["a", "b", "c"]), ("two", ["c", "d", "a"])] {
        std::fs::create_dir_all(site.path(folder)).unwrap();
        let bodies = ids.map(|id| format!("{{\"uuid\":\"{id}\"}}")).join(",");
        std::fs::write(site.path(folder).join("provider_pools.json"), format!("{{\"p\":[{bodies}]}}")).unwrap();
    }
    let order = || {
        let record = wait_for(async { pool(&pools(&site).await, "p").await });
        record.providers.iter().map(|provider| provider.id.to_string()).collect::<Vec<_>>().concat()
    };
    site.import("one", &[]);
    let ran = site.import("two", &[]);
    assert_eq!((ran.count("created"), ran.count("kept"), order().as_str()), (1, 1, "abcd"), "{ran:?}");
    let ran = site.import("two", &["--force"]);
    assert_eq!((ran.count("replaced"), ran.count("kept"), order().as_str()), (1, 0, "cbda"), "{ran:?}");
    assert_eq!(site.import("two", &["--force"]).count("replaced"), 0);
}
