//! What is published: order, repeats, bounds.

use super::feed::{Feed, event};
use crate::conformance::{Bed, cases};
use mainstay_core::api::events::{EventMetadata, EventOffset, RoomId};
use mainstay_core::events::{NewEvent, PublishOutcome};
use std::time::Duration;

cases! {
    ($) events_publishing_tests, events::publishing:
    events_stand_in_the_order_they_were_published,
    what_was_published_is_read_as_it_was,
    an_event_that_is_published_again_is_recognised,
    a_repeat_within_one_publication_is_recognised,
    an_id_is_forgotten_when_its_window_has_passed,
    logs_are_apart,
    many_publishers_share_one_order,
    a_full_log_lets_the_oldest_go,
    a_purge_removes_what_is_too_old,
}

async fn events_stand_in_the_order_they_were_published(bed: &Bed) {
    let feed = Feed::new(bed);
    let first = feed.publish(&["a", "b"]).await;
    let second = feed.publish(&["c"]).await;
    assert_eq!(feed.ids().await, ["a", "b", "c"]);
    let offsets = [first.events[0].offset, first.events[1].offset, second.events[0].offset];
    assert!(EventOffset::ZERO < offsets[0] && offsets[0] < offsets[1] && offsets[1] < offsets[2], "{offsets:?}");
    assert_eq!(first.epoch, second.epoch);
    let state = feed.state().await;
    assert_eq!((state.epoch, state.last, state.first, state.length), (first.epoch, offsets[2], Some(offsets[0]), 3));
}

async fn what_was_published_is_read_as_it_was(bed: &Bed) {
    let feed = Feed::of(bed, bed.namespace_like(":{x}*\n日本"));
    let metadata = EventMetadata {
        trace_id: Some("t".into()),
        coalesced_count: Some(3),
        other: serde_json::Map::from_iter([("own".to_owned(), serde_json::json!([1, {"x": null}]))]),
        ..EventMetadata::default()
    };
    let room = RoomId::parse("a:{b} *\n日本").expect("a room");
    let whole = NewEvent { room, metadata, ..event("odd:{id} *\n日本") };
    assert!(matches!(feed.outcome(vec![whole.clone()]).await, PublishOutcome::Published(_)));
    let page = feed.read(None, 10).await;
    assert_eq!(page.events.into_iter().map(|stored| stored.event).collect::<Vec<_>>(), [whole]);
}

async fn an_event_that_is_published_again_is_recognised(bed: &Bed) {
    let feed = Feed::new(bed);
    let first = feed.publish(&["a", "b"]).await;
    let again = feed.publish(&["b", "c", "a"]).await;
    let seen: Vec<_> = again.events.iter().map(|placed| placed.duplicate).collect();
    assert_eq!(seen, [true, false, true]);
    assert_eq!(again.events[0].offset, first.events[1].offset);
    assert_eq!(again.events[2].offset, first.events[0].offset);
    assert_eq!(feed.ids().await, ["a", "b", "c"]);
}

async fn a_repeat_within_one_publication_is_recognised(bed: &Bed) {
    let feed = Feed::new(bed);
    let published = feed.publish(&["a", "a", "b"]).await;
    assert_eq!(published.events.iter().map(|placed| placed.duplicate).collect::<Vec<_>>(), [false, true, false]);
    assert_eq!(published.events[0].offset, published.events[1].offset);
    assert_eq!(feed.ids().await, ["a", "b"]);
}

async fn an_id_is_forgotten_when_its_window_has_passed(bed: &Bed) {
    let feed = Feed { dedupe: Duration::from_millis(50), ..Feed::new(bed) };
    feed.publish(&["a"]).await;
    // A store may keep the window by its own clock, so both clocks move on.
    tokio::time::sleep(Duration::from_millis(80)).await;
    let again = feed.later(80).publish(&["a"]).await;
    assert!(!again.events[0].duplicate);
    assert_eq!(feed.ids().await, ["a", "a"]);
}

async fn logs_are_apart(bed: &Bed) {
    let (one, other) = (Feed::new(bed), Feed::new(bed));
    one.publish(&["a"]).await;
    let elsewhere = [other.publish(&["a"]).await, one.partition(1).publish(&["a"]).await];
    assert!(elsewhere.iter().all(|published| !published.events[0].duplicate), "ids are those of a log");
    assert_eq!(one.ids().await, ["a"]);
    assert_ne!(one.state().await.epoch, one.partition(1).state().await.epoch, "a room that moved is noticed");
}

async fn many_publishers_share_one_order(bed: &Bed) {
    let feed = Feed::new(bed);
    let each = (0..20).map(|publisher| {
        let feed = feed.clone();
        async move {
            for number in 0..5 {
                feed.publish(&[&format!("{publisher}-{number}-a"), &format!("{publisher}-{number}-b")]).await;
            }
        }
    });
    futures::future::join_all(each).await;
    let ids = feed.ids().await;
    assert_eq!(ids.len(), 200);
    for publisher in 0..20 {
        let own: Vec<_> = ids.iter().filter(|id| id.starts_with(&format!("{publisher}-"))).collect();
        let expected: Vec<_> = (0..5).flat_map(|n| ["a", "b"].map(|end| format!("{publisher}-{n}-{end}"))).collect();
        assert_eq!(own, expected.iter().collect::<Vec<_>>());
    }
    for pair in ids.chunks(2) {
        assert_eq!(pair[0].trim_end_matches("-a"), pair[1].trim_end_matches("-b"), "a publication is one step");
    }
}

async fn a_full_log_lets_the_oldest_go(bed: &Bed) {
    let feed = Feed { max_len: 100, ..Feed::new(bed) };
    for batch in 0..10 {
        let ids: Vec<_> = (0..100).map(|number| format!("{batch}-{number}")).collect();
        feed.publish(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    }
    let ids = feed.ids().await;
    assert_eq!(ids.last().map(String::as_str), Some("9-99"));
    assert!((100..=300).contains(&ids.len()), "about a hundred are kept: {}", ids.len());
    let state = feed.state().await;
    assert_eq!(state.length, ids.len() as u64);
    assert!(state.first.is_some_and(|first| first < state.last));
}

async fn a_purge_removes_what_is_too_old(bed: &Bed) {
    let feed = Feed::new(bed);
    let published = feed.publish(&["a", "b"]).await;
    assert_eq!(feed.purge(feed.later(-60_000).now).await, 0);
    assert_eq!(feed.purge(feed.later(60_000).now).await, 2);
    assert_eq!(feed.ids().await, Vec::<String>::new());
    let state = feed.state().await;
    assert_eq!((state.last, state.length), (published.events[1].offset, 0), "places are never given again");
    let next = feed.publish(&["c"]).await;
    assert!(next.events[0].offset > published.events[1].offset);
}
