//! What becomes of events that a group has not acknowledged, when a log is full or purged.

use super::crew::{Crew, first};
use crate::conformance::events::feed::{Feed, event};
use crate::conformance::{Bed, cases};
use mainstay_core::api::events::EventOffset;
use mainstay_core::events::{GroupOutcome, GroupStart, PublishOutcome, Published, Purged, Trimming};

cases! {
    ($) groups_trimming_tests, groups::trimming:
    what_is_trimmed_before_a_group_acknowledged_it_is_counted,
    each_event_that_some_group_lacks_is_counted_once,
    a_full_log_refuses_what_would_push_out_unread_events,
    a_refused_publication_leaves_nothing_behind,
    a_log_without_groups_refuses_nothing,
    a_purge_leaves_what_is_unread_where_it_is_told_to,
    a_purge_counts_what_was_unread,
    a_revived_event_keeps_nothing_out,
    what_was_trimmed_in_somebodys_hands_keeps_nothing_out,
    what_a_removed_group_lacked_keeps_nothing_out,
}

/// A group on a log of four events at most.
async fn small(bed: &Bed, trimming: Trimming) -> Crew {
    let crew = Crew::new(bed).await;
    let feed = Feed { max_len: 4, trimming, ..crew.feed.clone() };
    Crew { feed, ..crew }
}

async fn published(crew: &Crew, ids: &[&str]) -> Published {
    crew.feed.publish(ids).await
}

async fn refused(crew: &Crew, ids: &[&str]) -> Option<String> {
    match crew.feed.outcome(ids.iter().map(|id| event(id)).collect()).await {
        PublishOutcome::Backlog { group } => Some(group),
        PublishOutcome::Published(_) => None,
    }
}

async fn take_and_acknowledge(crew: &Crew, acknowledged: usize) -> Vec<EventOffset> {
    let taken = crew.try_take(crew.request("one", super::crew::NEVER)).await;
    let offsets: Vec<_> = taken.events.iter().map(|taken| taken.event.offset).collect();
    assert_eq!(crew.acknowledge(&offsets[..acknowledged]).await, acknowledged as u64);
    offsets
}

async fn what_is_trimmed_before_a_group_acknowledged_it_is_counted(bed: &Bed) {
    let crew = small(bed, Trimming::Count).await;
    assert_eq!(published(&crew, &["a", "b", "c", "d"]).await.trimmed_unread, 0, "all fit");
    assert_eq!(published(&crew, &["e"]).await.trimmed_unread, 1, "nobody had taken it");
    take_and_acknowledge(&crew, 1).await;
    // Gone are b, which was acknowledged, and c, which was only taken.
    assert_eq!(published(&crew, &["f", "g"]).await.trimmed_unread, 1);
    assert_eq!(crew.feed.ids().await, ["d", "e", "f", "g"]);
    take_and_acknowledge(&crew, 2).await;
    let all = crew.take_from("one", super::crew::AT_ONCE).await;
    assert_eq!(all.len(), 2, "d and e are still to be done: {all:?}");
}

async fn each_event_that_some_group_lacks_is_counted_once(bed: &Bed) {
    let crew = small(bed, Trimming::Count).await;
    let other = crew.named("audit");
    assert_eq!(other.create(GroupStart::Oldest).await, GroupOutcome::Created);
    published(&crew, &["a", "b", "c", "d"]).await;
    let offsets = take_and_acknowledge(&crew, 4).await;
    take_and_acknowledge(&other, 0).await;
    assert_eq!(other.acknowledge(&[offsets[0], offsets[2]]).await, 2);
    // All have a and c, one of them lacks b and d.
    assert_eq!(published(&crew, &["e", "f", "g"]).await.trimmed_unread, 1);
    assert_eq!(published(&crew, &["h", "i", "j"]).await.trimmed_unread, 3, "both lack e and f, which count once each");
}

async fn a_full_log_refuses_what_would_push_out_unread_events(bed: &Bed) {
    let crew = small(bed, Trimming::Refuse).await;
    let other = crew.named("audit");
    published(&crew, &["a", "b", "c", "d"]).await;
    assert_eq!(other.create(GroupStart::New).await, GroupOutcome::Created);
    assert_eq!(refused(&crew, &["e"]).await.as_deref(), Some("billing"));
    let offsets = take_and_acknowledge(&crew, 0).await;
    assert_eq!(refused(&crew, &["e"]).await.as_deref(), Some("billing"), "taken is not done");
    assert_eq!(crew.acknowledge(&offsets[..1]).await, 1);
    assert_eq!(refused(&crew, &["e", "f"]).await.as_deref(), Some("billing"));
    assert_eq!(published(&crew, &["e"]).await.trimmed_unread, 0);
    assert_eq!(crew.feed.ids().await, ["b", "c", "d", "e"]);
    assert_eq!(crew.acknowledge(&offsets).await, 3);
    assert_eq!(refused(&crew, &["f", "g", "h", "i"]).await.as_deref(), Some("audit"), "e would have to go");
    published(&crew, &["f", "g", "h"]).await;
    assert_eq!(crew.feed.ids().await, ["e", "f", "g", "h"]);
}

async fn a_refused_publication_leaves_nothing_behind(bed: &Bed) {
    let crew = small(bed, Trimming::Refuse).await;
    let placed = published(&crew, &["a", "b", "c", "d"]).await;
    let state = crew.feed.state().await;
    assert!(refused(&crew, &["a", "e"]).await.is_some());
    assert_eq!(crew.feed.state().await, state);
    let again = published(&crew, &["a", "d"]).await;
    assert!(again.events.iter().all(|placed| placed.duplicate), "a repeat needs no room");
    assert_eq!(again.events[0].offset, placed.events[0].offset);
    take_and_acknowledge(&crew, 4).await;
    assert!(!published(&crew, &["e"]).await.events[0].duplicate, "its id was not remembered");
}

async fn a_log_without_groups_refuses_nothing(bed: &Bed) {
    let crew = small(bed, Trimming::Refuse).await;
    assert!(crew.remove().await);
    for batch in 0..60 {
        let ids: Vec<_> = (0..4).map(|number| format!("{batch}-{number}")).collect();
        let placed = published(&crew, &ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
        assert_eq!(placed.trimmed_unread, 0);
    }
    assert!(crew.feed.state().await.length < 240);
}

async fn a_purge_leaves_what_is_unread_where_it_is_told_to(bed: &Bed) {
    let crew = small(bed, Trimming::Refuse).await;
    published(&crew, &["a", "b", "c", "d"]).await;
    let later = crew.feed.later(60_000).now;
    assert_eq!(crew.feed.purged(later).await, Purged::default());
    let offsets = take_and_acknowledge(&crew, 2).await;
    assert_eq!(crew.feed.purged(later).await, Purged { events: 2, unread: 0 });
    assert_eq!(crew.feed.ids().await, ["c", "d"]);
    assert_eq!(crew.acknowledge(&offsets).await, 2);
    assert_eq!(crew.feed.purged(later).await, Purged { events: 2, unread: 0 });
    assert_eq!(crew.feed.state().await.length, 0);
}

async fn a_purge_counts_what_was_unread(bed: &Bed) {
    let crew = small(bed, Trimming::Count).await;
    published(&crew, &["a", "b", "c"]).await;
    let offsets = take_and_acknowledge(&crew, 0).await;
    assert_eq!(crew.acknowledge(&offsets[1..2]).await, 1);
    published(&crew, &["d"]).await;
    let purged = crew.feed.purged(crew.feed.later(60_000).now).await;
    assert_eq!(purged, Purged { events: 4, unread: 3 }, "two are held, one nobody has taken");
}

async fn a_revived_event_keeps_nothing_out(bed: &Bed) {
    let crew = small(bed, Trimming::Refuse).await;
    published(&crew, &["a", "b", "c", "d"]).await;
    let offsets = take_and_acknowledge(&crew, 3).await;
    assert!(crew.bury("one", offsets[3], "no").await && crew.revive(offsets[3]).await);
    published(&crew, &["e", "f", "g", "h"]).await;
    assert_eq!(crew.feed.ids().await, ["e", "f", "g", "h"], "it is a copy");
    assert_eq!(crew.take("two").await, first(&["d", "e", "f", "g", "h"]));
}

async fn what_was_trimmed_in_somebodys_hands_keeps_nothing_out(bed: &Bed) {
    let crew = small(bed, Trimming::Refuse).await;
    published(&crew, &["a", "b"]).await;
    take_and_acknowledge(&crew, 0).await;
    let careless = Crew { feed: Feed { trimming: Trimming::Count, ..crew.feed.clone() }, ..crew.clone() };
    careless.trim_all().await;
    published(&crew, &["c", "d", "e", "f"]).await;
    assert_eq!(refused(&crew, &["g"]).await.as_deref(), Some("billing"), "c to f are still to be done");
    take_and_acknowledge(&crew, 4).await;
    assert_eq!(published(&crew, &["g"]).await.trimmed_unread, 0);
}

async fn what_a_removed_group_lacked_keeps_nothing_out(bed: &Bed) {
    let crew = small(bed, Trimming::Refuse).await;
    let other = crew.named("audit");
    assert_eq!(other.create(GroupStart::Oldest).await, GroupOutcome::Created);
    published(&crew, &["a", "b", "c", "d"]).await;
    take_and_acknowledge(&crew, 4).await;
    take_and_acknowledge(&other, 1).await;
    assert_eq!(refused(&crew, &["e", "f"]).await.as_deref(), Some("audit"));
    assert!(other.remove().await);
    assert_eq!(published(&crew, &["e", "f"]).await.trimmed_unread, 0);
}
