//! Other programs on the same stream, and in the same group.

use crate::worker::{AT_ONCE, NEVER, STREAM, Worker, event, nth, read_group, run};
use mainstay_core::api::RawJson;
use mainstay_core::events::{GroupOutcome, NewEvent, Publish, TakeEvents, TakeOutcome, Trimming};
use mainstay_core::{Clock, SystemClock};
use mainstay_testkit::fixtures::RedisServer;
use std::time::Duration;

#[tokio::test]
async fn a_group_of_another_program_on_the_same_stream_is_unharmed() {
    let server = RedisServer::start().await.unwrap();
    let (worker, mut direct) = (Worker::at(&server.url(), "one").await, server.connection().await.unwrap());
    let () = run(&mut direct, &["XGROUP", "CREATE", STREAM, "their.group:1", "0"]).await;
    let offsets = worker.publish(&["a", "b", "c"]).await;
    let theirs = read_group(&mut direct, "their.group:1", "hub", "2").await;
    assert_eq!(theirs.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(worker.take(NEVER).await, nth(1, &["a", "b", "c"]));
    assert_eq!(
        worker.take(AT_ONCE).await,
        nth(2, &["a", "b", "c"]),
        "only our own consumers lose what they leave alone"
    );
    assert!(worker.bury(offsets[0]).await);
    assert_eq!(worker.acknowledge(&offsets).await, 2);
    assert!(worker.groups.remove_group(&worker.key).await.unwrap());

    let pending: Vec<(String, String, u64, u64)> =
        run(&mut direct, &["XPENDING", STREAM, "their.group:1", "-", "+", "10"]).await;
    let pending: Vec<_> = pending.iter().map(|(id, consumer, _, count)| (id, consumer.as_str(), *count)).collect();
    assert_eq!(pending, [(&theirs[0].0, "hub", 1), (&theirs[1].0, "hub", 1)]);
    let acknowledged: u64 = run(&mut direct, &["XACK", STREAM, "their.group:1", &theirs[0].0, &theirs[1].0]).await;
    assert_eq!(acknowledged, 2);
    assert_eq!(read_group(&mut direct, "their.group:1", "hub", "9").await.len(), 1, "they go on where they were");
    let left: Vec<String> = run(&mut direct, &["KEYS", "mainstay:{events:chat}:*"]).await;
    let of_groups: Vec<_> = left.iter().filter(|key| key.contains("dead") || key.contains("held")).collect();
    assert_eq!(of_groups, Vec::<&String>::new(), "nothing of ours is left");
}

#[tokio::test]
async fn another_program_may_work_in_the_same_group() {
    let server = RedisServer::start().await.unwrap();
    let (worker, mut direct) = (Worker::at(&server.url(), "one").await, server.connection().await.unwrap());
    worker.publish(&["a", "b", "c"]).await;
    let theirs = read_group(&mut direct, "billing", "plain", "2").await;
    assert_eq!(worker.take(NEVER).await, nth(1, &["c"]), "the work is shared");
    let _: u64 = run(&mut direct, &["XACK", STREAM, "billing", &theirs[0].0]).await;
    let state = worker.state().await;
    let holds: Vec<_> = state.consumers.iter().map(|(name, holds)| (name.as_str(), *holds)).collect();
    assert_eq!((holds, state.pending), (vec![("one", 1), ("plain", 1)], 2));
    assert_eq!(worker.take(AT_ONCE).await, nth(2, &["b", "c"]), "what they leave alone is taken over");
    assert_eq!(worker.acknowledge(&[theirs[1].0.parse().unwrap()]).await, 1);
}

#[tokio::test]
async fn entries_that_are_no_events_are_passed_over_and_come_to_nobody_again() {
    let server = RedisServer::start().await.unwrap();
    let (worker, mut direct) = (Worker::at(&server.url(), "one").await, server.connection().await.unwrap());
    worker.publish(&["a"]).await;
    let nothing: String = run(&mut direct, &["XADD", STREAM, "*", "hello", "world"]).await;
    let taken = worker.taken(worker.request(NEVER)).await;
    assert_eq!((taken.events.len(), taken.unreadable), (1, 1));
    assert_eq!(taken.delivered.to_string(), nothing);
    let state = worker.state().await;
    assert_eq!((state.pending, state.lag), (1, 0));
    assert_eq!(worker.take(AT_ONCE).await, nth(2, &["a"]));
}

#[tokio::test]
async fn what_others_trimmed_in_somebodys_hands_is_lost_and_keeps_nothing_out() {
    let server = RedisServer::start().await.unwrap();
    let (worker, mut direct) = (Worker::at(&server.url(), "one").await, server.connection().await.unwrap());
    let strict = Worker { max_len: 3, trimming: Trimming::Refuse, ..worker.clone() };
    strict.publish(&["a", "b"]).await;
    assert_eq!(strict.take(NEVER).await, nth(1, &["a", "b"]));
    let _: u64 = run(&mut direct, &["XTRIM", STREAM, "MAXLEN", "0"]).await;
    let offsets = strict.publish(&["c", "d", "e"]).await;
    assert_eq!(strict.take(NEVER).await, nth(1, &["c", "d", "e"]));
    assert_eq!(strict.acknowledge(&offsets).await, 3);
    assert_eq!(strict.published(&["f", "g"]).await.trimmed_unread, 0, "a and b are in nobody's way");
    let taken = strict.taken(strict.request(AT_ONCE)).await;
    assert_eq!((taken.lost, taken.events.len()), (2, 2));
}

#[tokio::test]
async fn a_stream_that_others_delete_takes_its_groups_along_and_leaves_nothing_to_the_next() {
    let server = RedisServer::start().await.unwrap();
    let (worker, mut direct) = (Worker::at(&server.url(), "one").await, server.connection().await.unwrap());
    let offsets = worker.publish(&["a", "b", "c"]).await;
    assert_eq!(worker.take(NEVER).await.len(), 3);
    assert!(worker.bury(offsets[0]).await && worker.bury(offsets[1]).await);
    assert!(worker.groups.revive(&worker.key, offsets[1]).await.unwrap());
    let _: u64 = run(&mut direct, &["DEL", STREAM]).await;
    assert_eq!(worker.try_take(AT_ONCE).await.unwrap(), TakeOutcome::NoGroup);
    worker.publish(&["d"]).await;
    assert_eq!(worker.try_take(AT_ONCE).await.unwrap(), TakeOutcome::NoGroup, "nobody has made it again");
    assert_eq!(worker.create().await, GroupOutcome::Created);
    let state = worker.state().await;
    assert_eq!((state.dead, state.pending, state.lag, state.lost), (0, 0, 1, 0));
    assert_eq!((worker.take(AT_ONCE).await, worker.dead().await), (nth(1, &["d"]), vec![]));
}

#[tokio::test]
async fn a_lag_that_is_too_much_to_count_is_told_by_what_redis_keeps() {
    let server = RedisServer::start().await.unwrap();
    let (worker, mut direct) = (Worker::at(&server.url(), "one").await, server.connection().await.unwrap());
    let large = RawJson::parse(&format!("{{\"t\":\"{}\"}}", "x".repeat(4_000))).unwrap();
    for batch in 0..5 {
        let events = (0..100).map(|number| NewEvent { payload: large.clone(), ..event(&format!("{batch} {number}")) });
        let publish = Publish {
            log: worker.key.log.clone(),
            events: events.collect(),
            now: SystemClock.now(),
            max_len: 10_000,
            max_age: None,
            dedupe: Duration::from_secs(300),
            trimming: Trimming::Count,
        };
        worker.events.publish(publish).await.unwrap();
    }
    worker.taken(TakeEvents { limit: 10, ..worker.request(NEVER) }).await;
    let state = worker.state().await;
    assert!(state.lag == 490 || state.lag_at_least && state.lag < 490, "{state:?}");
    // Somebody removes one from the middle: Redis cannot tell any more, and what is told is a part.
    let entries: Vec<(String, Vec<String>)> = run(&mut direct, &["XREVRANGE", STREAM, "+", "-", "COUNT", "5"]).await;
    let _: u64 = run(&mut direct, &["XDEL", STREAM, &entries[4].0]).await;
    let state = worker.state().await;
    assert!(state.lag_at_least && (100..489).contains(&state.lag), "{state:?}");
}
