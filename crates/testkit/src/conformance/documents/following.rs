//! The log of changes: in order, whole transactions, without gaps.

use super::desk::{Desk, LIMITS, committed, delete, put};
use crate::conformance::{Bed, cases};
use mainstay_core::api::documents::{ChangeKind, CollectionName, beginning};
use mainstay_core::api::{Epoch, Offset, Position};
use mainstay_core::documents::{ChangesQuery, ChangesRead, DocumentLimits};

cases! {
    ($) documents_following_tests, documents::following:
    changes_are_told_in_order_from_the_beginning,
    a_transaction_is_never_split,
    changes_of_a_collection_are_told_alone,
    what_left_the_log_cannot_be_continued,
    a_position_of_another_life_or_ahead_cannot_be_continued,
    nobody_who_follows_misses_a_change,
}

async fn changes_are_told_in_order_from_the_beginning(bed: &Bed) {
    let desk = Desk::new(bed);
    assert_eq!(desk.page(&beginning(), 10).await, (vec![], beginning()));
    let first = desk.put("b/é", "1").await;
    let second = desk.later(1).delete("b/é").await;
    let (changes, position) = desk.page(&beginning(), 10).await;
    let told: Vec<_> = changes.iter().map(|c| (c.revision, c.collection.as_str(), c.key.as_str(), c.kind)).collect();
    assert_eq!(told, [(first, "b", "é", ChangeKind::Put), (second, "b", "é", ChangeKind::Deleted)]);
    assert_eq!((changes[1].at, changes[1].by.as_str()), (desk.later(1).now, "owner é\n"));
    assert_eq!(position, desk.head().await);
    assert_eq!(desk.page(&position, 10).await, (vec![], position));
}

async fn a_transaction_is_never_split(bed: &Bed) {
    let desk = Desk::new(bed);
    let mut ends = Vec::new();
    for nth in 0..3 {
        let changes = (0..3).map(|key| put(&format!("a/{key}"), &nth.to_string())).collect();
        ends.push(committed(&desk.transact(changes).await));
    }
    for (limit, transactions) in [(1, 1), (2, 1), (3, 1), (4, 2), (6, 2), (7, 3), (100, 3)] {
        let (changes, position) = desk.page(&beginning(), limit).await;
        assert_eq!((changes.len(), position), (transactions * 3, ends[transactions - 1].clone()), "{limit}");
    }
    let (changes, position) = desk.page(&ends[0], 1).await;
    assert_eq!((changes.len(), position), (3, ends[1].clone()));
    assert_eq!(changes.iter().map(|change| change.key.as_str()).collect::<Vec<_>>(), ["0", "1", "2"]);
}

async fn changes_of_a_collection_are_told_alone(bed: &Bed) {
    let desk = Desk::new(bed);
    for at in ["a/1", "b/1", "b/2", "a/2"] {
        desk.put(at, "1").await;
    }
    let collection = Some(CollectionName::parse("a").expect("a collection"));
    let query = |limit| ChangesQuery {
        namespace: desk.namespace.clone(),
        after: beginning(),
        collection: collection.clone(),
        limit,
    };
    let ChangesRead::Page { changes, position } = desk.documents.changes(query(100)).await.expect("changes") else {
        panic!("compacted");
    };
    assert_eq!(changes.iter().map(|change| change.key.as_str()).collect::<Vec<_>>(), ["1", "2"]);
    assert_eq!(position, desk.head().await);
    let ChangesRead::Page { changes, position } = desk.documents.changes(query(3)).await.expect("changes") else {
        panic!("compacted");
    };
    assert_eq!(changes.len(), 1, "what was looked at is passed over");
    assert!(position.offset < desk.head().await.offset);
}

async fn what_left_the_log_cannot_be_continued(bed: &Bed) {
    let desk = Desk { limits: DocumentLimits { max_log: 3, ..LIMITS }, ..Desk::new(bed) };
    let first = committed(&desk.transact(vec![put("a/1", "1"), put("a/2", "1")]).await);
    desk.put("a/3", "1").await;
    assert_eq!(desk.page(&beginning(), 10).await.0.len(), 3);
    desk.put("a/4", "1").await;
    let head = desk.head().await;
    let compacted = ChangesRead::Compacted { oldest: first.offset.0, head };
    assert_eq!(desk.changes(&beginning(), 10).await, compacted, "half a transaction is none");
    assert_eq!(desk.page(&first, 10).await.0.len(), 2);
}

async fn a_position_of_another_life_or_ahead_cannot_be_continued(bed: &Bed) {
    let desk = Desk::new(bed);
    desk.put("a/1", "1").await;
    let head = desk.head().await;
    let compacted = ChangesRead::Compacted { oldest: 0, head: head.clone() };
    let other = Position { epoch: Epoch::parse("other").expect("an epoch"), offset: head.offset };
    assert_eq!(desk.changes(&other, 10).await, compacted);
    let ahead = Position { offset: Offset(head.offset.0 + 1), ..head };
    assert_eq!(desk.changes(&ahead, 10).await, compacted);
}

async fn nobody_who_follows_misses_a_change(bed: &Bed) {
    let desk = Desk::new(bed);
    let writes = (0..4).map(|writer| {
        let desk = desk.clone();
        tokio::spawn(async move {
            let at = format!("a/{writer}");
            for nth in 0..10 {
                desk.transact(vec![put(&at, &nth.to_string()), put(&format!("b/{writer}"), "1")]).await;
            }
            desk.transact(vec![delete(&at)]).await;
        })
    });
    let writers: Vec<_> = writes.collect();
    let (mut told, mut position) = (Vec::new(), beginning());
    while told.len() < 4 * 21 {
        let (changes, next) = desk.page(&position, 5).await;
        told.extend(changes);
        position = next;
        tokio::task::yield_now().await;
    }
    for writer in writers {
        writer.await.expect("a writer");
    }
    assert!(told.windows(2).all(|pair| pair[0].revision <= pair[1].revision), "out of order");
    assert_eq!(desk.page(&beginning(), 1_000).await.0, told);
}
