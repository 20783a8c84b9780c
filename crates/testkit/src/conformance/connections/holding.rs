//! Opening, holding and ending.

use super::switchboard::{Switchboard, TTL, TTL_MS, held, record};
use crate::conformance::mail::hostile::HOSTILE;
use crate::conformance::waking::Subscriber;
use crate::conformance::{Bed, cases};
use mainstay_core::events::{ClaimOutcome, ConnectionRecord, Direction};

cases! {
    ($) connections_holding_tests, connections::holding:
    what_was_opened_is_found_by_its_token_alone,
    opening_twice_is_opening_once,
    one_node_holds_a_connection,
    of_many_nodes_that_claim_at_once_one_holds_it,
    a_node_takes_over_from_the_one_that_it_names,
    what_a_node_let_go_any_may_hold,
    a_connection_ends_at_its_time_unless_it_is_claimed_again,
    what_is_closed_is_gone_with_everything_that_waits,
    hostile_tokens_and_texts_are_texts,
    a_purge_removes_connections_that_are_over,
    closing_and_changing_hands_wake_both_ends,
}

async fn what_was_opened_is_found_by_its_token_alone(bed: &Bed) {
    let board = Switchboard::new(bed);
    assert_eq!(board.find("a").await, None);
    board.open("a").await;
    assert_eq!(board.find("a").await, Some(record("a")));
    assert_eq!(board.find("b").await, None);
    assert_eq!(board.find("id of a").await, None, "the public id opens nothing");
    let token = board.token("c");
    let long = ConnectionRecord { details: "é".repeat(2_048), ..held("c", "n1") };
    board.store.open(&token, long.clone(), TTL, board.now).await.expect("open");
    assert_eq!(board.find("c").await, Some(long));
}

async fn opening_twice_is_opening_once(bed: &Bed) {
    let board = Switchboard::new(bed);
    board.open("a").await;
    board.claim("a", "n1", None).await;
    board.send("a", Direction::Out, b"1").await;
    board.open("a").await;
    assert_eq!(board.find("a").await, Some(held("a", "n1")));
    assert_eq!(board.receive("a", Direction::Out, 0).await, Some(vec![(1, b"1".to_vec())]));
}

async fn one_node_holds_a_connection(bed: &Bed) {
    let board = Switchboard::new(bed);
    assert_eq!(board.claim("a", "n1", None).await, ClaimOutcome::Unknown);
    board.open("a").await;
    assert_eq!(board.claim("a", "n1", None).await, ClaimOutcome::Held(held("a", "n1")));
    assert_eq!(board.claim("a", "n1", None).await, ClaimOutcome::Held(held("a", "n1")), "again, by the same");
    assert_eq!(board.claim("a", "n2", None).await, ClaimOutcome::Elsewhere(held("a", "n1")));
    assert_eq!(board.find("a").await, Some(held("a", "n1")));
}

async fn of_many_nodes_that_claim_at_once_one_holds_it(bed: &Bed) {
    let board = Switchboard::new(bed);
    board.open("a").await;
    let claim = |node: u32| {
        let board = board.clone();
        tokio::spawn(async move { board.claim("a", &format!("n{node}"), None).await })
    };
    let tasks: Vec<_> = (0..32).map(claim).collect();
    let (mut holders, mut others) = (Vec::new(), Vec::new());
    for task in tasks {
        match task.await.expect("a task") {
            ClaimOutcome::Held(record) => holders.push(record),
            ClaimOutcome::Elsewhere(record) => others.push(record),
            ClaimOutcome::Unknown => panic!("it was opened"),
        }
    }
    assert_eq!((holders.len(), others.len()), (1, 31));
    assert!(others.iter().all(|other| *other == holders[0]), "everybody is told who holds it");
}

async fn a_node_takes_over_from_the_one_that_it_names(bed: &Bed) {
    let board = Switchboard::new(bed);
    board.open("a").await;
    assert_eq!(board.claim("a", "n1", Some("n9")).await, ClaimOutcome::Held(held("a", "n1")), "nobody held it");
    board.send("a", Direction::In, b"waits").await;
    assert_eq!(board.claim("a", "n2", Some("n3")).await, ClaimOutcome::Elsewhere(held("a", "n1")));
    assert_eq!(board.claim("a", "n2", Some("n1")).await, ClaimOutcome::Held(held("a", "n2")));
    assert_eq!(board.claim("a", "n1", None).await, ClaimOutcome::Elsewhere(held("a", "n2")));
    assert_eq!(board.receive("a", Direction::In, 0).await, Some(vec![(1, b"waits".to_vec())]));
}

async fn what_a_node_let_go_any_may_hold(bed: &Bed) {
    let board = Switchboard::new(bed);
    assert!(!board.let_go("a", "n1").await);
    board.open("a").await;
    assert!(!board.let_go("a", "n1").await, "nobody holds it");
    board.claim("a", "n1", None).await;
    assert!(!board.let_go("a", "n2").await, "another holds it");
    assert!(board.let_go("a", "n1").await);
    assert!(!board.let_go("a", "n1").await);
    assert_eq!(board.find("a").await, Some(record("a")));
    assert_eq!(board.claim("a", "n2", None).await, ClaimOutcome::Held(held("a", "n2")));
}

async fn a_connection_ends_at_its_time_unless_it_is_claimed_again(bed: &Bed) {
    let board = Switchboard::new(bed);
    board.open("a").await;
    board.open("b").await;
    let last = board.later(TTL_MS - 1);
    last.claim("a", "n1", None).await;
    last.send("b", Direction::Out, b"1").await;
    let over = board.later(TTL_MS);
    assert_eq!(over.find("a").await, Some(held("a", "n1")));
    assert_eq!(over.find("b").await, None);
    assert_eq!(over.claim("b", "n1", None).await, ClaimOutcome::Unknown);
    assert!(!over.let_go("b", "n1").await);
    assert!(!over.close("b").await);
    over.open("b").await;
    assert_eq!(over.receive("b", Direction::Out, 0).await, Some(vec![]), "nothing is left of the earlier one");
    assert_eq!(board.later(2 * TTL_MS - 1).find("a").await, None);
}

async fn what_is_closed_is_gone_with_everything_that_waits(bed: &Bed) {
    let board = Switchboard::new(bed);
    assert!(!board.close("a").await);
    board.open("a").await;
    board.claim("a", "n1", None).await;
    board.send("a", Direction::Out, b"1").await;
    assert!(board.close("a").await);
    assert!(!board.close("a").await);
    assert_eq!(board.find("a").await, None);
    assert_eq!(board.claim("a", "n1", None).await, ClaimOutcome::Unknown);
    assert_eq!(board.receive("a", Direction::Out, 0).await, None);
    board.open("a").await;
    assert_eq!(board.receive("a", Direction::Out, 0).await, Some(vec![]));
}

async fn hostile_tokens_and_texts_are_texts(bed: &Bed) {
    let board = Switchboard::new(bed);
    let long = "🦀".repeat(300);
    let names: Vec<&str> = HOSTILE.into_iter().chain([long.as_str()]).collect();
    for name in &names {
        board.open(name).await;
        assert_eq!(board.claim(name, name, None).await, ClaimOutcome::Held(held(name, name)), "{name:?}");
        board.send(name, Direction::In, name.as_bytes()).await;
    }
    for name in &names {
        assert_eq!(board.find(name).await, Some(held(name, name)));
        assert_eq!(board.receive(name, Direction::In, 0).await, Some(vec![(1, name.as_bytes().to_vec())]));
        assert!(board.let_go(name, name).await, "{name:?}");
        assert!(board.close(name).await, "{name:?}");
    }
}

async fn a_purge_removes_connections_that_are_over(bed: &Bed) {
    let window = bed.window().await;
    let board = Switchboard::at(bed, window.start);
    for name in ["a", "b", "c", "d", "e"] {
        board.open(name).await;
        board.send(name, Direction::Out, b"1").await;
    }
    board.later(1).claim("c", "n1", None).await;
    let over = board.later(TTL_MS);
    let mut steps = 0;
    loop {
        let removed = over.store.purge(over.now, 2).await.expect("purge");
        assert!(removed <= 2, "{removed} of at most 2");
        steps += 1;
        if removed == 0 || steps > 10 {
            break;
        }
    }
    assert!(steps <= 10, "a purge comes to an end");
    assert_eq!(over.find("a").await, None);
    assert_eq!(over.find("c").await, Some(held("c", "n1")));
    assert_eq!(over.receive("c", Direction::Out, 0).await, Some(vec![(1, b"1".to_vec())]));
}

async fn closing_and_changing_hands_wake_both_ends(bed: &Bed) {
    let board = Switchboard::new(bed);
    board.open("a").await;
    let mut subscriber = Subscriber::on(bed).await;
    board.claim("a", "n1", None).await;
    subscriber.woken(&board.topic("a"), "holding").await;
    subscriber.settle().await;
    board.close("a").await;
    subscriber.woken(&board.topic("a"), "closing").await;
}
