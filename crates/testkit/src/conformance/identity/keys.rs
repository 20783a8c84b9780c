//! API keys.

use super::desk::{Desk, digest};
use crate::conformance::{Bed, cases};
use mainstay_core::identity::Inserted;
use mainstay_core::{Mint, RandomMint};

cases! {
    ($) identity_keys_tests, identity::keys:
    a_key_is_there_until_it_is_removed_or_ends,
    only_a_use_with_the_right_secret_is_recorded,
}

async fn a_key_is_there_until_it_is_removed_or_ends(bed: &Bed) {
    let desk = Desk::new(bed);
    let (id, secret) = (RandomMint.key_id(), digest());
    assert_eq!(desk.key(&id, &secret, None).await, Inserted::Inserted);
    assert_eq!(desk.key(&id, &secret, None).await, Inserted::Taken);
    let row = desk.identity.key(&id, None, desk.now).await.expect("key").expect("there");
    assert_eq!((&row.secret, row.used_at, &row.document[..]), (&secret, None, &b"{\"name\":\"k\"}"[..]));
    assert!(desk.identity.keys(desk.now).await.expect("keys").contains(&row));
    assert!(desk.identity.remove_key(&id).await.expect("remove"));
    assert!(!desk.identity.remove_key(&id).await.expect("remove"));
    assert_eq!(desk.identity.key(&id, None, desk.now).await.expect("key"), None);

    let short = RandomMint.key_id();
    desk.key(&short, &digest(), Some(desk.at(100))).await;
    assert!(desk.identity.key(&short, None, desk.at(99)).await.expect("key").is_some());
    assert!(desk.identity.key(&short, None, desk.at(100)).await.expect("key").is_none());
    assert!(!desk.identity.keys(desk.at(100)).await.expect("keys").iter().any(|row| row.id == short));
}

async fn only_a_use_with_the_right_secret_is_recorded(bed: &Bed) {
    let desk = Desk::new(bed);
    let (id, secret) = (RandomMint.key_id(), digest());
    desk.key(&id, &secret, None).await;
    let uses = async |desk: &Desk, offered: &String| {
        let row = desk.identity.key(&id, Some((offered, desk.r#use())), desk.now).await.expect("key");
        row.expect("there").used_at
    };
    assert_eq!(uses(&desk, &digest()).await, None, "a guess is no use");
    assert_eq!(uses(&desk, &secret).await, Some(desk.now));
    assert_eq!(uses(&desk.later(999), &secret).await, Some(desk.now), "not again so soon");
    assert_eq!(uses(&desk.later(1_000), &secret).await, Some(desk.at(1_000)));
}
