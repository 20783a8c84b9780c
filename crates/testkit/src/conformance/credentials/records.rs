//! Writing, reading, removing and sealing credentials.

use super::desk::Desk;
use crate::conformance::waking::Subscriber;
use crate::conformance::{Bed, cases};
use mainstay_core::Topic;
use mainstay_core::providers::credentials::{CredentialOutcome, RefreshStanding, ResealCredential};

cases! {
    ($) credentials_records_tests, credentials::records:
    a_credential_is_kept_as_it_was_written,
    a_version_that_is_not_the_expected_one_is_a_conflict,
    a_repetition_changes_nothing,
    a_version_is_never_used_twice,
    a_seal_is_replaced_and_nothing_else,
    readers_are_woken,
}

async fn a_credential_is_kept_as_it_was_written(bed: &Bed) {
    let desk = Desk::new(bed);
    assert_eq!(desk.find().await, None);
    let version = desk.stored("mss1.k1.日本語\n{}").await;
    let found = desk.find().await.expect("there");
    assert_eq!((found.version, found.sealed.as_str(), found.seal_key.as_str()), (version, "mss1.k1.日本語\n{}", "k1"));
    assert_eq!((found.expires_at, found.refresh_at), (Some(desk.at(10_000)), Some(desk.at(5_000))));
    assert_eq!((found.updated_at, found.refresh), (desk.now, RefreshStanding::default()));
    assert_eq!(desk.of("p.2").find().await, None, "another provider has none of it");
    assert!(desk.remove().await);
    assert!(!desk.remove().await);
    assert_eq!(desk.find().await, None);
    assert_eq!(desk.later(60_000).due().await, Vec::<String>::new(), "what is removed is due no more");
}

async fn a_version_that_is_not_the_expected_one_is_a_conflict(bed: &Bed) {
    let desk = Desk::new(bed);
    assert_eq!(desk.put("a", Some(7)).await, CredentialOutcome::NotFound);
    let CredentialOutcome::Stored(first) = desk.put("a", Some(0)).await else { panic!("there was none") };
    let later = desk.later(1);
    let CredentialOutcome::Conflict(found) = later.put("b", Some(0)).await else { panic!("there is one") };
    assert_eq!((found.version, found.sealed.as_str()), (first, "a"));
    let CredentialOutcome::Stored(second) = later.put("b", Some(first)).await else { panic!("it was expected") };
    assert!(second > first);
    assert!(matches!(later.put("c", Some(first)).await, CredentialOutcome::Conflict(_)));
    assert_eq!(later.find().await.expect("there").sealed, "b");
}

async fn a_repetition_changes_nothing(bed: &Bed) {
    let desk = Desk::new(bed);
    let version = desk.stored("a").await;
    assert_eq!(desk.put("a", Some(0)).await, CredentialOutcome::Stored(version));
    assert_eq!(desk.find().await.expect("there").version, version);
}

async fn a_version_is_never_used_twice(bed: &Bed) {
    let desk = Desk::new(bed);
    let first = desk.stored("a").await;
    let other = desk.of("p.2").stored("a").await;
    assert!(desk.remove().await);
    let again = desk.stored("b").await;
    assert!(first < other && other < again, "{first} {other} {again}");
    assert!(again < 1 << 53);
    let behind = desk.later(-60_000);
    assert!(behind.stored("c").await > again, "a clock that goes back takes no version back");
}

async fn a_seal_is_replaced_and_nothing_else(bed: &Bed) {
    let desk = Desk::new(bed);
    let version = desk.stored("a").await;
    let before = desk.granted(version, "n/1").await;
    let (pool, provider) = (desk.pool.clone(), desk.provider.clone());
    let reseal = ResealCredential { pool, provider, version, sealed: "b".into(), seal_key: "k2".into() };
    let others = || desk.store.credentials_not_sealed_with("k2", 100_000);
    let whose = (desk.pool.clone(), desk.provider.clone());
    assert!(others().await.expect("list").contains(&whose));
    assert!(
        !desk.store.reseal_credential(ResealCredential { version: version - 1, ..reseal.clone() }).await.expect("no")
    );
    assert!(desk.store.reseal_credential(reseal).await.expect("reseal"));
    assert!(!others().await.expect("list").contains(&whose));
    let keys = desk.store.credential_seal_keys().await.expect("keys");
    assert!(keys.contains(&"k2".to_owned()), "{keys:?}");
    let after = desk.find().await.expect("there");
    assert_eq!((after.sealed.as_str(), after.seal_key.as_str()), ("b", "k2"));
    assert_eq!((after.version, &after.refresh), (before.version, &before.refresh), "a refresh under way goes on");
    assert!(matches!(desk.finish("c", version, before.refresh.fence).await, CredentialOutcome::Stored(_)));
}

async fn readers_are_woken(bed: &Bed) {
    let desk = Desk::new(bed);
    let topic = Topic::Pool(desk.pool.namespace.clone(), desk.pool.pool.clone());
    let mut subscriber = Subscriber::on(bed).await;
    let version = desk.stored("a").await;
    subscriber.woken(&topic, "a write").await;
    let fence = desk.granted(version, "n/1").await.refresh.fence;
    subscriber.settle().await;
    desk.finish("b", version, fence).await;
    subscriber.woken(&topic, "a refresh").await;
    subscriber.settle().await;
    assert!(desk.remove().await);
    subscriber.woken(&topic, "a removal").await;
}
