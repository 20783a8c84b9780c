//! Who is in a pool, and what is said of each.

use super::house::{House, MAX, abc, failed, json, patch, plain, provider_id, with};
use crate::conformance::waking::Subscriber;
use crate::conformance::{Bed, cases};
use mainstay_core::Topic;
use mainstay_core::api::Timestamp;
use mainstay_core::providers::{
    Counters, FailureClass, Health, Outcome, PoolChange, PoolOutcome, PoolSummary, ReplacePool, ResealSettings,
    ResetProviders, SeededProvider, Strategy, Traits,
};

cases! {
    ($) providers_changing_tests, providers::changing:
    what_is_said_of_a_provider_is_read_as_it_was_written,
    a_change_of_a_pool_that_is_repeated_is_one_change,
    a_pool_names_the_revision_that_a_change_replaces,
    who_is_replaced_keeps_what_was_counted_and_shown,
    no_reader_sees_a_replaced_pool_empty_or_half,
    a_patch_changes_settings_and_nothing_else,
    a_provider_that_is_removed_and_added_begins_anew_with_a_later_version,
    a_pool_that_is_dropped_and_made_again_has_a_later_revision,
    a_full_pool_takes_no_more,
    counters_and_health_are_set_back_apart_and_by_no_change_of_settings,
    pools_are_listed_where_they_are,
    a_key_that_seals_is_found_in_any_pool,
    settings_are_sealed_anew_where_they_are_still_the_same,
    a_change_wakes_those_who_watch_the_pool,
}

fn changed(outcome: PoolOutcome) -> u64 {
    match outcome {
        PoolOutcome::Changed(revision) => revision,
        other => panic!("it did not change: {other:?}"),
    }
}

async fn what_is_said_of_a_provider_is_read_as_it_was_written(bed: &Bed) {
    let house = House::new(bed);
    let text = r#"{"notSupportedModels":[],"n":12345678901234567890,"a":1.0,"a":null,"é":"\u0000 /"}"#;
    let excluded_models = vec!["gpt-4o".to_owned(), "a b%;\n🦀".to_owned()];
    let traits = Traits { disabled: true, weight: 7, priority: 3, max_in_flight: 9, excluded_models };
    let at = |millis| Timestamp::from_millis(house.now.as_millis() - millis);
    let seeded = SeededProvider {
        body: json(text),
        seal_key: Some("k1".into()),
        health: Some(Health {
            unhealthy: true,
            failures: 3,
            last_failure: Some((at(5), "é\n\"".into())),
            retry_at: Some(at(4)),
            needs_refresh: true,
            checked: Some((at(3), Some("m".into()))),
        }),
        counters: Some(Counters {
            requests: 1_769_176_045_109_123,
            errors: 2,
            refreshes: 1,
            used_at: Some(at(2)),
            failed_at: Some(at(1)),
            sequence: 5,
        }),
        ..with("A.b_c-1", traits.clone())
    };
    let (settings, providers) = (json(r#"{"z":[],"a":{}}"#), vec![seeded.clone(), plain("0")]);
    let revision = changed(house.change(PoolChange::Replace(ReplacePool { settings, providers })).await);
    let pool = house.pool().await;
    assert_eq!((pool.revision, pool.settings.as_str()), (revision, r#"{"z":[],"a":{}}"#));
    let ids: Vec<&str> = pool.providers.iter().map(|provider| provider.id.as_str()).collect();
    assert_eq!(ids, ["A.b_c-1", "0"], "in the order in which they were given");
    let provider = &pool.providers[0];
    assert_eq!(provider.settings.body.as_str(), text);
    assert_eq!((&provider.settings.traits, provider.settings.version), (&traits, revision));
    assert_eq!(provider.settings.seal_key.as_deref(), Some("k1"));
    assert_eq!((Some(&provider.health), Some(&provider.counters)), (seeded.health.as_ref(), seeded.counters.as_ref()));
    assert_eq!(&house.provider("A.b_c-1").await, provider);
    assert!(house.store.provider(&house.name, &provider_id("none"), house.now).await.expect("read").is_none());
}

async fn a_change_of_a_pool_that_is_repeated_is_one_change(bed: &Bed) {
    let house = House::new(bed);
    let first = changed(house.change_expecting(PoolChange::Add(plain("a")), Some(0)).await);
    let second = changed(house.change(patch("a", "[1]", None)).await);
    let third = changed(house.change(patch("a", "[2]", None)).await);
    assert!(first < second && second < third);
    for _ in 0..2 {
        assert_eq!(changed(house.change_expecting(PoolChange::Add(plain("a")), Some(0)).await), first);
        assert_eq!(changed(house.change(patch("a", "[1]", None)).await), second, "an answer may have been lost");
    }
    assert_eq!(house.provider("a").await.settings.body.as_str(), "[2]", "what was repeated does not come back");
    let dropped = changed(house.change(PoolChange::Drop).await);
    assert_eq!(changed(house.change(PoolChange::Drop).await), dropped);
}

async fn a_pool_names_the_revision_that_a_change_replaces(bed: &Bed) {
    let house = House::new(bed);
    let settings = |text| PoolChange::Settings(json(text));
    assert_eq!(house.change_expecting(settings("{}"), Some(7)).await, PoolOutcome::Conflict { current: 0 });
    assert_eq!(house.change(PoolChange::Drop).await, PoolOutcome::NotFound);
    let first = changed(house.change_expecting(settings("{}"), Some(0)).await);
    assert_eq!(house.change_expecting(settings("[1]"), Some(0)).await, PoolOutcome::Conflict { current: first });
    let second = changed(house.change_expecting(settings("[1]"), Some(first)).await);
    assert!(second > first);
    assert_eq!(house.pool().await.providers, [], "an empty pool is a pool");
    assert_eq!(house.change(PoolChange::Remove(provider_id("a"))).await, PoolOutcome::NotFound);
    assert_eq!(house.change(patch("a", "{}", None)).await, PoolOutcome::NotFound);
}

async fn who_is_replaced_keeps_what_was_counted_and_shown(bed: &Bed) {
    let house = House::of(bed, Strategy::RoundRobin, abc()).await;
    let version = house.provider("a").await.settings.version;
    house.choose("l1").await;
    house.finish("l1", Outcome::Failed(failed(FailureClass::Server))).await;
    house.choose("l2").await;
    let (a, b) = (house.provider("a").await, house.provider("b").await);
    let other = SeededProvider { body: json("[2]"), ..plain("b") };
    let revision = house.later(5).replace(vec![plain("d"), other, plain("a")]).await;
    assert_eq!(house.provider("a").await, a, "and the version of settings that stay the same");
    assert_eq!(a.settings.version, version);
    let after = house.provider("b").await;
    assert_eq!((after.settings.version, after.settings.body.as_str()), (revision, "[2]"));
    assert_eq!((&after.counters, after.in_flight), (&b.counters, 1));
    let ids: Vec<String> = house.pool().await.providers.into_iter().map(|provider| provider.id.into()).collect();
    assert_eq!(ids, ["d", "b", "a"]);
}

async fn no_reader_sees_a_replaced_pool_empty_or_half(bed: &Bed) {
    let house = House::of(bed, Strategy::Score, abc()).await;
    let writer = house.clone();
    let writing = tokio::spawn(async move {
        for round in 0..40 {
            let names = if round % 2 == 0 { ["d", "e", "f"] } else { ["a", "b", "c"] };
            writer.later(round).replace(names.map(plain).into()).await;
        }
    });
    while !writing.is_finished() {
        let names: String = house.pool().await.providers.iter().map(|provider| provider.id.as_str()).collect();
        assert!(["abc", "def"].contains(&names.as_str()), "a reader saw {names:?}");
    }
    writing.await.expect("the writer");
}

async fn a_patch_changes_settings_and_nothing_else(bed: &Bed) {
    let house = House::of(bed, Strategy::RoundRobin, abc()).await;
    house.choose("l1").await;
    house.finish("l1", Outcome::Failed(failed(FailureClass::Server))).await;
    house.choose("l2").await;
    let before = house.provider("a").await;
    let version = before.settings.version;
    assert_eq!(house.change(patch("a", "[]", Some(1))).await, PoolOutcome::Conflict { current: version });
    let revision = changed(house.change(patch("a", "[]", Some(version))).await);
    let after = house.provider("a").await;
    assert_eq!((after.settings.version, after.settings.body.as_str()), (revision, "[]"));
    assert_eq!((&after.health, &after.counters, &after.breaker), (&before.health, &before.counters, &before.breaker));
}

async fn a_provider_that_is_removed_and_added_begins_anew_with_a_later_version(bed: &Bed) {
    let house = House::of(bed, Strategy::Score, vec![plain("a")]).await;
    let before = house.provider("a").await;
    house.choose("l1").await;
    changed(house.change(PoolChange::Remove(provider_id("a"))).await);
    assert_eq!(house.finish("l1", Outcome::Success).await.applied, 0, "its uses are gone with it");
    changed(house.change(PoolChange::Add(plain("a"))).await);
    let after = house.provider("a").await;
    assert!(after.settings.version > before.settings.version);
    assert_eq!((after.counters, after.health, after.in_flight), (Counters::default(), Health::default(), 0));
    let same = SeededProvider { counters: Some(Counters { requests: 9, ..Counters::default() }), ..plain("a") };
    changed(house.change(PoolChange::Add(same)).await);
    assert_eq!(house.provider("a").await.counters.requests, 0, "it was there");
    let other = SeededProvider { body: json("[1]"), ..plain("a") };
    assert_eq!(house.change(PoolChange::Add(other)).await, PoolOutcome::Exists);
}

async fn a_pool_that_is_dropped_and_made_again_has_a_later_revision(bed: &Bed) {
    let house = House::of(bed, Strategy::Score, abc()).await;
    let before = house.pool().await.revision;
    let dropped = changed(house.later(1).change(PoolChange::Drop).await);
    assert!(house.store.pool(&house.name, house.now).await.expect("read").is_none());
    assert!(dropped > before);
    let after = changed(house.later(2).change(PoolChange::Add(plain("a"))).await);
    assert!(after > dropped);
    assert_eq!(house.pool().await.providers.len(), 1);
}

async fn a_full_pool_takes_no_more(bed: &Bed) {
    let house = House::new(bed);
    for number in 0..MAX {
        changed(house.change(PoolChange::Add(plain(&number.to_string()))).await);
    }
    assert_eq!(house.change(PoolChange::Add(plain("more"))).await, PoolOutcome::Full);
    let providers = (0..=MAX).map(|number| plain(&number.to_string())).collect();
    let replace = PoolChange::Replace(ReplacePool { settings: json("{}"), providers });
    assert_eq!(house.change(replace).await, PoolOutcome::Full);
    assert_eq!(house.pool().await.providers.len(), MAX as usize);
}

async fn counters_and_health_are_set_back_apart_and_by_no_change_of_settings(bed: &Bed) {
    let house = House::of(bed, Strategy::RoundRobin, abc()).await;
    house.choose("l1").await;
    house.finish("l1", Outcome::Failed(failed(FailureClass::Server))).await;
    let reset = |provider: Option<&str>, counters, health| ResetProviders {
        pool: house.name.clone(),
        provider: provider.map(provider_id),
        counters,
        health,
        now: house.now,
    };
    assert_eq!(house.store.reset(reset(Some("none"), true, true)).await.expect("reset"), 0);
    assert_eq!(house.store.reset(reset(Some("a"), false, true)).await.expect("reset"), 1);
    let after = house.provider("a").await;
    assert_eq!((after.counters.requests, after.counters.errors, after.health), (1, 1, Health::default()));
    assert_eq!(house.store.reset(reset(None, true, false)).await.expect("reset"), 3);
    assert_eq!(house.provider("a").await.counters, Counters::default());
}

async fn pools_are_listed_where_they_are(bed: &Bed) {
    let house = House::of(bed, Strategy::Score, abc()).await;
    let mut other = House::new(bed);
    other.name.namespace = house.name.namespace.clone();
    other.name.pool = mainstay_core::api::providers::PoolType::parse("B.x_1").expect("a type");
    changed(other.change(PoolChange::Settings(json("{}"))).await);
    let pools = house.store.pools(&house.name.namespace).await.expect("list");
    let [first, second] = [&other, &house];
    assert_eq!(
        pools,
        [
            PoolSummary { pool: first.name.pool.clone(), revision: first.pool().await.revision, providers: 0 },
            PoolSummary { pool: second.name.pool.clone(), revision: second.pool().await.revision, providers: 3 },
        ]
    );
    changed(other.change(PoolChange::Drop).await);
    assert_eq!(house.store.pools(&house.name.namespace).await.expect("list").len(), 1);
    assert_eq!(house.store.pools(&bed.namespace()).await.expect("list"), []);
}

async fn a_key_that_seals_is_found_in_any_pool(bed: &Bed) {
    let house = House::new(bed);
    let key = format!("key of {}", house.name.namespace);
    let is_used = async || house.store.settings_seal_keys().await.expect("ask").contains(&key);
    assert!(!is_used().await);
    house.replace(vec![SeededProvider { seal_key: Some(key.clone()), ..plain("a") }]).await;
    assert!(is_used().await);
    house.replace(abc()).await;
    assert!(!is_used().await);
}

async fn settings_are_sealed_anew_where_they_are_still_the_same(bed: &Bed) {
    let house = House::new(bed);
    let old = format!("old key of {}", house.name.namespace);
    house.replace(vec![SeededProvider { seal_key: Some(old.clone()), ..plain("a") }, plain("b")]).await;
    let before = house.pool().await;
    let others = house.store.settings_not_sealed_with("another", 10_000).await.expect("ask");
    let mine: Vec<_> = others.into_iter().filter(|(pool, _)| *pool == house.name).collect();
    assert_eq!(mine, [(house.name.clone(), provider_id("a"))], "what is not sealed needs nothing");
    let reseal = |version, key: Option<&str>| ResealSettings {
        pool: house.name.clone(),
        provider: provider_id("a"),
        version,
        body: json("[9]"),
        seal_key: key.map(str::to_owned),
    };
    let version = before.providers[0].settings.version;
    assert!(!house.store.reseal_settings(reseal(version + 1, Some("new"))).await.expect("reseal"), "another version");
    for key in [Some("new"), None] {
        assert!(house.store.reseal_settings(reseal(version, key)).await.expect("reseal"));
        let mut expected = before.clone();
        expected.providers[0].settings.body = json("[9]");
        expected.providers[0].settings.seal_key = key.map(str::to_owned);
        assert_eq!(house.pool().await, expected, "nothing else of it");
    }
}

async fn a_change_wakes_those_who_watch_the_pool(bed: &Bed) {
    let house = House::new(bed);
    let mut subscriber = Subscriber::on(bed).await;
    house.replace(abc()).await;
    let topic = Topic::Pool(house.name.namespace.clone(), house.name.pool.clone());
    subscriber.woken(&topic, "a change").await;
}
