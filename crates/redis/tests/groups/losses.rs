//! Work that somebody leaves behind, and events that go before they were read.

use crate::worker::{AT_ONCE, NEVER, Worker};
use mainstay_core::events::{PublishOutcome, TakeEvents, Trimming};
use mainstay_testkit::fixtures::RedisServer;
use std::collections::BTreeSet;
use std::time::Duration;

/// The founding system acknowledged what its handler had failed on, and what a process held that had died stayed with it.
#[tokio::test]
async fn what_a_worker_died_over_is_done_by_another_and_nothing_is_acknowledged_unseen() {
    let server = RedisServer::start().await.unwrap();
    let dying = Worker::at(&server.url(), "machine 1").await;
    let ids: Vec<String> = (0..50).map(|number| number.to_string()).collect();
    let offsets = dying.publish(&ids.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let half = dying.taken(TakeEvents { limit: 25, ..dying.request(NEVER) }).await;
    assert_eq!(dying.acknowledge(&offsets[..5]).await, 5);
    drop(dying);
    drop(half);

    let heir = Worker::at(&server.url(), "machine 2").await;
    let new = heir.take(NEVER).await;
    assert_eq!(new.len(), 25, "what the other holds is its own for so long");
    tokio::time::sleep(Duration::from_millis(60)).await;
    heir.keep(&offsets).await;
    let left = heir.take(Duration::from_millis(50)).await;
    let done: BTreeSet<_> = new.into_iter().chain(left.clone()).map(|(id, _)| id).collect();
    assert_eq!(done, ids[5..].iter().cloned().collect(), "all but what was acknowledged");
    assert!(left.iter().take(20).all(|(_, delivery)| *delivery == 2), "{left:?}");
    assert_eq!(heir.acknowledge(&offsets).await, 45);
    assert_eq!((heir.state().await.pending, heir.take(AT_ONCE).await), (0, vec![]));
}

/// The founding system trimmed what nobody had read, and nobody heard of it.
#[tokio::test]
async fn what_is_trimmed_unread_is_counted_or_refused_and_never_lost_in_silence() {
    let server = RedisServer::start().await.unwrap();
    let worker = Worker { max_len: 100, ..Worker::at(&server.url(), "one").await };
    worker.fill(100).await;
    let strict = Worker { trimming: Trimming::Refuse, ..worker.clone() };
    assert_eq!(strict.try_publish(&["x"]).await.unwrap(), PublishOutcome::Backlog { group: "billing".into() });
    assert_eq!(worker.published(&["x", "y"]).await.trimmed_unread, 2);
    let taken = worker.taken(TakeEvents { limit: 10, ..worker.request(NEVER) }).await;
    let offsets: Vec<_> = taken.events.iter().map(|taken| taken.event.offset).collect();
    assert_eq!(worker.acknowledge(&offsets[1..]).await, 9);
    // Of the next ten, the first was taken and not acknowledged.
    let ten: Vec<String> = (0..10).map(|number| format!("ten {number}")).collect();
    let ten = worker.published(&ten.iter().map(String::as_str).collect::<Vec<_>>()).await;
    assert_eq!(ten.trimmed_unread, 1);
    let again = worker.taken(TakeEvents { limit: 1, ..worker.request(AT_ONCE) }).await;
    assert_eq!((again.lost, worker.state().await.lost), (1, 1));
}

#[tokio::test]
async fn a_list_that_is_too_long_for_one_look_is_looked_through_to_its_end() {
    let server = RedisServer::start().await.unwrap();
    let (busy, heir) = (Worker::at(&server.url(), "busy").await, Worker::at(&server.url(), "heir").await);
    busy.fill(2_500).await;
    let mut offsets = Vec::new();
    loop {
        let taken = busy.taken(TakeEvents { limit: 1_000, ..busy.request(NEVER) }).await;
        if taken.events.is_empty() {
            break;
        }
        offsets.extend(taken.events.into_iter().map(|taken| taken.event.offset));
    }
    assert_eq!(offsets.len(), 2_500);
    // Far behind what one look reaches.
    assert!(busy.release(offsets[2_400]).await && busy.release(offsets[10]).await);
    let mut found = BTreeSet::new();
    for _ in 0..4 {
        found.extend(heir.take(NEVER).await.into_iter().map(|(id, _)| id));
    }
    assert_eq!(found, ["10".to_owned(), "2400".to_owned()].into());
}
