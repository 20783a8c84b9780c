//! Bytes on their way between two nodes.

use super::switchboard::{Switchboard, TTL_MS};
use crate::conformance::waking::Subscriber;
use crate::conformance::{Bed, cases};
use mainstay_core::events::Direction::{In, Out};
use mainstay_core::events::RelayOutcome::{Full, Unknown, Waiting};

cases! {
    ($) connections_relaying_tests, connections::relaying:
    bytes_arrive_in_order_and_each_way_by_itself,
    what_arrived_is_removed_and_the_rest_is_told_again,
    numbers_go_on_where_everything_arrived,
    no_more_waits_than_may,
    a_portion_of_any_size_may_wait_alone_and_is_received_alone,
    about_as_much_is_received_as_was_asked_for,
    any_bytes_are_carried_unchanged,
    of_many_that_send_at_once_each_has_a_number_of_its_own,
    nothing_is_sent_over_what_is_over,
    sending_wakes_the_other_end,
}

fn text(portions: &[(u64, &str)]) -> Option<Vec<(u64, Vec<u8>)>> {
    Some(portions.iter().map(|(number, bytes)| (*number, bytes.as_bytes().to_vec())).collect())
}

async fn bytes_arrive_in_order_and_each_way_by_itself(bed: &Bed) {
    let board = Switchboard::new(bed);
    board.open("a").await;
    board.open("b").await;
    assert_eq!(board.receive("a", In, 0).await, text(&[]));
    assert_eq!(board.send("a", In, b"one").await, Waiting(1));
    assert_eq!(board.send("a", In, b"two").await, Waiting(2));
    assert_eq!(board.send("a", Out, b"three").await, Waiting(1));
    assert_eq!(board.receive("a", In, 0).await, text(&[(1, "one"), (2, "two")]));
    assert_eq!(board.receive("a", Out, 0).await, text(&[(1, "three")]));
    assert_eq!(board.receive("b", In, 0).await, text(&[]));
}

async fn what_arrived_is_removed_and_the_rest_is_told_again(bed: &Bed) {
    let board = Switchboard::new(bed);
    board.open("a").await;
    for bytes in ["one", "two", "three"] {
        board.send("a", Out, bytes.as_bytes()).await;
    }
    let all = text(&[(1, "one"), (2, "two"), (3, "three")]);
    assert_eq!(board.receive("a", Out, 0).await, all);
    assert_eq!(board.receive("a", Out, 0).await, all, "an answer that was lost is given again");
    assert_eq!(board.receive("a", Out, 2).await, text(&[(3, "three")]));
    assert_eq!(board.receive("a", Out, 0).await, text(&[(3, "three")]), "one and two were removed");
    assert_eq!(board.receive("a", Out, 3).await, text(&[]));
    assert_eq!(board.receive("a", Out, 9).await, text(&[]));
}

async fn numbers_go_on_where_everything_arrived(bed: &Bed) {
    let board = Switchboard::new(bed);
    board.open("a").await;
    board.send("a", In, b"one").await;
    board.receive("a", In, 9).await;
    assert_eq!(board.send("a", In, b"two").await, Waiting(2));
    assert_eq!(board.receive("a", In, 1).await, text(&[(2, "two")]));
    board.claim("a", "n1", None).await;
    board.let_go("a", "n1").await;
    assert_eq!(board.send("a", In, b"three").await, Waiting(3), "whoever holds it");
}

async fn no_more_waits_than_may(bed: &Bed) {
    let board = Switchboard { max_bytes: 10, ..Switchboard::new(bed) };
    board.open("a").await;
    assert_eq!(board.send("a", In, b"123456").await, Waiting(1));
    assert_eq!(board.send("a", In, b"7890").await, Waiting(2));
    assert_eq!(board.send("a", In, b"x").await, Full);
    assert_eq!(board.send("a", Out, b"x").await, Waiting(1), "each way has its own bound");
    board.receive("a", In, 1).await;
    assert_eq!(board.send("a", In, b"1234567").await, Full);
    assert_eq!(board.send("a", In, b"123456").await, Waiting(3), "what was refused took no number");
    assert_eq!(board.receive("a", In, 1).await, text(&[(2, "7890"), (3, "123456")]));
}

async fn a_portion_of_any_size_may_wait_alone_and_is_received_alone(bed: &Bed) {
    let board = Switchboard { max_bytes: 10, ..Switchboard::new(bed) };
    board.open("a").await;
    let large = vec![7; 100_000];
    assert_eq!(board.send("a", In, &large).await, Waiting(1));
    assert_eq!(board.send("a", In, b"").await, Full);
    assert_eq!(board.receive("a", In, 0).await, Some(vec![(1, large)]));
    assert_eq!(board.receive("a", In, 1).await, text(&[]));
    assert_eq!(board.send("a", In, b"x").await, Waiting(2));
}

async fn about_as_much_is_received_as_was_asked_for(bed: &Bed) {
    let board = Switchboard::new(bed);
    board.open("a").await;
    for number in 0..50_u8 {
        board.send("a", Out, &[number; 10]).await;
    }
    let asked = Switchboard { max_bytes: 100, ..board };
    let mut after = 0;
    for _ in 0..5 {
        let page = asked.receive("a", Out, after).await.expect("it is there");
        assert_eq!(page.len(), 10);
        assert_eq!(page[0].0, after + 1);
        after = page[9].0;
        assert_eq!(page[9].1, [u8::try_from(after).expect("few") - 1; 10]);
    }
    assert_eq!(asked.receive("a", Out, after).await, text(&[]));
}

async fn any_bytes_are_carried_unchanged(bed: &Bed) {
    let board = Switchboard::new(bed);
    board.open("a").await;
    let every: Vec<u8> = (0..=255).collect();
    let portions = [Vec::new(), every, b"\x1e".to_vec(), vec![0; 3]];
    for portion in &portions {
        board.send("a", In, portion).await;
    }
    let received = board.receive("a", In, 0).await.expect("it is there");
    assert_eq!(received.into_iter().map(|(_, bytes)| bytes).collect::<Vec<_>>(), portions);
}

async fn of_many_that_send_at_once_each_has_a_number_of_its_own(bed: &Bed) {
    let board = Switchboard::new(bed);
    board.open("a").await;
    let send = |task: u8| {
        let board = board.clone();
        tokio::spawn(async move { (board.send("a", In, &[task]).await, task) })
    };
    let tasks: Vec<_> = (0..32).map(send).collect();
    let mut sent = Vec::new();
    for task in tasks {
        match task.await.expect("a task") {
            (Waiting(number), task) => sent.push((number, vec![task])),
            (other, _) => panic!("{other:?}"),
        }
    }
    sent.sort_unstable();
    assert_eq!(sent.iter().map(|(number, _)| *number).collect::<Vec<_>>(), (1..=32).collect::<Vec<_>>());
    assert_eq!(board.receive("a", In, 0).await, Some(sent));
}

async fn nothing_is_sent_over_what_is_over(bed: &Bed) {
    let board = Switchboard::new(bed);
    assert_eq!(board.send("a", In, b"1").await, Unknown);
    assert_eq!(board.receive("a", In, 0).await, None);
    board.open("a").await;
    board.send("a", In, b"1").await;
    let over = board.later(TTL_MS);
    assert_eq!(over.send("a", In, b"2").await, Unknown);
    assert_eq!(over.receive("a", In, 0).await, None);
    assert_eq!(board.receive("a", In, 0).await, text(&[(1, "1")]));
}

async fn sending_wakes_the_other_end(bed: &Bed) {
    let board = Switchboard::new(bed);
    board.open("a").await;
    let mut subscriber = Subscriber::on(bed).await;
    board.send("a", In, b"1").await;
    subscriber.woken(&board.topic("a"), "sending").await;
}
