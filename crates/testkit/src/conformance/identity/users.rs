//! Users: one for each name, changed only as they were read.

use super::desk::Desk;
use crate::conformance::{Bed, cases};
use futures::future::join_all;
use mainstay_core::identity::{EndSessions, Inserted, ReplaceUser, Replaced};
use mainstay_core::{Mint, RandomMint};

cases! {
    ($) identity_users_tests, identity::users:
    a_user_is_found_by_id_and_by_name,
    of_several_who_want_a_name_one_gets_it,
    a_change_of_what_somebody_else_changed_is_a_conflict,
    a_user_that_was_removed_is_gone_and_the_name_is_free,
    the_keys_that_records_are_sealed_with_are_known,
    names_of_any_kind_stay_apart,
}

async fn a_user_is_found_by_id_and_by_name(bed: &Bed) {
    let desk = Desk::new(bed);
    let id = desk.user("{\"n\":12345678901234567}").await;
    let row = desk.identity.user(&id).await.expect("user").expect("it is there");
    assert_eq!((row.version, &row.document[..]), (1, &b"{\"n\":12345678901234567}"[..]));
    let (found, same) = desk.identity.user_by_name(id.as_str()).await.expect("user").expect("it is there");
    assert_eq!((found, same), (id.clone(), row));
    assert!(desk.identity.users().await.expect("users").iter().any(|(known, _)| *known == id));
    assert_eq!(desk.identity.user(&RandomMint.user_id()).await.expect("user"), None);
    assert_eq!(desk.identity.user_by_name("nobody has this").await.expect("user"), None);
}

async fn of_several_who_want_a_name_one_gets_it(bed: &Bed) {
    let desk = Desk::new(bed);
    let name = RandomMint.user_id();
    let wanted = (0..8).map(|_| {
        let (desk, name) = (desk.clone(), name.clone());
        async move { desk.insert(&RandomMint.user_id(), name.as_str(), "{}").await }
    });
    let outcomes = join_all(wanted).await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Inserted::Inserted).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Inserted::Taken).count(), 7, "{outcomes:?}");
}

async fn a_change_of_what_somebody_else_changed_is_a_conflict(bed: &Bed) {
    let desk = Desk::new(bed);
    let id = desk.user("one").await;
    assert_eq!(desk.replace(&id, 1, "two", EndSessions::None).await, Replaced::Replaced(2));
    assert_eq!(desk.replace(&id, 1, "three", EndSessions::None).await, Replaced::Conflict);
    assert_eq!(desk.identity.user(&id).await.expect("user").expect("there").document, "two");
    let changes = (0..8).map(|_| desk.replace(&id, 2, "many", EndSessions::None));
    let stood = join_all(changes).await.into_iter().filter(|outcome| *outcome == Replaced::Replaced(3)).count();
    assert_eq!(stood, 1);
    assert_eq!(desk.replace(&RandomMint.user_id(), 1, "x", EndSessions::None).await, Replaced::NotFound);
}

async fn a_user_that_was_removed_is_gone_and_the_name_is_free(bed: &Bed) {
    let desk = Desk::new(bed);
    let id = desk.user("{}").await;
    let (token, _) = desk.open(&id, 1).await.expect("it begins");
    assert!(desk.identity.remove_user(&id).await.expect("remove"));
    assert!(!desk.identity.remove_user(&id).await.expect("remove"));
    assert!(!desk.stands(&token).await, "its sessions went with it");
    assert_eq!(desk.insert(&RandomMint.user_id(), id.as_str(), "{}").await, Inserted::Inserted);
}

async fn the_keys_that_records_are_sealed_with_are_known(bed: &Bed) {
    let desk = Desk::new(bed);
    let id = desk.user("{}").await;
    let seal = RandomMint.key_id().as_str().to_owned();
    let sealed = |expected, seal_key| ReplaceUser {
        id: id.clone(),
        expected,
        document: bytes::Bytes::from_static(b"{}"),
        seal_key,
        sessions: EndSessions::None,
    };
    let uses = async || desk.identity.seal_keys().await.expect("seal keys").contains(&seal);
    assert!(!uses().await);
    desk.identity.replace_user(sealed(1, Some(seal.clone()))).await.expect("replace");
    assert!(uses().await);
    desk.identity.replace_user(sealed(2, None)).await.expect("replace");
    assert!(!uses().await);
}

async fn names_of_any_kind_stay_apart(bed: &Bed) {
    let desk = Desk::new(bed);
    let own = RandomMint.user_id();
    for name in ["a:b", "a%3Ab", "{a}", "日本", "a b", "*"] {
        let (id, name) = (RandomMint.user_id(), format!("{own}{name}"));
        assert_eq!(desk.insert(&id, &name, &name).await, Inserted::Inserted, "{name}");
        let (found, row) = desk.identity.user_by_name(&name).await.expect("user").expect("there");
        assert_eq!((found, &row.document[..]), (id, name.as_bytes()));
    }
}
