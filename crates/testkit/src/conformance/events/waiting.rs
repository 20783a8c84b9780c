//! Waiting for the end of logs.

use super::feed::Feed;
use crate::conformance::{Bed, cases};
use mainstay_core::api::events::EventOffset;
use std::time::Duration;

cases! {
    ($) events_waiting_tests, events::waiting:
    a_wait_ends_with_the_next_event_and_names_its_log,
    a_wait_ends_at_once_where_something_stands_already,
    a_wait_for_nothing_ends_with_its_time,
    waits_do_not_hold_each_other_or_anybody_else_up,
}

/// Far longer than any publication takes to be noticed.
const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(150);

async fn a_wait_ends_with_the_next_event_and_names_its_log(bed: &Bed) {
    let (feed, quiet) = (Feed::new(bed), Feed::new(bed));
    let seen = feed.publish(&["a"]).await.events[0].offset;
    let tails = [quiet.tail(EventOffset::ZERO), feed.tail(seen)];
    let (events, waiting) = (feed.events.clone(), tails.clone());
    let wait = tokio::spawn(async move { events.wait(&waiting, LONG).await });
    tokio::time::sleep(SHORT).await;
    assert!(!wait.is_finished(), "nothing has happened");
    feed.publish(&["b"]).await;
    assert_eq!(wait.await.expect("no panic").expect("wait"), [feed.log]);
}

async fn a_wait_ends_at_once_where_something_stands_already(bed: &Bed) {
    let feed = Feed::new(bed);
    feed.publish(&["a"]).await;
    assert_eq!(feed.events.wait(&[feed.tail(EventOffset::ZERO)], LONG).await.expect("wait"), [feed.log]);
}

async fn a_wait_for_nothing_ends_with_its_time(bed: &Bed) {
    let feed = Feed::new(bed);
    let seen = feed.publish(&["a"]).await.events[0].offset;
    assert_eq!(feed.events.wait(&[feed.tail(seen)], SHORT).await.expect("wait"), []);
}

async fn waits_do_not_hold_each_other_or_anybody_else_up(bed: &Bed) {
    let feed = Feed::new(bed);
    let seen = feed.state().await.last;
    let waits: Vec<_> = (0..10)
        .map(|_| {
            let feed = feed.clone();
            tokio::spawn(async move { feed.events.wait(&[feed.tail(seen)], LONG).await })
        })
        .collect();
    tokio::time::sleep(SHORT).await;
    let given_up = tokio::time::timeout(SHORT, feed.events.wait(&[feed.tail(seen)], LONG)).await;
    assert!(given_up.is_err(), "nothing has happened");
    feed.publish(&["a"]).await;
    for wait in waits {
        assert_eq!(wait.await.expect("no panic").expect("wait"), std::slice::from_ref(&feed.log));
    }
    assert_eq!(feed.ids().await, ["a"]);
}
