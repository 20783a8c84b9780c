//! What is read behind a position, and when that is not all.

use super::feed::{Feed, event, ids};
use crate::conformance::{Bed, cases};
use mainstay_core::api::events::{EventGap, EventOffset};
use mainstay_core::api::{Epoch, RawJson};
use mainstay_core::events::{MAX_PAGE_BYTES, NewEvent};

cases! {
    ($) events_reading_tests, events::reading:
    a_reader_goes_on_behind_its_position,
    a_log_that_nobody_wrote_to_is_empty_and_can_be_continued,
    a_position_that_was_trimmed_is_a_gap,
    a_position_at_the_end_is_no_gap_though_all_is_trimmed,
    a_position_of_another_life_is_a_gap,
    a_position_that_was_never_given_is_a_gap,
    the_beginning_is_a_position_until_something_leaves,
    who_begins_with_the_oldest_misses_nothing_whatever_left_before,
    a_page_is_bounded_in_bytes_and_holds_one_event_at_least,
}

async fn a_reader_goes_on_behind_its_position(bed: &Bed) {
    let feed = Feed::new(bed);
    let published = feed.publish(&["a", "b", "c", "d", "e"]).await;
    let first = feed.read(None, 2).await;
    assert_eq!((ids(&first), first.more, first.gap), (vec!["a".into(), "b".into()], true, None));
    assert_eq!(first.next, published.events[1].offset);
    let second = feed.read(Some((first.epoch.clone(), first.next)), 2).await;
    assert_eq!((ids(&second), second.more, second.gap), (vec!["c".into(), "d".into()], true, None));
    let last = feed.read(Some((second.epoch.clone(), second.next)), 2).await;
    assert_eq!((ids(&last), last.more, last.gap), (vec!["e".into()], false, None));
    let end = feed.read(Some((last.epoch.clone(), last.next)), 2).await;
    assert_eq!((ids(&end), end.more, end.next), (vec![], false, last.next));
}

async fn a_log_that_nobody_wrote_to_is_empty_and_can_be_continued(bed: &Bed) {
    let feed = Feed::new(bed);
    let state = feed.state().await;
    assert_eq!((state.last, state.first, state.length), (EventOffset::ZERO, None, 0));
    let page = feed.read(None, 10).await;
    assert_eq!((ids(&page), page.more, page.gap, page.next), (vec![], false, None, EventOffset::ZERO));
    assert_eq!(page.epoch, state.epoch);
    let published = feed.publish(&["a"]).await;
    assert_eq!(published.epoch, state.epoch, "the life of a log begins when somebody first looks");
    let after = feed.read(Some((state.epoch, state.last)), 10).await;
    assert_eq!((ids(&after), after.gap), (vec!["a".into()], None));
}

async fn a_position_that_was_trimmed_is_a_gap(bed: &Bed) {
    let feed = Feed::new(bed);
    let published = feed.publish(&["a", "b"]).await;
    assert_eq!(feed.purge(feed.later(60_000).now).await, 2);
    let next = feed.publish(&["c", "d"]).await;
    let page = feed.read(Some((published.epoch.clone(), published.events[0].offset)), 10).await;
    assert_eq!((ids(&page), page.gap), (vec!["c".into(), "d".into()], Some(EventGap::Trimmed)));
    let page = feed.read(Some((published.epoch, next.events[0].offset)), 10).await;
    assert_eq!((ids(&page), page.gap), (vec!["d".into()], None));
}

async fn a_position_at_the_end_is_no_gap_though_all_is_trimmed(bed: &Bed) {
    let feed = Feed::new(bed);
    let published = feed.publish(&["a", "b"]).await;
    assert_eq!(feed.purge(feed.later(60_000).now).await, 2);
    let end = published.events[1].offset;
    let page = feed.read(Some((published.epoch, end)), 10).await;
    assert_eq!((ids(&page), page.gap, page.next), (vec![], None, end));
}

async fn a_position_of_another_life_is_a_gap(bed: &Bed) {
    let feed = Feed::new(bed);
    let published = feed.publish(&["a"]).await;
    let other = Epoch::parse("another").expect("an epoch");
    let page = feed.read(Some((other, published.events[0].offset)), 10).await;
    assert_eq!((ids(&page), page.gap), (vec!["a".into()], Some(EventGap::NewEpoch)));
    assert_eq!(page.epoch, published.epoch);
}

async fn a_position_that_was_never_given_is_a_gap(bed: &Bed) {
    let feed = Feed::new(bed);
    let published = feed.publish(&["a"]).await;
    let last = published.events[0].offset;
    let beyond = EventOffset { ms: last.ms + 3_600_000, seq: 0 };
    let page = feed.read(Some((published.epoch, beyond)), 10).await;
    assert_eq!((ids(&page), page.gap), (vec!["a".into()], Some(EventGap::Trimmed)), "the store has lost what it gave");
}

async fn the_beginning_is_a_position_until_something_leaves(bed: &Bed) {
    let feed = Feed::new(bed);
    let beginning = Some((feed.state().await.epoch, EventOffset::ZERO));
    let published = feed.publish(&["a", "b"]).await;
    let whole = feed.read(beginning.clone(), 10).await;
    assert_eq!((ids(&whole), whole.gap), (vec!["a".into(), "b".into()], None));
    assert_eq!(feed.purge(feed.later(60_000).now).await, 2);
    let empty = feed.read(beginning.clone(), 10).await;
    assert_eq!((ids(&empty), empty.gap), (vec![], Some(EventGap::Trimmed)));
    assert_eq!(empty.next, published.events[1].offset);
    feed.publish(&["c"]).await;
    let later = feed.read(beginning, 10).await;
    assert_eq!((ids(&later), later.gap), (vec!["c".into()], Some(EventGap::Trimmed)));
}

async fn who_begins_with_the_oldest_misses_nothing_whatever_left_before(bed: &Bed) {
    let feed = Feed::new(bed);
    feed.publish(&["a", "b"]).await;
    assert_eq!(feed.purge(feed.later(60_000).now).await, 2);
    let page = feed.read(None, 10).await;
    assert_eq!((ids(&page), page.gap), (vec![], None));
    let again = feed.read(Some((page.epoch.clone(), page.next)), 10).await;
    assert_eq!((ids(&again), again.gap), (vec![], None));
    feed.publish(&["c"]).await;
    let next = feed.read(Some((page.epoch, page.next)), 10).await;
    assert_eq!((ids(&next), next.gap), (vec!["c".into()], None));
}

async fn a_page_is_bounded_in_bytes_and_holds_one_event_at_least(bed: &Bed) {
    let feed = Feed::new(bed);
    let large = |bytes: usize| RawJson::parse(&format!("{{\"t\":\"{}\"}}", "x".repeat(bytes))).expect("JSON");
    let part = MAX_PAGE_BYTES * 2 / 5;
    for (id, bytes) in [("a", part), ("b", part), ("c", part), ("d", MAX_PAGE_BYTES + 1), ("e", 1)] {
        feed.outcome(vec![NewEvent { payload: large(bytes), ..event(id) }]).await;
    }
    let (mut after, mut pages) = (None, Vec::new());
    for _ in 0..10 {
        let page = feed.read(after, 100).await;
        pages.push(ids(&page).concat());
        if !page.more {
            break;
        }
        after = Some((page.epoch, page.next));
    }
    assert_eq!(pages, ["ab", "c", "d", "e"]);
}
