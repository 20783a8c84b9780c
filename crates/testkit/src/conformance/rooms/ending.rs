//! What ends by itself.

use super::house::{House, TTL_MS};
use crate::conformance::waking::Subscriber;
use crate::conformance::{Bed, cases};
use mainstay_core::events::EnterOutcome;

cases! {
    ($) rooms_ending_tests, rooms::ending:
    a_connection_that_is_not_renewed_is_gone_at_its_time,
    what_is_over_makes_room_and_is_not_brought_back,
    a_membership_is_over_at_its_end,
    a_purge_removes_what_is_over_and_wakes,
    a_purge_removes_at_most_as_many_as_it_may,
}

async fn a_connection_that_is_not_renewed_is_gone_at_its_time(bed: &Bed) {
    let house = House::new(bed);
    house.enter("r", "ada", "c1").await;
    house.enter("r", "ada", "c2").await;
    let (last, over) = (house.later(TTL_MS - 1), house.later(TTL_MS));
    assert_eq!((last.occupants("r").await.len(), last.connections_of("ada").await), (2, 2));
    assert!(last.renew(&[("r", "c1")]).await.is_empty());
    assert_eq!((over.names("r").await, over.connections_of("ada").await), (vec!["ada/c1".into()], 1));
    assert_eq!(over.renew(&[("r", "c1"), ("r", "c2")]).await, [("r".into(), "c2".into())]);
    assert!(!over.leave("r", "c2").await, "it is gone");
    assert_eq!(over.names("r").await, ["ada/c1"]);
}

async fn what_is_over_makes_room_and_is_not_brought_back(bed: &Bed) {
    let house = House { most: 2, ..House::new(bed) };
    house.enter("r", "ada", "c1").await;
    house.enter("r", "bob", "c2").await;
    let over = house.later(TTL_MS);
    assert_eq!(over.renew(&[("r", "c1")]).await, [("r".into(), "c1".into())]);
    assert_eq!(over.enter("r", "ada", "c3").await, EnterOutcome::Joined, "her other connection is gone");
    assert_eq!(over.enter("r", "ada", "c1").await, EnterOutcome::Present);
    assert_eq!(over.enter("r", "bob", "c2").await, EnterOutcome::Full);
    let arrivals: Vec<_> = over.occupants("r").await.into_iter().map(|o| (o.connection, o.since)).collect();
    assert_eq!(arrivals, [("c1".into(), over.now), ("c3".into(), over.now)], "c1 came anew");
}

async fn a_membership_is_over_at_its_end(bed: &Bed) {
    let house = House::new(bed);
    house.admit("r", "ada", Some(1_000)).await;
    house.admit("r", "bob", None).await;
    assert!(house.later(999).membership("r", "ada").await.is_some());
    let over = house.later(1_000);
    assert_eq!(over.membership("r", "ada").await, None);
    assert_eq!(over.members("r").await, ["bob"]);
    assert_eq!(over.members_behind("r", None, 1).await, ["bob"], "a page is as full as it can be");
    assert!(!over.dismiss("r", "ada").await);
}

async fn a_purge_removes_what_is_over_and_wakes(bed: &Bed) {
    let window = bed.window().await;
    let houses = [House::at(bed, window.start), House::at(bed, window.start)];
    for house in &houses {
        house.enter("r", "ada", "c1").await;
        house.enter("s", "bob", "c2").await;
        house.admit("r", "ada", Some(TTL_MS)).await;
        house.admit("r", "bob", None).await;
    }
    assert_eq!(houses[0].later(TTL_MS - 1).purge().await, 0);
    houses[1].later(1).renew(&[("s", "c2")]).await;
    let mut subscriber = Subscriber::on(bed).await;
    let over = houses[0].later(TTL_MS);
    assert_eq!(over.purge().await, 5, "three connections and two memberships");
    subscriber.woken(&houses[1].topic(), "a purge").await;
    assert_eq!(over.purge().await, 0);
    assert_eq!(houses[1].names("r").await, [""; 0]);
    assert_eq!(houses[1].names("s").await, ["bob/c2"]);
    assert_eq!(houses[1].members("r").await, ["bob"]);
}

async fn a_purge_removes_at_most_as_many_as_it_may(bed: &Bed) {
    let window = bed.window().await;
    let house = House::at(bed, window.start);
    for number in 0..5 {
        house.enter("r", "ada", &format!("c{number}")).await;
        house.admit("r", &format!("user{number}"), Some(TTL_MS)).await;
    }
    let over = house.later(TTL_MS);
    let removed = over.store.purge(over.now, 2).await.expect("purge");
    assert!((1..=4).contains(&removed), "{removed} of at most two of each");
    assert_eq!(removed + over.purge().await, 10);
}
