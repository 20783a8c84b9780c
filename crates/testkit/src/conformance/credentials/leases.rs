//! The lease of a refresh.

use super::desk::{Desk, LEASE_MS};
use crate::conformance::{Bed, cases};
use mainstay_core::providers::credentials::{Begun, CredentialOutcome, RefreshEnd};

cases! {
    ($) credentials_leases_tests, credentials::leases:
    of_many_callers_one_is_granted,
    a_lease_that_ended_without_a_word_leaves_a_doubt,
    a_late_answer_is_stored_whoever_holds_the_lease,
    an_answer_to_another_version_is_not_stored,
    a_failure_holds_others_up_but_not_by_hand,
    death_lasts_until_the_credential_is_replaced,
    only_the_holder_ends_a_lease,
    what_is_due_is_listed_by_urgency,
}

async fn of_many_callers_one_is_granted(bed: &Bed) {
    let desk = Desk::new(bed);
    assert_eq!(desk.begin(0, "n/0").await, Begun::NotFound);
    let version = desk.stored("a").await;
    let callers = (0..20).map(|number| {
        let desk = desk.clone();
        tokio::spawn(async move { desk.begin(version, &format!("n/{number}")).await })
    });
    let (mut granted, mut held) = (0, 0);
    for caller in callers.collect::<Vec<_>>() {
        match caller.await.expect("no panic") {
            Begun::Granted(_) => granted += 1,
            Begun::Held(until) if until == desk.at(LEASE_MS) => held += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((granted, held), (1, 19));
    let holder = desk.find().await.expect("there").refresh.holder.expect("somebody");
    let again = desk.granted(version, &holder).await;
    assert_eq!(Some(again.refresh.fence), desk.find().await.map(|found| found.refresh.fence), "a repetition");
    let CredentialOutcome::Stored(new) = desk.finish("b", version, again.refresh.fence).await else { panic!("stored") };
    let Begun::Newer(newer) = desk.begin(version, "n/99").await else { panic!("it is newer") };
    assert_eq!((newer.version, newer.refresh.held_until), (new, None));
    assert!(matches!(desk.begin(new, "n/99").await, Begun::Granted(_)), "a newer one may be refreshed again");
}

async fn a_lease_that_ended_without_a_word_leaves_a_doubt(bed: &Bed) {
    let desk = Desk::new(bed);
    let version = desk.stored("a").await;
    let first = desk.granted(version, "n/1").await.refresh;
    assert!(!first.in_doubt);
    assert!(matches!(desk.later(LEASE_MS - 1).begin(version, "n/2").await, Begun::Held(_)));
    let second = desk.later(LEASE_MS).granted(version, "n/2").await.refresh;
    assert!(second.in_doubt && second.fence > first.fence, "{second:?}");
    assert_eq!(desk.find().await.expect("there").sealed, "a", "the old token is still there");
    assert!(desk.fail(version, second.fence, RefreshEnd::Unused).await);
    let third = desk.later(LEASE_MS).granted(version, "n/3").await.refresh;
    assert!(third.in_doubt && third.fence > second.fence, "a doubt lasts until there is something new");
    desk.finish("b", version, third.fence).await;
    assert!(!desk.find().await.expect("there").refresh.in_doubt);
}

async fn a_late_answer_is_stored_whoever_holds_the_lease(bed: &Bed) {
    let desk = Desk::new(bed);
    let version = desk.stored("a").await;
    let first = desk.granted(version, "n/1").await.refresh.fence;
    let late = desk.later(LEASE_MS);
    let second = late.granted(version, "n/2").await.refresh.fence;
    assert!(late.fail(version, second, RefreshEnd::Dead("invalid_grant".into())).await);
    assert!(matches!(late.begin(version, "n/3").await, Begun::Dead(reason) if reason == "invalid_grant"));
    let CredentialOutcome::Stored(new) = late.finish("b", version, first).await else { panic!("it is adopted") };
    let found = late.find().await.expect("there");
    assert_eq!((found.version, found.sealed.as_str(), found.refresh.dead), (new, "b", None));
}

async fn an_answer_to_another_version_is_not_stored(bed: &Bed) {
    let desk = Desk::new(bed);
    let version = desk.stored("a").await;
    let fence = desk.granted(version, "n/1").await.refresh.fence;
    let by_hand = desk.later(1).stored("by hand").await;
    let CredentialOutcome::Conflict(found) = desk.finish("b", version, fence).await else { panic!("a conflict") };
    assert_eq!((found.version, found.sealed.as_str()), (by_hand, "by hand"));
    assert!(!desk.fail(version, fence, RefreshEnd::Dead("late".into())).await);
    assert_eq!(desk.find().await.expect("there").refresh.dead, None);
    assert!(desk.remove().await);
    assert_eq!(desk.finish("b", by_hand, fence).await, CredentialOutcome::NotFound, "what was removed stays away");
}

async fn a_failure_holds_others_up_but_not_by_hand(bed: &Bed) {
    let desk = Desk::new(bed);
    let version = desk.stored("a").await;
    let fence = desk.granted(version, "n/1").await.refresh.fence;
    let until = desk.at(30_000);
    assert!(desk.fail(version, fence, RefreshEnd::Transient { until, in_doubt: true }).await);
    let standing = desk.find().await.expect("there").refresh;
    assert_eq!((standing.failures, standing.not_before, standing.in_doubt), (1, Some(until), true));
    assert_eq!((standing.held_until, standing.dead), (None, None));
    assert_eq!(desk.later(29_999).begin(version, "n/2").await, Begun::Waiting(until));
    assert!(matches!(desk.begin_as(version, "n/3", true).await, Begun::Granted(_)));
    let by_hand = desk.find().await.expect("there").refresh.fence;
    assert!(desk.fail(version, by_hand, RefreshEnd::Unused).await);
    assert!(matches!(desk.later(30_000).begin(version, "n/4").await, Begun::Granted(_)));
}

async fn death_lasts_until_the_credential_is_replaced(bed: &Bed) {
    let desk = Desk::new(bed);
    let version = desk.stored("a").await;
    let fence = desk.granted(version, "n/1").await.refresh.fence;
    assert!(desk.fail(version, fence, RefreshEnd::Dead("日本: revoked".into())).await);
    let much_later = desk.later(1_000_000);
    assert_eq!(much_later.begin(version, "n/2").await, Begun::Dead("日本: revoked".into()));
    assert_eq!(much_later.due().await, Vec::<String>::new());
    assert_eq!(desk.find().await.expect("there").sealed, "a", "nothing is deleted");
    let new = much_later.stored("b").await;
    assert!(matches!(much_later.begin(new, "n/2").await, Begun::Granted(_)));
}

async fn only_the_holder_ends_a_lease(bed: &Bed) {
    let desk = Desk::new(bed);
    let version = desk.stored("a").await;
    let fence = desk.granted(version, "n/1").await.refresh.fence;
    for (version, fence) in [(version, fence - 1), (version - 1, fence)] {
        assert!(!desk.fail(version, fence, RefreshEnd::Dead("not mine".into())).await);
    }
    assert!(!desk.of("p.2").fail(version, fence, RefreshEnd::Unused).await);
    assert!(matches!(desk.begin(version, "n/2").await, Begun::Held(_)));
    assert!(desk.fail(version, fence, RefreshEnd::Unused).await);
    assert!(!desk.fail(version, fence, RefreshEnd::Dead("twice".into())).await);
    assert!(matches!(desk.begin(version, "n/2").await, Begun::Granted(_)));
}

async fn what_is_due_is_listed_by_urgency(bed: &Bed) {
    let desk = Desk::new(bed);
    let write = async |provider: &str, due_in: Option<i64>| {
        let put = desk.of(provider).written("a", None);
        let put =
            mainstay_core::providers::credentials::PutCredential { refresh_at: due_in.map(|ms| desk.at(ms)), ..put };
        desk.store.put_credential(put).await.expect("put")
    };
    write("p.1", Some(3_000)).await;
    write("p.2", Some(1_000)).await;
    write("p.3", None).await;
    write("p.4", Some(4_000)).await;
    assert_eq!(desk.due().await, Vec::<String>::new());
    assert_eq!(desk.later(3_000).due().await, ["p.2", "p.1"]);
    let record = desk.of("p.2").find().await.expect("there");
    let fence = desk.of("p.2").granted(record.version, "n/1").await.refresh.fence;
    assert_eq!(desk.later(3_000).due().await, ["p.1"], "what is held is not due");
    let until = desk.at(5_000);
    desk.of("p.2").fail(record.version, fence, RefreshEnd::Transient { until, in_doubt: false }).await;
    assert_eq!(desk.later(4_999).due().await, ["p.1", "p.4"], "nor what backs off");
    assert_eq!(desk.later(5_000).due().await, ["p.2", "p.1", "p.4"]);
}
