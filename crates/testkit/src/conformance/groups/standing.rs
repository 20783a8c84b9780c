//! How groups stand: what waits, what is held, what was lost.

use super::crew::{AT_ONCE, Crew, NEVER, consumer, first, nth, words};
use crate::conformance::{Bed, cases};
use mainstay_core::api::events::EventOffset;
use mainstay_core::events::{GroupOutcome, GroupStart, TakeEvents};
use std::time::Duration;

cases! {
    ($) groups_standing_tests, groups::standing:
    a_new_group_has_everything_before_it,
    a_group_says_who_holds_what,
    what_is_longest_left_alone_is_told,
    groups_are_listed_by_name,
    what_was_trimmed_before_anybody_took_it_is_not_waiting,
    what_is_trimmed_in_somebodys_hands_is_lost_when_it_is_taken_again,
    what_is_trimmed_in_somebodys_hands_is_lost_when_its_holder_comes_upon_it,
    work_that_was_done_is_not_lost_though_the_log_has_trimmed_it,
}

async fn a_new_group_has_everything_before_it(bed: &Bed) {
    let crew = Crew::without_group(bed);
    let offsets = crew.publish(&["a", "b", "c"]).await;
    for (name, start, lag) in
        [("all", GroupStart::Oldest, 3), ("some", GroupStart::After(offsets[1]), 1), ("none", GroupStart::New, 0)]
    {
        let crew = crew.named(name);
        assert_eq!(crew.create(start).await, GroupOutcome::Created);
        let state = crew.state().await;
        assert_eq!((state.lag, state.lag_at_least, state.pending, state.dead, state.lost), (lag, false, 0, 0, 0));
        assert_eq!((state.oldest_idle, state.consumers), (None, vec![]), "{name}");
    }
    crew.publish(&["d", "e"]).await;
    let lags: Vec<_> = crew.states().await.into_iter().map(|state| (state.group.to_string(), state.lag)).collect();
    assert_eq!(lags, [("all".into(), 5), ("none".into(), 2), ("some".into(), 3)]);
}

async fn a_group_says_who_holds_what(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.publish(&["a", "b", "c", "d"]).await;
    crew.try_take(TakeEvents { limit: 2, ..crew.request("two", NEVER) }).await;
    crew.try_take(TakeEvents { limit: 1, ..crew.request("one", NEVER) }).await;
    let state = crew.state().await;
    assert_eq!((state.delivered, state.lag, state.pending), (offsets[2], 1, 3));
    assert_eq!(state.consumers, [(consumer("one"), 1), (consumer("two"), 2)]);
    assert_eq!(crew.acknowledge(&offsets[..1]).await, 1);
    let state = crew.state().await;
    assert_eq!((state.lag, state.pending), (1, 2));
    assert_eq!(state.consumers, [(consumer("one"), 1), (consumer("two"), 1)]);
    assert_eq!(crew.acknowledge(&offsets).await, 2);
    let state = crew.state().await;
    assert_eq!(state.consumers, [(consumer("one"), 0), (consumer("two"), 0)], "they took something not long ago");
}

async fn what_is_longest_left_alone_is_told(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.held_by("one", &["a", "b"]).await;
    let idle = crew.state().await.oldest_idle.expect("something is held");
    assert!(idle < Duration::from_secs(1_000), "{idle:?}");
    // So it counts as left alone for the other half of what a take waits for.
    assert!(crew.release("one", offsets[1], NEVER / 2).await);
    let idle = crew.state().await.oldest_idle.expect("something is held");
    assert!((NEVER / 2..NEVER).contains(&idle), "{idle:?}");
    for offset in &offsets {
        assert!(crew.release("one", *offset, AT_ONCE).await);
    }
    assert_eq!(crew.state().await.oldest_idle, None, "they are in nobody's hands");
}

async fn groups_are_listed_by_name(bed: &Bed) {
    let crew = Crew::without_group(bed);
    assert_eq!(crew.states().await, vec![]);
    for name in ["b", "a_2", "B", "a-1"] {
        assert_eq!(crew.named(name).create(GroupStart::New).await, GroupOutcome::Created);
    }
    let names: Vec<_> = crew.states().await.into_iter().map(|state| state.group.to_string()).collect();
    assert_eq!(names, ["B", "a-1", "a_2", "b"]);
}

async fn what_was_trimmed_before_anybody_took_it_is_not_waiting(bed: &Bed) {
    let crew = Crew::new(bed).await;
    crew.publish(&["a", "b"]).await;
    crew.try_take(TakeEvents { limit: 1, ..crew.request("one", NEVER) }).await;
    crew.trim_all().await;
    let state = crew.state().await;
    assert_eq!((state.lag, state.lag_at_least, state.pending), (0, false, 1));
    crew.publish(&["c", "d"]).await;
    assert_eq!(crew.state().await.lag, 2);
    assert_eq!(crew.take("two").await, first(&["c", "d"]));
    assert_eq!(crew.state().await.lag, 0);
}

async fn what_is_trimmed_in_somebodys_hands_is_lost_when_it_is_taken_again(bed: &Bed) {
    let crew = Crew::new(bed).await;
    crew.held_by("one", &["a", "b"]).await;
    crew.trim_all().await;
    crew.publish(&["c"]).await;
    let taken = crew.try_take(crew.request("two", NEVER)).await;
    assert_eq!((words(&taken), taken.lost), (first(&["c"]), 0), "nobody knows yet");
    let taken = crew.try_take(crew.request("two", AT_ONCE)).await;
    assert_eq!((words(&taken), taken.lost, taken.buried), (nth(2, &["c"]), 2, 0));
    let state = crew.state().await;
    assert_eq!((state.lost, state.pending, state.dead), (2, 1, 0));
}

async fn what_is_trimmed_in_somebodys_hands_is_lost_when_its_holder_comes_upon_it(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.held_by("one", &["a", "b", "c"]).await;
    crew.trim_all().await;
    assert_eq!(crew.keep("two", &offsets).await, [], "it was not another's to lose");
    assert_eq!(crew.state().await.lost, 0);
    assert_eq!(crew.keep("one", &offsets[..1]).await, []);
    assert!(!crew.release("one", offsets[1], AT_ONCE).await);
    assert!(!crew.bury("one", offsets[2], "no").await);
    let state = crew.state().await;
    assert_eq!((state.lost, state.pending, state.dead), (3, 0, 0));
    assert_eq!((crew.take_from("two", AT_ONCE).await, crew.acknowledge(&offsets).await), (vec![], 0));
}

async fn work_that_was_done_is_not_lost_though_the_log_has_trimmed_it(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets: Vec<EventOffset> = crew.held_by("one", &["a", "b"]).await;
    crew.trim_all().await;
    assert_eq!(crew.acknowledge(&offsets).await, 2);
    let taken = crew.try_take(crew.request("two", AT_ONCE)).await;
    assert_eq!((taken.lost, crew.state().await.lost), (0, 0));
}
