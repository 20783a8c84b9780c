//! How a registration ends.

use super::roll::{Roll, instance, run};
use crate::conformance::waking::Subscriber;
use crate::conformance::{Bed, cases};
use mainstay_core::Topic;
use mainstay_core::api::Timestamp;
use mainstay_core::presence::BeatOutcome;

cases! {
    ($) presence_ending_tests, presence::ending:
    an_instance_that_unregisters_is_gone,
    a_replaced_run_cannot_unregister_its_successor,
    a_purge_forgets_who_did_not_beat,
    a_purge_forgets_at_most_as_many_as_it_may,
    a_purge_reaches_every_namespace_and_wakes_it,
}

async fn an_instance_that_unregisters_is_gone(bed: &Bed) {
    let roll = Roll::new(bed);
    for name in ["ada", "bob"] {
        roll.register(name, run("s1")).await;
    }
    assert!(roll.unregister("ada", Some("s1")).await);
    assert_eq!(roll.names().await, ["bob"]);
    assert!(!roll.unregister("ada", Some("s1")).await, "it was not there any more");
    assert!(!roll.unregister("ada", None).await);
    assert!(roll.unregister("bob", None).await, "any run may be ended where none is named");
    assert_eq!(roll.rows().await, []);
    roll.register("ada", run("s2")).await;
    assert_eq!(roll.row("ada").await.details, run("s2"));
}

async fn a_replaced_run_cannot_unregister_its_successor(bed: &Bed) {
    let roll = Roll::new(bed);
    roll.register("ada", run("s1")).await;
    roll.register("ada", run("s2")).await;
    assert!(!roll.unregister("ada", Some("s1")).await);
    assert_eq!(roll.names().await, ["ada"]);
    assert!(roll.unregister("ada", Some("s2")).await);
    assert_eq!(roll.rows().await, []);
}

async fn a_purge_forgets_who_did_not_beat(bed: &Bed) {
    let window = bed.window().await;
    let roll = Roll::at(bed, window.start);
    for name in ["ada", "bob", "cyd"] {
        roll.register(name, run("s1")).await;
    }
    let later = roll.later(1_000);
    later.beat("bob", Some("s1"), None).await;
    later.beat("cyd", Some("s0"), None).await;
    assert_eq!(roll.presence.purge(roll.now, 100).await.expect("purge"), 0, "a beat at that time is not before it");
    assert_eq!(roll.presence.purge(later.now, 100).await.expect("purge"), 2);
    assert_eq!(roll.names().await, ["bob"], "the beat of another run is no sign of life");
    assert_eq!(later.beat("ada", Some("s1"), None).await, BeatOutcome::Beaten, "it may come back");
    assert_eq!(roll.row("ada").await.registered_at, later.now);
}

async fn a_purge_forgets_at_most_as_many_as_it_may(bed: &Bed) {
    let window = bed.window().await;
    let roll = Roll::at(bed, window.start);
    for number in 0..5 {
        roll.register(&format!("agent{number}"), run("s1")).await;
    }
    roll.later(60_000).register("kept", run("s1")).await;
    let before = Timestamp::from_millis(roll.now.as_millis() + 1);
    let first = roll.presence.purge(before, 2).await.expect("purge");
    assert!((1..=2).contains(&first), "{first} of at most 2");
    assert_eq!(roll.rows().await.len(), 6 - first as usize);
    while roll.presence.purge(before, 2).await.expect("purge") > 0 {}
    assert_eq!(roll.names().await, ["kept"]);
    assert_eq!(roll.rows().await[0].instance, instance("kept"));
}

async fn a_purge_reaches_every_namespace_and_wakes_it(bed: &Bed) {
    let window = bed.window().await;
    let rolls = [Roll::at(bed, window.start), Roll::at(bed, window.start)];
    for roll in &rolls {
        roll.register("ada", run("s1")).await;
    }
    let mut subscriber = Subscriber::on(bed).await;
    let before = rolls[0].later(1).now;
    let mut purged = 0;
    loop {
        match rolls[0].presence.purge(before, 100).await.expect("purge") {
            0 => break,
            forgotten => purged += forgotten,
        }
    }
    assert_eq!(purged, 2);
    subscriber.woken(&Topic::Presence(rolls[1].namespace.clone()), "a purge").await;
    for roll in &rolls {
        assert_eq!(roll.rows().await, []);
    }
}
