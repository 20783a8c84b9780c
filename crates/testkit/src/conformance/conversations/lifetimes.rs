//! How long conversations live.

use super::talk::{HOUR_MS, Talk, lifetime};
use crate::conformance::{Bed, cases};
use mainstay_core::api::conversations::RetentionMode;
use mainstay_core::conversations::{Appended, Created, Forked, Patch, Patched, Taken};

cases! {
    ($) conversations_lifetimes_tests, conversations::lifetimes:
    a_conversation_that_nobody_uses_is_gone_at_its_end_for_every_operation,
    every_use_prolongs_a_sliding_life,
    a_use_with_a_late_clock_does_not_shorten_a_life,
    nothing_prolongs_a_fixed_life,
    a_pinned_conversation_lives_until_it_is_deleted,
    a_new_lifetime_begins_when_it_is_set,
    the_id_of_a_dead_conversation_may_be_given_again,
    the_dead_do_not_count,
    a_purge_removes_the_dead_and_no_other,
}

async fn a_conversation_that_nobody_uses_is_gone_at_its_end_for_every_operation(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &["one"]).await;
    assert_eq!(talk.summary("c").await.expires_at, Some(talk.later(HOUR_MS).now));
    assert!(talk.later(HOUR_MS - 1).find("c").await.is_some());
    let late = talk.later(HOUR_MS);
    assert_eq!(late.find("c").await, None);
    assert_eq!(late.names().await, Vec::<String>::new());
    assert_eq!(late.rows("c").await, []);
    assert_eq!(late.try_append(late.append("c", &["x"])).await, Appended::NotFound);
    assert_eq!(late.take("c", 1_000).await, Taken::NotFound);
    assert_eq!(late.patch(late.change("c", 2)).await, Patched::NotFound);
    assert_eq!(late.fork("c", "d", 1).await, Forked::NoSource);
    assert!(!late.store.touch(&late.lookup("c")).await.unwrap());
    assert!(!late.delete("c").await);
}

async fn every_use_prolongs_a_sliding_life(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let mut step = talk.clone();
    for number in 0..5 {
        step = step.later(HOUR_MS - 1);
        match number {
            0 => drop(step.say("c", &["one"]).await),
            1 => assert_eq!(step.patch(step.change("c", 2)).await, Patched::Patched),
            2 => assert!(step.store.touch(&step.lookup("c")).await.unwrap()),
            3 => drop(step.turn("c", 10 * HOUR_MS.unsigned_abs()).await),
            _ => drop(step.renew("c", 1, 1_000).await),
        }
        let summary = step.summary("c").await;
        assert_eq!((summary.accessed_at, summary.expires_at), (step.now, Some(step.later(HOUR_MS).now)), "{number}");
    }
    let reading = step.later(5);
    reading.find("c").await;
    reading.rows("c").await;
    assert_eq!(reading.summary("c").await.accessed_at, step.now);
}

async fn a_use_with_a_late_clock_does_not_shorten_a_life(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let ahead = talk.later(5_000);
    ahead.say("c", &["one"]).await;
    let ends = Some(ahead.later(HOUR_MS).now);
    talk.say("c", &["two"]).await;
    assert_eq!(talk.summary("c").await.expires_at, ends, "append");
    assert!(talk.store.touch(&talk.lookup("c")).await.unwrap());
    assert_eq!(talk.summary("c").await.expires_at, ends, "touch");
    assert_eq!(talk.patch(talk.change("c", 3)).await, Patched::Patched);
    assert_eq!(talk.summary("c").await.expires_at, ends, "patch");
    talk.turn("c", 1_000).await;
    assert_eq!(talk.summary("c").await.expires_at, ends, "turn");
}

async fn nothing_prolongs_a_fixed_life(bed: &Bed) {
    let mut talk = Talk::new(bed);
    talk.lifetime = lifetime(RetentionMode::Fixed, false);
    talk.with("c", &[]).await;
    let late = talk.later(HOUR_MS - 1);
    late.say("c", &["one"]).await;
    assert!(late.store.touch(&late.lookup("c")).await.unwrap());
    assert_eq!(late.patch(late.change("c", 2)).await, Patched::Patched);
    let summary = late.summary("c").await;
    assert_eq!((summary.accessed_at, summary.expires_at), (late.now, Some(talk.later(HOUR_MS).now)));
    assert_eq!(talk.later(HOUR_MS).find("c").await, None);
}

async fn a_pinned_conversation_lives_until_it_is_deleted(bed: &Bed) {
    let mut talk = Talk::new(bed);
    talk.lifetime = lifetime(RetentionMode::Sliding, true);
    talk.with("c", &["one"]).await;
    let late = talk.later(1_000 * HOUR_MS);
    assert_eq!(late.summary("c").await.expires_at, None);
    assert_eq!(late.texts("c").await, ["one"]);
    assert!(late.delete("c").await);
}

async fn a_new_lifetime_begins_when_it_is_set(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let pin = Patch { lifetime: Some(lifetime(RetentionMode::Fixed, true)), ..talk.change("c", 1) };
    assert_eq!(talk.patch(pin).await, Patched::Patched);
    let late = talk.later(9 * HOUR_MS);
    assert!(late.summary("c").await.lifetime.pinned);
    let fix = Patch { lifetime: Some(lifetime(RetentionMode::Fixed, false)), ..late.change("c", 2) };
    assert_eq!(late.patch(fix).await, Patched::Patched);
    assert_eq!(late.summary("c").await.expires_at, Some(late.later(HOUR_MS).now));
    assert_eq!(late.later(HOUR_MS).find("c").await, None);
}

async fn the_id_of_a_dead_conversation_may_be_given_again(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &["old", "older"]).await;
    let late = talk.later(HOUR_MS);
    assert_eq!(late.create("c").await, Created::Created);
    assert_eq!(late.texts("c").await, Vec::<String>::new());
    assert_eq!(late.say("c", &["new"]).await.first_seq, 1);
    assert_eq!(late.texts("c").await, ["new"]);
}

async fn the_dead_do_not_count(bed: &Bed) {
    let mut talk = Talk::new(bed);
    talk.max_conversations = 2;
    talk.with("a", &[]).await;
    talk.later(5).with("b", &[]).await;
    assert_eq!(talk.later(5).create("c").await, Created::TooMany);
    assert_eq!(talk.later(HOUR_MS).create("c").await, Created::Created);
    assert_eq!(talk.later(HOUR_MS).create("d").await, Created::TooMany);
}

async fn a_purge_removes_the_dead_and_no_other(bed: &Bed) {
    let window = bed.window().await;
    let talk = Talk::at(bed, window.start);
    talk.with("dead", &["one"]).await;
    talk.later(5).with("alive", &["two"]).await;
    let mut pinned = talk.clone();
    pinned.lifetime.pinned = true;
    pinned.with("pinned", &["three"]).await;
    let late = talk.later(HOUR_MS);
    while late.store.purge(late.now, 1).await.unwrap() > 0 {}
    assert_eq!(late.names().await, ["alive", "pinned"]);
    assert_eq!(late.texts("alive").await, ["two"]);
    assert_eq!(late.find("dead").await, None);
    late.erase().await;
}
