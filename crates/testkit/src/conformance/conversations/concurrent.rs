//! Many at once.

use super::talk::{Talk, stored};
use crate::conformance::{Bed, cases};
use futures::future::join_all;
use mainstay_core::conversations::{Append, Appended, Created, Taken};
use std::collections::BTreeSet;

cases! {
    ($) conversations_concurrent_tests, conversations::concurrent:
    ten_simultaneous_appends_keep_every_message_at_a_place_of_its_own,
    of_many_that_expect_the_same_version_one_writes,
    of_sixteen_that_take_a_turn_exactly_one_gets_it,
    of_many_repetitions_one_writes,
    of_many_that_begin_the_same_one_does,
    of_many_that_begin_at_once_no_more_than_allowed_do,
}

async fn ten_simultaneous_appends_keep_every_message_at_a_place_of_its_own(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let names: Vec<String> = (0..10).map(|number| format!("n{number}")).collect();
    let appends = names.iter().map(|name| async { talk.say("c", &[name, name]).await });
    let versions: BTreeSet<u64> = join_all(appends).await.into_iter().map(|written| written.version).collect();
    assert_eq!(versions, (2..=11).collect());
    let rows = talk.rows("c").await;
    assert_eq!(rows.iter().map(|row| row.seq).collect::<Vec<_>>(), (1..=20).collect::<Vec<_>>());
    let texts = talk.texts("c").await;
    assert!(texts.chunks(2).all(|pair| pair[0] == pair[1]), "{texts:?}");
    assert_eq!(texts.into_iter().collect::<BTreeSet<_>>(), names.into_iter().collect());
}

async fn of_many_that_expect_the_same_version_one_writes(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let append = || Append { expected_version: Some(1), ..talk.append("c", &["one"]) };
    let appended = join_all((0..16).map(|_| talk.try_append(append()))).await;
    assert_eq!(appended.iter().filter(|one| matches!(one, Appended::Stored { .. })).count(), 1);
    assert_eq!(appended.iter().filter(|one| **one == Appended::Conflict { current: 2 }).count(), 15);
    assert_eq!(talk.texts("c").await, ["one"]);
}

async fn of_sixteen_that_take_a_turn_exactly_one_gets_it(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let taken = join_all((0..16).map(|_| talk.take("c", 10_000))).await;
    let until = talk.later(10_000).now;
    assert_eq!(taken.iter().filter(|one| **one == Taken::Taken { fence: 1, until }).count(), 1);
    assert_eq!(taken.iter().filter(|one| **one == Taken::Busy { until }).count(), 15);
}

async fn of_many_repetitions_one_writes(bed: &Bed) {
    let talk = Talk::new(bed);
    talk.with("c", &[]).await;
    let append = || Append { memo: Some(talk.memo("k", "f")), ..talk.append("c", &["one"]) };
    let appended = join_all((0..16).map(|_| talk.try_append(append()))).await;
    let first = appended.iter().find(|one| matches!(one, Appended::Stored { .. })).cloned().unwrap();
    let written = stored(first);
    assert_eq!(appended.iter().filter(|one| **one == Appended::Replayed(written)).count(), 15);
    assert_eq!(talk.texts("c").await, ["one"]);
}

async fn of_many_that_begin_the_same_one_does(bed: &Bed) {
    let talk = Talk::new(bed);
    let created = join_all((0..16).map(|_| talk.create("c"))).await;
    assert_eq!(created.iter().filter(|one| **one == Created::Created).count(), 1);
    assert_eq!(created.iter().filter(|one| **one == Created::Exists).count(), 15);
}

async fn of_many_that_begin_at_once_no_more_than_allowed_do(bed: &Bed) {
    let mut talk = Talk::new(bed);
    talk.max_conversations = 3;
    let names: Vec<String> = (0..12).map(|number| format!("n{number}")).collect();
    let created = join_all(names.iter().map(|name| talk.create(name))).await;
    assert_eq!(created.iter().filter(|one| **one == Created::Created).count(), 3);
    assert_eq!(talk.names().await.len(), 3);
}
