//! Making, changing and removing keys.

use super::desk::Desk;
use crate::conformance::mail::hostile::HOSTILE;
use crate::conformance::{Bed, cases};
use mainstay_core::api::providers::GatewayKeyId;
use mainstay_core::api::{RawJson, Timestamp};
use mainstay_core::providers::keys::{ChangeKey, CreateKey, KeyLimits, KeyOutcome, KeyRecord, Period, Tally};

cases! {
    ($) gateway_keys_records_tests, gateway_keys::records:
    a_key_is_read_as_it_was_made,
    a_secret_and_an_id_belong_to_one_key,
    of_many_who_make_a_key_of_one_secret_one_makes_it,
    a_change_of_a_key_names_the_version_that_it_replaces,
    a_key_that_is_removed_is_gone,
    keys_are_listed_by_id_in_pages,
    a_namespace_has_as_many_keys_as_it_may,
    namespaces_have_keys_of_their_own,
    what_bodies_are_sealed_with_is_known,
}

fn limits() -> KeyLimits {
    KeyLimits {
        requests_per_minute: Some(1),
        tokens_per_minute: Some(2),
        requests_per_day: Some(3),
        bonus_requests: 4,
        in_flight: Some(5),
        budget: Some((6, Period::Week)),
    }
}

fn id(text: &str) -> GatewayKeyId {
    GatewayKeyId::parse(text).expect("an id")
}

async fn a_key_is_read_as_it_was_made(bed: &Bed) {
    let desk = Desk::new(bed);
    let tally = Tally {
        requests: 10,
        requests_today: 2,
        day: 20_000,
        bonus_used: 1,
        tokens: 1 << 50,
        spent: 7,
        spent_from: Timestamp::from_millis(86_400_000),
        in_flight: 0,
        used_at: Some(desk.now),
    };
    let made = KeyRecord { disabled: true, expires_at: Some(desk.now), tally, ..desk.record("gwk-1", limits()) };
    assert_eq!(desk.create(made.clone()).await, KeyOutcome::Stored(1));
    assert_eq!(desk.create(made.clone()).await, KeyOutcome::Stored(1), "an answer may have been lost");
    assert_eq!(desk.read().await, made);
    assert_eq!(desk.keys.key(&desk.namespace, &made.id, desk.now).await.expect("read"), Some(made));
    assert_eq!(desk.keys.key_of("nobody", desk.now).await.expect("read"), None);
    assert_eq!(desk.keys.key(&desk.namespace, &id("gwk-2"), desk.now).await.expect("read"), None);
}

async fn a_secret_and_an_id_belong_to_one_key(bed: &Bed) {
    let desk = Desk::with(bed, KeyLimits::default()).await;
    assert_eq!(desk.create(desk.record("gwk-2", KeyLimits::default())).await, KeyOutcome::Exists, "the secret");
    let other = Desk { namespace: bed.namespace(), ..desk.clone() };
    assert_eq!(other.create(other.record("gwk-1", KeyLimits::default())).await, KeyOutcome::Exists, "elsewhere too");
    let same = KeyRecord { digest: format!("{}b", desk.digest), ..desk.record("gwk-1", KeyLimits::default()) };
    assert_eq!(desk.create(same).await, KeyOutcome::Exists, "the id");
    assert_eq!(desk.keys.keys(&desk.namespace, None, 10, desk.now).await.expect("list").len(), 1);
    assert_eq!(desk.keys.keys(&other.namespace, None, 10, desk.now).await.expect("list"), []);
}

async fn of_many_who_make_a_key_of_one_secret_one_makes_it(bed: &Bed) {
    let desk = Desk::new(bed);
    let makings = (0..8).map(|nth| {
        let desk = desk.clone();
        async move { desk.create(desk.record(&format!("gwk-{nth}"), KeyLimits::default())).await }
    });
    let outcomes = futures::future::join_all(makings).await;
    assert_eq!(outcomes.iter().filter(|made| **made == KeyOutcome::Stored(1)).count(), 1, "{outcomes:?}");
    let listed = desk.keys.keys(&desk.namespace, None, 10, desk.now).await.expect("list");
    assert_eq!(listed, [desk.read().await]);
}

async fn a_change_of_a_key_names_the_version_that_it_replaces(bed: &Bed) {
    let desk = Desk::with(bed, KeyLimits::default()).await;
    assert_eq!(desk.admit("r1", 10, 20).await, None);
    let body = RawJson::parse("[1.0]").expect("JSON");
    let wanted = KeyRecord { body, disabled: true, expires_at: Some(desk.now), ..desk.record("gwk-1", limits()) };
    let change = |version| {
        let record = KeyRecord { version, ..wanted.clone() };
        desk.keys.change_key(ChangeKey { record, now: desk.now })
    };
    assert_eq!(change(2).await.expect("change"), KeyOutcome::Conflict(1));
    assert_eq!(change(1).await.expect("change"), KeyOutcome::Stored(2));
    assert_eq!(change(1).await.expect("change"), KeyOutcome::Conflict(2));
    let changed = desk.read().await;
    assert_eq!((changed.tally.requests, changed.tally.spent, changed.tally.in_flight), (1, 20, 1), "it stays");
    assert_eq!(KeyRecord { tally: Tally::default(), version: 1, ..changed }, wanted);
    let other = KeyRecord { id: id("gwk-9"), ..wanted.clone() };
    let missing = desk.keys.change_key(ChangeKey { record: other, now: desk.now }).await.expect("change");
    assert_eq!(missing, KeyOutcome::NotFound);
}

async fn a_key_that_is_removed_is_gone(bed: &Bed) {
    let desk = Desk::with(bed, KeyLimits::default()).await;
    assert_eq!(desk.admit("r1", 1, 1).await, None);
    assert!(desk.keys.remove_key(&desk.namespace, &id("gwk-1")).await.expect("remove"));
    assert!(!desk.keys.remove_key(&desk.namespace, &id("gwk-1")).await.expect("remove"));
    assert_eq!(desk.keys.key_of(&desk.digest, desk.now).await.expect("read"), None);
    assert_eq!(desk.keys.keys(&desk.namespace, None, 10, desk.now).await.expect("list"), []);
    assert_eq!(desk.create(desk.record("gwk-1", KeyLimits::default())).await, KeyOutcome::Stored(1));
    assert_eq!(desk.tally().await, Tally::default(), "nothing of its earlier life is left");
}

async fn keys_are_listed_by_id_in_pages(bed: &Bed) {
    let desk = Desk::new(bed);
    for nth in [3, 1, 2] {
        let record =
            KeyRecord { digest: format!("{}-{nth}", desk.digest), ..desk.record(&format!("gwk-{nth}"), limits()) };
        assert_eq!(desk.create(record).await, KeyOutcome::Stored(1));
    }
    let ids = |keys: Vec<KeyRecord>| keys.iter().map(|key| key.id.to_string()).collect::<Vec<_>>();
    let first = desk.keys.keys(&desk.namespace, None, 2, desk.now).await.expect("list");
    assert_eq!(ids(first.clone()), ["gwk-1", "gwk-2"]);
    let rest = desk.keys.keys(&desk.namespace, Some(&first[1].id), 2, desk.now).await.expect("list");
    assert_eq!(ids(rest), ["gwk-3"]);
    assert_eq!(desk.keys.keys(&desk.namespace, Some(&id("gwk-3")), 2, desk.now).await.expect("list"), []);
}

async fn a_namespace_has_as_many_keys_as_it_may(bed: &Bed) {
    let desk = Desk::with(bed, KeyLimits::default()).await;
    let record = KeyRecord { digest: format!("{}b", desk.digest), ..desk.record("gwk-2", KeyLimits::default()) };
    let create = |max_keys| CreateKey { record: record.clone(), max_keys, now: desk.now };
    assert_eq!(desk.keys.create_key(create(1)).await.expect("create"), KeyOutcome::Full);
    assert_eq!(desk.keys.create_key(create(2)).await.expect("create"), KeyOutcome::Stored(1));
}

async fn namespaces_have_keys_of_their_own(bed: &Bed) {
    let mut desks = Vec::new();
    for text in HOSTILE {
        let desk = Desk { namespace: bed.namespace_like(text), ..Desk::new(bed) };
        assert_eq!(desk.create(desk.record("gwk-1", KeyLimits::default())).await, KeyOutcome::Stored(1));
        desks.push(desk);
    }
    let known = desks[0].keys.key_namespaces().await.expect("namespaces");
    for desk in desks {
        assert!(known.contains(&desk.namespace), "{}", desk.namespace);
        let listed = desk.keys.keys(&desk.namespace, None, 10, desk.now).await.expect("list");
        assert_eq!(listed, [desk.read().await]);
    }
}

async fn what_bodies_are_sealed_with_is_known(bed: &Bed) {
    let desk = Desk::new(bed);
    let (first, second) = (format!("ring-{}", desk.digest), format!("ring2-{}", desk.digest));
    let sealed = |key: &str| KeyRecord { seal_key: Some(key.into()), ..desk.record("gwk-1", KeyLimits::default()) };
    assert_eq!(desk.create(sealed(&first)).await, KeyOutcome::Stored(1));
    let used = async || desk.keys.seal_keys().await.expect("seal keys");
    assert!(used().await.contains(&first));
    desk.keys.change_key(ChangeKey { record: sealed(&second), now: desk.now }).await.expect("change");
    let known = used().await;
    assert!(known.contains(&second) && !known.contains(&first), "{known:?}");
    assert_eq!(desk.read().await.seal_key, Some(second.clone()));
    desk.keys.remove_key(&desk.namespace, &id("gwk-1")).await.expect("remove");
    assert!(!used().await.contains(&second));
}
