//! What is in the hands of a consumer: acknowledged, kept, given back.

use super::crew::{AT_ONCE, Crew, NEVER, first, nth};
use crate::conformance::{Bed, cases};
use mainstay_core::api::events::EventOffset;
use std::time::Duration;

cases! {
    ($) groups_holding_tests, groups::holding:
    what_is_acknowledged_is_done,
    an_acknowledgement_of_what_nobody_has_counts_nothing,
    whoever_has_done_the_work_may_acknowledge_it,
    what_is_kept_is_not_idle,
    only_who_has_an_event_keeps_or_gives_it_back,
    what_is_given_back_is_taken_at_once,
    what_is_given_back_for_later_is_left_until_then,
    a_delay_is_cut_to_what_a_take_waits_for,
    who_gave_an_event_back_may_keep_it_until_somebody_takes_it,
}

const HALF: Duration = Duration::from_secs(1_800);

async fn what_is_acknowledged_is_done(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.held_by("one", &["a", "b", "c"]).await;
    assert_eq!(crew.acknowledge(&[offsets[0], offsets[2]]).await, 2);
    assert_eq!(crew.acknowledge(&offsets).await, 1, "twice is once");
    assert_eq!(crew.take_from("two", AT_ONCE).await, vec![]);
    let state = crew.state().await;
    assert_eq!((state.pending, state.lag, state.delivered), (0, 0, offsets[2]));
    assert_eq!(crew.feed.ids().await, ["a", "b", "c"], "the log keeps it for others");
}

async fn an_acknowledgement_of_what_nobody_has_counts_nothing(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.publish(&["a"]).await;
    let never = EventOffset { ms: offsets[0].ms + 3_600_000, seq: 7 };
    assert_eq!(crew.acknowledge(&[offsets[0], never]).await, 0);
    assert_eq!(crew.acknowledge(&[]).await, 0);
    assert_eq!(crew.take("one").await, first(&["a"]), "it had not been taken, so it is still to be done");
}

async fn whoever_has_done_the_work_may_acknowledge_it(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.held_by("slow", &["a"]).await;
    assert_eq!(crew.take_from("quick", AT_ONCE).await, nth(2, &["a"]));
    // Acknowledgements name no consumer.
    assert_eq!(crew.acknowledge(&offsets).await, 1);
    assert_eq!(crew.state().await.pending, 0);
}

async fn what_is_kept_is_not_idle(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.held_by("one", &["a", "b"]).await;
    for offset in &offsets {
        assert!(crew.release("one", *offset, HALF).await, "that makes it idle for half of what a take waits for");
    }
    assert_eq!(crew.keep("one", &offsets[..1]).await, offsets[..1]);
    assert_eq!(crew.take_from("two", HALF).await, nth(2, &["b"]));
}

async fn only_who_has_an_event_keeps_or_gives_it_back(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.held_by("one", &["a", "b"]).await;
    let unknown = EventOffset { ms: offsets[0].ms, seq: offsets[0].seq + 1_000 };
    assert_eq!(crew.keep("two", &offsets).await, []);
    assert!(!crew.release("two", offsets[0], AT_ONCE).await && !crew.bury("two", offsets[0], "no").await);
    assert_eq!(crew.keep("one", &[offsets[1], unknown, offsets[0]]).await, [offsets[1], offsets[0]]);
    assert_eq!(crew.acknowledge(&offsets[..1]).await, 1);
    assert_eq!(crew.keep("one", &offsets).await, offsets[1..]);
    assert!(!crew.release("one", offsets[0], AT_ONCE).await && !crew.bury("one", offsets[0], "no").await);
    assert_eq!(crew.take("three").await, vec![], "nothing was given back");
}

async fn what_is_given_back_is_taken_at_once(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.held_by("one", &["a", "b"]).await;
    crew.publish(&["c"]).await;
    assert!(crew.release("one", offsets[1], AT_ONCE).await);
    assert_eq!(crew.take("two").await, [nth(2, &["b"]), first(&["c"])].concat());
    assert!(!crew.release("one", offsets[1], AT_ONCE).await, "it is another's now");
    assert_eq!(crew.take("three").await, vec![]);
}

async fn what_is_given_back_for_later_is_left_until_then(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.held_by("one", &["a", "b"]).await;
    assert!(crew.release("one", offsets[0], HALF).await);
    assert!(crew.release("one", offsets[1], Duration::from_millis(40)).await);
    // A store may go by its own clock, so both clocks move on.
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(crew.take("two").await, nth(2, &["b"]), "its time has passed, and that of the other has not");
    assert_eq!(crew.take_from("two", HALF).await, nth(2, &["a"]), "who waits for less time finds it");
}

async fn a_delay_is_cut_to_what_a_take_waits_for(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.held_by("one", &["a"]).await;
    assert!(crew.release("one", offsets[0], NEVER * 1_000).await);
    assert_eq!(crew.take("two").await, vec![]);
    assert_eq!(crew.take_from("two", AT_ONCE).await, nth(2, &["a"]));
}

async fn who_gave_an_event_back_may_keep_it_until_somebody_takes_it(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.held_by("one", &["a"]).await;
    assert!(crew.release("one", offsets[0], AT_ONCE).await);
    assert_eq!(crew.keep("one", &offsets).await, offsets);
    assert_eq!(crew.take("two").await, vec![], "it is no longer given back");
    assert!(crew.release("one", offsets[0], AT_ONCE).await);
    assert_eq!(crew.take("two").await, nth(2, &["a"]));
    assert_eq!(crew.keep("one", &offsets).await, []);
}
