//! Taking: who gets which event.

use super::crew::{AT_ONCE, Crew, NEVER, consumer, first, now, nth, words};
use crate::conformance::events::feed::event;
use crate::conformance::{Bed, cases};
use mainstay_core::api::RawJson;
use mainstay_core::api::events::{EventMetadata, EventOffset, RoomId};
use mainstay_core::events::{GroupOutcome, GroupStart, MAX_TAKE_BYTES, NewEvent, Release, TakeEvents, TakeOutcome};
use std::collections::BTreeSet;
use std::time::Duration;

cases! {
    ($) groups_taking_tests, groups::taking:
    each_event_goes_to_one_consumer_of_a_group,
    each_group_is_given_every_event,
    a_group_begins_where_it_is_told,
    a_group_that_is_there_is_not_made_again,
    a_log_has_no_more_groups_than_it_may,
    what_is_asked_of_a_group_that_is_not_there_is_nothing,
    groups_of_different_logs_are_apart,
    what_is_taken_is_what_was_published,
    a_take_is_bounded_in_events_and_goes_on_where_the_last_one_ended,
    a_take_is_bounded_in_bytes_and_holds_one_event_at_least,
    what_a_consumer_leaves_alone_goes_to_another_before_anything_new,
    a_consumer_that_forgot_what_it_has_is_given_it_again,
    many_consumers_share_the_work_without_loss_or_repetition,
    a_group_that_is_removed_takes_everything_along,
}

async fn each_event_goes_to_one_consumer_of_a_group(bed: &Bed) {
    let crew = Crew::new(bed).await;
    crew.publish(&["a", "b", "c"]).await;
    let one = crew.try_take(TakeEvents { limit: 2, ..crew.request("one", NEVER) }).await;
    assert_eq!(words(&one), first(&["a", "b"]));
    assert_eq!(crew.take("two:{x} é\n").await, first(&["c"]));
    assert_eq!((crew.take("one").await, crew.take("three").await), (vec![], vec![]));
    crew.publish(&["d"]).await;
    assert_eq!(crew.take("three").await, first(&["d"]));
}

async fn each_group_is_given_every_event(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let other = crew.named("audit");
    assert_eq!(other.create(GroupStart::Oldest).await, GroupOutcome::Created);
    let offsets = crew.publish(&["a", "b"]).await;
    assert_eq!(crew.take("one").await, first(&["a", "b"]));
    assert_eq!(crew.acknowledge(&offsets).await, 2);
    assert_eq!(other.take("one").await, first(&["a", "b"]));
    assert_eq!(other.state().await.pending, 2, "what one group acknowledges, the other still has");
}

async fn a_group_begins_where_it_is_told(bed: &Bed) {
    let crew = Crew::without_group(bed);
    let offsets = crew.publish(&["a", "b"]).await;
    let starts = [
        ("oldest", GroupStart::Oldest, vec!["a", "b", "c"], EventOffset::ZERO),
        ("after", GroupStart::After(offsets[0]), vec!["b", "c"], offsets[0]),
        ("new", GroupStart::New, vec!["c"], offsets[1]),
    ];
    for (name, start, _, delivered) in &starts {
        let crew = crew.named(name);
        assert_eq!(crew.create(*start).await, GroupOutcome::Created);
        assert_eq!(crew.state().await.delivered, *delivered);
    }
    crew.publish(&["c"]).await;
    for (name, _, ids, _) in starts {
        assert_eq!(crew.named(name).take("one").await, first(&ids), "{name}");
    }
}

async fn a_group_that_is_there_is_not_made_again(bed: &Bed) {
    let crew = Crew::without_group(bed);
    assert_eq!(crew.create(GroupStart::New).await, GroupOutcome::Created, "a log need not have been written to");
    crew.publish(&["a"]).await;
    assert_eq!(crew.create(GroupStart::New).await, GroupOutcome::Exists);
    assert_eq!(crew.take("one").await, first(&["a"]), "it is where it was");
}

async fn a_log_has_no_more_groups_than_it_may(bed: &Bed) {
    let crew = Crew { max_groups: 2, ..Crew::new(bed).await };
    assert_eq!(crew.named("second").create(GroupStart::Oldest).await, GroupOutcome::Created);
    assert_eq!(crew.named("third").create(GroupStart::Oldest).await, GroupOutcome::TooMany);
    assert_eq!(crew.named("second").create(GroupStart::Oldest).await, GroupOutcome::Exists);
    assert!(crew.named("second").remove().await);
    assert_eq!(crew.named("third").create(GroupStart::Oldest).await, GroupOutcome::Created);
    let names: Vec<_> = crew.states().await.into_iter().map(|state| state.group.to_string()).collect();
    assert_eq!(names, ["billing", "third"]);
}

async fn what_is_asked_of_a_group_that_is_not_there_is_nothing(bed: &Bed) {
    let crew = Crew::without_group(bed);
    for published in [false, true] {
        let offset = if published { crew.publish(&["a"]).await[0] } else { EventOffset { ms: 1, seq: 1 } };
        let take = crew.groups.take(crew.request("one", AT_ONCE)).await.expect("take");
        assert_eq!(take, TakeOutcome::NoGroup);
        assert_eq!((crew.keep("one", &[offset]).await, crew.acknowledge(&[offset]).await), (vec![], 0));
        assert!(!crew.release("one", offset, AT_ONCE).await && !crew.bury("one", offset, "no").await);
        assert!(!crew.revive(offset).await && !crew.forget(offset).await && !crew.remove().await);
        assert_eq!((crew.dead().await, crew.states().await), (vec![], vec![]));
    }
}

async fn groups_of_different_logs_are_apart(bed: &Bed) {
    let (one, other) = (Crew::new(bed).await, Crew::new(bed).await);
    one.publish(&["a"]).await;
    assert_eq!((other.take("x").await, one.take("x").await), (vec![], first(&["a"])));
    assert!(other.remove().await);
    assert_eq!(one.state().await.pending, 1);
}

async fn what_is_taken_is_what_was_published(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let metadata = EventMetadata {
        trace_id: Some("t".into()),
        other: serde_json::Map::from_iter([("own".to_owned(), serde_json::json!([1, {"x": null}]))]),
        ..EventMetadata::default()
    };
    let room = RoomId::parse("a:{b} *\n日本").expect("a room");
    let whole = NewEvent { room, metadata, ..event("odd:{id} *\n日本") };
    crew.feed.outcome(vec![whole.clone()]).await;
    let taken = crew.try_take(crew.request("one", NEVER)).await;
    let last = crew.feed.state().await.last;
    assert_eq!((taken.events[0].event.event.clone(), taken.events[0].event.offset), (whole.clone(), last));
    assert_eq!((taken.delivered, taken.buried, taken.lost, taken.unreadable), (last, 0, 0, 0));
    let again = crew.try_take(crew.request("two", AT_ONCE)).await;
    assert_eq!((&again.events[0].event.event, again.delivered), (&whole, last));
}

async fn a_take_is_bounded_in_events_and_goes_on_where_the_last_one_ended(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.publish(&["a", "b", "c", "d", "e"]).await;
    for (number, ids) in [["a", "b"], ["c", "d"]].iter().enumerate() {
        let taken = crew.try_take(TakeEvents { limit: 2, ..crew.request("one", NEVER) }).await;
        assert_eq!((words(&taken), taken.delivered), (first(ids), offsets[number * 2 + 1]));
    }
    let again = crew.try_take(TakeEvents { limit: 3, ..crew.request("two", AT_ONCE) }).await;
    assert_eq!((words(&again), again.delivered), (nth(2, &["a", "b", "c"]), offsets[3]));
}

async fn a_take_is_bounded_in_bytes_and_holds_one_event_at_least(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let large = |bytes: usize| RawJson::parse(&format!("{{\"t\":\"{}\"}}", "x".repeat(bytes))).expect("JSON");
    crew.feed.outcome(vec![NewEvent { payload: large(MAX_TAKE_BYTES + 1), ..event("huge") }]).await;
    let sixty: Vec<String> = (0..60).map(|number| format!("large {number}")).collect();
    for id in &sixty {
        crew.feed.outcome(vec![NewEvent { payload: large(MAX_TAKE_BYTES / 20), ..event(id) }]).await;
    }
    let mut ids = Vec::new();
    for min_idle in [NEVER, AT_ONCE] {
        let taken = crew.take_from("one", min_idle).await;
        assert!((1..=40).contains(&taken.len()), "{} events are about a mebibyte", taken.len());
        assert_eq!(taken[0].0, "huge");
    }
    // Those that were taken twice are in it once.
    loop {
        let taken = crew.take("one").await;
        if taken.is_empty() {
            break;
        }
        assert!(taken.len() <= 40);
        ids.extend(taken.into_iter().map(|(id, _)| id));
    }
    assert_eq!(ids, sixty[sixty.len() - ids.len()..]);
    assert_eq!(crew.state().await.pending, 61);
}

async fn what_a_consumer_leaves_alone_goes_to_another_before_anything_new(bed: &Bed) {
    let crew = Crew::new(bed).await;
    crew.held_by("dead", &["a", "b"]).await;
    crew.publish(&["c"]).await;
    // A store may go by its own clock, so both clocks move on.
    tokio::time::sleep(Duration::from_millis(60)).await;
    let taken = crew.take_from("alive", Duration::from_millis(50)).await;
    assert_eq!(taken, [nth(2, &["a", "b"]), first(&["c"])].concat());
    assert_eq!(crew.take("dead").await, vec![], "it has been taken over");
    assert_eq!(crew.state().await.consumers, [(consumer("alive"), 3), (consumer("dead"), 0)]);
}

async fn a_consumer_that_forgot_what_it_has_is_given_it_again(bed: &Bed) {
    let crew = Crew::new(bed).await;
    crew.held_by("one", &["a"]).await;
    assert_eq!(crew.take_from("one", AT_ONCE).await, nth(2, &["a"]));
    assert_eq!(crew.take_from("one", AT_ONCE).await, nth(3, &["a"]));
    assert_eq!(crew.state().await.pending, 1);
}

async fn many_consumers_share_the_work_without_loss_or_repetition(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let work = (0..8).map(|number| {
        let crew = crew.clone();
        async move {
            let name = format!("worker {number}");
            let mut done = Vec::new();
            for turn in 0..10 {
                crew.publish(&[&format!("{number}-{turn}-a"), &format!("{number}-{turn}-b")]).await;
                let taken = crew.try_take(TakeEvents { limit: 3, ..crew.request(&name, NEVER) }).await;
                let offsets: Vec<_> = taken.events.iter().map(|taken| taken.event.offset).collect();
                assert_eq!(crew.acknowledge(&offsets).await, offsets.len() as u64);
                done.extend(words(&taken));
            }
            done
        }
    });
    let mut done = futures::future::join_all(work).await.concat();
    done.extend(crew.take("last").await);
    assert!(done.iter().all(|(_, delivery)| *delivery == 1));
    assert_eq!(done.len(), 160);
    assert_eq!(done.into_iter().collect::<BTreeSet<_>>().len(), 160);
}

async fn a_group_that_is_removed_takes_everything_along(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.held_by("one", &["a", "b", "c", "d"]).await;
    assert!(crew.bury("one", offsets[0], "no").await && crew.bury("one", offsets[1], "no").await);
    assert!(crew.revive(offsets[1]).await);
    assert!(crew.remove().await && !crew.remove().await);
    assert_eq!(crew.states().await, vec![]);
    let (group, consumer) = (crew.key.clone(), consumer("one"));
    let release = Release { group, consumer, offset: offsets[2], delay: AT_ONCE, min_idle: NEVER, now: now() };
    assert!(!crew.groups.release(release).await.expect("release"));
    assert_eq!(crew.create(GroupStart::Oldest).await, GroupOutcome::Created);
    let state = crew.state().await;
    assert_eq!((state.pending, state.dead, state.lag, state.consumers), (0, 0, 4, vec![]));
    assert_eq!(crew.take("two").await, first(&["a", "b", "c", "d"]), "the log keeps what it had");
}
