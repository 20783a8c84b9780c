//! What a group gives up on, and what becomes of it.

use super::crew::{AT_ONCE, Crew, NEVER, consumer, first, now, nth, words};
use crate::conformance::{Bed, cases};
use mainstay_core::api::events::EventOffset;
use mainstay_core::events::{Bury, DELIVERED_TOO_OFTEN, MAX_DEAD, TakeEvents};

cases! {
    ($) groups_dying_tests, groups::dying:
    an_event_that_was_delivered_too_often_dies,
    what_is_buried_is_kept_as_it_was,
    an_event_is_buried_once,
    the_dead_are_listed_page_by_page,
    a_revived_event_is_taken_first_as_if_it_had_never_been,
    an_event_outlives_the_log_among_the_dead,
    a_revived_event_is_held_as_any_other,
    a_revived_event_dies_again,
    what_is_forgotten_is_gone,
    the_oldest_of_too_many_dead_go,
}

async fn an_event_that_was_delivered_too_often_dies(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.publish(&["poison", "b"]).await;
    let twice = |name: &str| TakeEvents { limit: 1, max_deliveries: 2, ..crew.request(name, AT_ONCE) };
    for delivery in 1..=2 {
        let taken = crew.try_take(twice("one")).await;
        assert_eq!((words(&taken), taken.buried), (nth(delivery, &["poison"]), 0));
    }
    let before = now();
    let taken = crew.try_take(twice("two")).await;
    assert_eq!((words(&taken), taken.buried), (first(&["b"]), 1), "what dies takes nobody's place");
    let dead = crew.dead().await;
    assert_eq!((dead.len(), dead[0].event.offset, dead[0].deliveries), (1, offsets[0], 2));
    assert_eq!(dead[0].reason, DELIVERED_TOO_OFTEN);
    assert!(dead[0].died_at.as_millis().abs_diff(before.as_millis()) < 3_600_000, "{:?}", dead[0].died_at);
    let state = crew.state().await;
    assert_eq!((state.pending, state.dead), (1, 1));
    assert_eq!(crew.acknowledge(&offsets[..1]).await, 0, "it waits for nobody");
}

async fn what_is_buried_is_kept_as_it_was(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.held_by("one", &["a", "b"]).await;
    assert!(crew.bury("one", offsets[1], "no such \u{e9}\n\"customer\"").await);
    let [dead] = &crew.dead().await[..] else { panic!("one is dead") };
    let event = crew.feed.read(None, 10).await.events.remove(1);
    assert_eq!((&dead.event, dead.deliveries), (&event, 1));
    assert_eq!(dead.reason, "no such \u{e9}\n\"customer\"");
    assert_eq!(crew.take_from("two", AT_ONCE).await, nth(2, &["a"]), "it is not tried again");
}

async fn an_event_is_buried_once(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offset = crew.held_by("one", &["a"]).await[0];
    let (group, consumer) = (crew.key.clone(), consumer("one"));
    let bury = Bury { group, consumer, offset, reason: "no".into(), now: now() };
    assert!(crew.groups.bury(bury.clone()).await.expect("bury"));
    assert!(crew.groups.bury(bury.clone()).await.expect("bury"), "the same call again is the same");
    assert!(!crew.groups.bury(Bury { reason: "other".into(), ..bury }).await.expect("bury"));
    assert_eq!(crew.dead().await[0].reason, "no");
    assert_eq!(crew.state().await.dead, 1);
}

async fn the_dead_are_listed_page_by_page(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.held_by("one", &["a", "b", "c"]).await;
    for offset in [offsets[2], offsets[0], offsets[1]] {
        assert!(crew.bury("one", offset, "no").await);
    }
    let page = |dead: Vec<mainstay_core::events::DeadEvent>| -> Vec<_> {
        dead.into_iter().map(|dead| dead.event.offset).collect()
    };
    assert_eq!(page(crew.dead_after(EventOffset::ZERO, 2).await), offsets[..2]);
    assert_eq!(page(crew.dead_after(offsets[1], 2).await), offsets[2..]);
    assert_eq!(page(crew.dead_after(offsets[2], 2).await), []);
}

async fn a_revived_event_is_taken_first_as_if_it_had_never_been(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.held_by("one", &["a", "b"]).await;
    assert!(crew.bury("one", offsets[1], "no").await);
    assert!(crew.release("one", offsets[0], AT_ONCE).await);
    crew.publish(&["c"]).await;
    assert!(crew.revive(offsets[1]).await && !crew.revive(offsets[1]).await);
    assert_eq!(crew.dead().await, vec![]);
    let state = crew.state().await;
    assert_eq!((state.pending, state.dead, state.consumers), (2, 0, vec![(consumer("one"), 1)]));
    let taken = crew.take("two").await;
    assert_eq!(taken, [first(&["b"]), nth(2, &["a"]), first(&["c"])].concat());
    assert_eq!(crew.take("three").await, vec![]);
}

async fn an_event_outlives_the_log_among_the_dead(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.held_by("one", &["a", "b"]).await;
    let events = crew.feed.read(None, 10).await.events;
    assert!(crew.bury("one", offsets[0], "no").await && crew.bury("one", offsets[1], "no").await);
    crew.trim_all().await;
    assert_eq!(crew.dead().await[1].event, events[1]);
    assert!(crew.revive(offsets[0]).await && crew.revive(offsets[1]).await);
    let taken = crew.try_take(crew.request("two", NEVER)).await;
    let copies: Vec<_> = taken.events.iter().map(|taken| taken.event.clone()).collect();
    assert_eq!((copies, taken.lost), (events, 0));
    assert_eq!((crew.acknowledge(&offsets).await, crew.state().await.pending), (2, 0));
}

async fn a_revived_event_is_held_as_any_other(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.held_by("one", &["a"]).await;
    assert!(crew.bury("one", offsets[0], "no").await && crew.revive(offsets[0]).await);
    assert_eq!(crew.keep("one", &offsets).await, [], "it is in nobody's hands");
    assert_eq!(crew.take("two").await, first(&["a"]));
    crew.trim_all().await;
    assert_eq!((crew.keep("one", &offsets).await, crew.keep("two", &offsets).await), (vec![], offsets.clone()));
    assert!(!crew.release("one", offsets[0], AT_ONCE).await && crew.release("two", offsets[0], AT_ONCE).await);
    assert_eq!(crew.take("three").await, nth(2, &["a"]));
    assert_eq!(crew.state().await.consumers, [(consumer("one"), 0), (consumer("three"), 1), (consumer("two"), 0)]);
    assert_eq!(crew.acknowledge(&offsets).await, 1);
    assert_eq!((crew.acknowledge(&offsets).await, crew.take_from("four", AT_ONCE).await), (0, vec![]));
}

async fn a_revived_event_dies_again(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.held_by("one", &["a", "b"]).await;
    for offset in &offsets {
        assert!(crew.bury("one", *offset, "no").await && crew.revive(*offset).await);
    }
    assert_eq!(crew.take("two").await, first(&["a", "b"]));
    assert!(crew.bury("two", offsets[0], "still no").await);
    let once = TakeEvents { max_deliveries: 1, ..crew.request("three", AT_ONCE) };
    let taken = crew.try_take(once).await;
    assert_eq!((words(&taken), taken.buried), (vec![], 1));
    let dead = crew.dead().await;
    let reasons: Vec<_> = dead.iter().map(|dead| (dead.reason.as_str(), dead.deliveries)).collect();
    assert_eq!(reasons, [("still no", 1), (DELIVERED_TOO_OFTEN, 1)]);
    assert_eq!(crew.state().await.pending, 0);
}

async fn what_is_forgotten_is_gone(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let offsets = crew.held_by("one", &["a", "b"]).await;
    assert!(!crew.forget(offsets[0]).await, "it is not dead");
    assert!(crew.bury("one", offsets[0], "no").await);
    assert!(crew.forget(offsets[0]).await && !crew.forget(offsets[0]).await);
    assert!(!crew.revive(offsets[0]).await);
    assert_eq!((crew.dead().await, crew.state().await.dead), (vec![], 0));
    assert_eq!(crew.take_from("two", AT_ONCE).await, nth(2, &["b"]));
}

async fn the_oldest_of_too_many_dead_go(bed: &Bed) {
    let crew = Crew::new(bed).await;
    let crew = Crew { feed: crate::conformance::events::feed::Feed { max_len: 100_000, ..crew.feed.clone() }, ..crew };
    let surplus = 5;
    let ids: Vec<String> = (0..MAX_DEAD + surplus).map(|number| number.to_string()).collect();
    for ids in ids.chunks(500) {
        crew.publish(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
    let mut buried = 0;
    for _ in 0..100 {
        let taken = crew.try_take(TakeEvents { max_deliveries: 1, ..crew.request("one", AT_ONCE) }).await;
        buried += taken.buried;
        if taken.buried == 0 && taken.events.is_empty() {
            break;
        }
    }
    assert_eq!((buried, crew.state().await.dead), (MAX_DEAD + surplus, u64::from(MAX_DEAD)));
    assert_eq!(crew.dead_after(EventOffset::ZERO, 1).await[0].event.event.id.as_str(), surplus.to_string());
}
