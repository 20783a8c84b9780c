//! Coming, staying and going.

use super::house::{House, TTL_MS, occupant, stream};
use crate::conformance::mail::hostile::HOSTILE;
use crate::conformance::waking::Subscriber;
use crate::conformance::{Bed, cases};
use mainstay_core::events::{EnterOutcome, Occupant};

cases! {
    ($) rooms_occupancy_tests, rooms::occupancy:
    who_enters_is_in_the_room_with_what_it_says,
    a_member_joins_with_its_first_connection_and_leaves_with_its_last,
    who_is_there_is_listed_by_member_and_then_by_arrival,
    entering_again_renews_and_says_something_else,
    a_connection_that_becomes_another_members_leaves_the_first,
    a_room_that_is_full_takes_no_further_connection,
    of_many_that_enter_at_once_no_more_than_allowed_do,
    a_connection_is_counted_once_however_many_rooms_it_is_in,
    one_call_renews_in_many_rooms_and_names_what_was_gone,
    hostile_rooms_members_and_connections_are_names,
    streams_and_namespaces_do_not_see_each_other,
    joining_and_leaving_wake_who_watches_the_stream,
}

async fn who_enters_is_in_the_room_with_what_it_says(bed: &Bed) {
    let house = House::new(bed);
    let said = occupant("user:ada", "c1", Some(r#"{"state":"away","n":12345678901234567890.50}"#));
    assert_eq!(house.enter_saying("request:1", said.clone()).await, EnterOutcome::Joined);
    house.enter("request:1", "user:bob", "c2").await;
    let ada = Occupant { since: house.now, ..said };
    let bob = Occupant { since: house.now, ..occupant("user:bob", "c2", None) };
    assert_eq!(house.occupants("request:1").await, [ada, bob], "the digits of what was said stay");
    assert_eq!(house.occupants("request:2").await, []);
}

async fn a_member_joins_with_its_first_connection_and_leaves_with_its_last(bed: &Bed) {
    let house = House::new(bed);
    assert_eq!(house.enter("r", "ada", "c1").await, EnterOutcome::Joined);
    assert_eq!(house.enter("r", "ada", "c2").await, EnterOutcome::Present);
    assert_eq!(house.enter("r", "ada", "c1").await, EnterOutcome::Present, "it had arrived before");
    assert_eq!(house.enter("s", "ada", "c1").await, EnterOutcome::Joined, "another room");
    assert!(!house.leave("r", "c1").await, "c2 is there");
    assert!(!house.leave("r", "c1").await, "it had left");
    assert_eq!(house.names("r").await, ["ada/c2"]);
    assert!(house.leave("r", "c2").await);
    assert!(!house.leave("r", "c2").await);
    assert_eq!(house.names("r").await, [""; 0]);
    assert_eq!(house.names("s").await, ["ada/c1"]);
    assert_eq!(house.enter("r", "ada", "c3").await, EnterOutcome::Joined);
}

async fn who_is_there_is_listed_by_member_and_then_by_arrival(bed: &Bed) {
    let house = House::new(bed);
    for (later, who, connection) in [
        (3, "b", "c1"),
        (1, "b", "c2"),
        (2, "b c", "c3"),
        (1, "a~", "c4"),
        (1, "a ", "c5"),
        (2, "ä", "c6"),
        (1, "b", "c0"),
    ] {
        house.later(later).enter("r", who, connection).await;
    }
    let later = house.later(10);
    assert_eq!(later.names("r").await, ["a /c5", "a~/c4", "b/c0", "b/c2", "b/c1", "b c/c3", "ä/c6"]);
    let first = later.store.occupants(&later.room("r"), 2, later.now).await.expect("occupants");
    assert_eq!(first.iter().map(|o| o.connection.as_str()).collect::<Vec<_>>(), ["c5", "c4"]);
}

async fn entering_again_renews_and_says_something_else(bed: &Bed) {
    let house = House::new(bed);
    house.enter_saying("r", occupant("ada", "c1", Some("1"))).await;
    let later = house.later(TTL_MS - 1);
    assert_eq!(later.enter_saying("r", occupant("ada", "c1", Some("2"))).await, EnterOutcome::Present);
    let ada = Occupant { since: house.now, ..occupant("ada", "c1", Some("2")) };
    assert_eq!(later.later(TTL_MS - 1).occupants("r").await, [ada], "since it first came");
    assert_eq!(later.later(TTL_MS - 1).enter("r", "ada", "c1").await, EnterOutcome::Present);
    assert_eq!(later.occupants("r").await[0].info, None, "nothing is left of what was said before");
}

async fn a_connection_that_becomes_another_members_leaves_the_first(bed: &Bed) {
    let house = House { most: 1, ..House::new(bed) };
    house.enter("r", "ada", "c1").await;
    let later = house.later(5);
    assert_eq!(later.enter("r", "bob", "c1").await, EnterOutcome::Joined, "the room holds it already");
    assert_eq!(later.occupants("r").await, [Occupant { since: later.now, ..occupant("bob", "c1", None) }]);
    assert_eq!((later.connections_of("ada").await, later.connections_of("bob").await), (0, 1));
}

async fn a_room_that_is_full_takes_no_further_connection(bed: &Bed) {
    let house = House { most: 2, ..House::new(bed) };
    house.enter("r", "ada", "c1").await;
    house.enter("r", "ada", "c2").await;
    assert_eq!(house.enter("r", "ada", "c3").await, EnterOutcome::Full);
    assert_eq!(house.enter("r", "bob", "c4").await, EnterOutcome::Full);
    assert_eq!(house.enter("r", "ada", "c1").await, EnterOutcome::Present, "it is there");
    assert_eq!(house.enter("s", "bob", "c4").await, EnterOutcome::Joined, "each room has its own bound");
    assert_eq!(house.names("r").await, ["ada/c1", "ada/c2"]);
    assert_eq!(house.connections_of("bob").await, 1);
    house.leave("r", "c1").await;
    assert_eq!(house.enter("r", "bob", "c4").await, EnterOutcome::Joined);
}

async fn of_many_that_enter_at_once_no_more_than_allowed_do(bed: &Bed) {
    let house = House { most: 10, ..House::new(bed) };
    let enter = |task: u32| {
        let house = house.clone();
        tokio::spawn(async move { house.enter("r", &format!("user{}", task % 4), &format!("c{task}")).await })
    };
    let tasks: Vec<_> = (0..40).map(enter).collect();
    let (mut joined, mut full) = (0, 0);
    for task in tasks {
        match task.await.expect("a task") {
            EnterOutcome::Joined => joined += 1,
            EnterOutcome::Full => full += 1,
            EnterOutcome::Present => {}
        }
    }
    let occupants = house.occupants("r").await;
    let members: std::collections::BTreeSet<_> = occupants.iter().map(|occupant| &occupant.member).collect();
    assert_eq!((occupants.len(), full, joined), (10, 30, members.len()));
}

async fn a_connection_is_counted_once_however_many_rooms_it_is_in(bed: &Bed) {
    let house = House::new(bed);
    for (room, who, connection) in [("r", "ada", "c1"), ("s", "ada", "c1"), ("r", "ada", "c2"), ("r", "bob", "c3")] {
        house.enter(room, who, connection).await;
    }
    assert_eq!((house.connections_of("ada").await, house.connections_of("bob").await), (2, 1));
    assert_eq!(house.connections_of("nobody").await, 0);
    house.leave("r", "c1").await;
    assert_eq!(house.connections_of("ada").await, 2, "c1 is in s");
    house.leave("s", "c1").await;
    assert_eq!(house.connections_of("ada").await, 1);
}

async fn one_call_renews_in_many_rooms_and_names_what_was_gone(bed: &Bed) {
    let house = House::new(bed);
    let other = House { stream: stream("ticket"), ..house.clone() };
    house.enter("r", "ada", "c1").await;
    house.enter("s", "ada", "c1").await;
    other.enter("r", "ada", "c1").await;
    house.enter("r", "bob", "c2").await;
    let later = house.later(TTL_MS - 1);
    let mut held: Vec<_> = [("r", "c1"), ("s", "c1"), ("r", "c9"), ("s", "c2"), ("t", "c1")]
        .map(|(room, connection)| (later.room(room), connection.to_owned()))
        .to_vec();
    held.push((other.room("r"), "c1".to_owned()));
    held.push((other.room("r"), "c2".to_owned()));
    let mut gone = later.store.renew(&held, super::house::TTL, later.now).await.expect("renew");
    gone.sort();
    let mut expected = vec![held[2].clone(), held[3].clone(), held[4].clone(), held[6].clone()];
    expected.sort();
    assert_eq!(gone, expected);
    let much_later = house.later(2 * TTL_MS - 2);
    assert_eq!(
        (much_later.names("r").await, much_later.names("s").await),
        (vec!["ada/c1".into()], vec!["ada/c1".into()])
    );
    assert_eq!(much_later.connections_of("ada").await, 1);
    let other = House { now: much_later.now, ..other };
    assert_eq!((other.names("r").await.len(), other.connections_of("ada").await), (1, 1));
    assert!(house.renew(&[]).await.is_empty());
}

async fn hostile_rooms_members_and_connections_are_names(bed: &Bed) {
    let house = House::new(bed);
    let (room, member) = ("🦀".repeat(128), "🦀".repeat(200));
    let names: Vec<(&str, &str)> =
        HOSTILE.into_iter().map(|name| (name, name)).chain([(room.as_str(), member.as_str())]).collect();
    for (room, who) in &names {
        assert_eq!(house.enter(room, who, who).await, EnterOutcome::Joined, "{room:?}");
        assert_eq!(house.enter("all", who, who).await, EnterOutcome::Joined, "{room:?}");
    }
    for (room, who) in &names {
        assert_eq!(house.names(room).await, [format!("{who}/{who}")]);
        assert_eq!(house.connections_of(who).await, 1, "{who:?}");
        assert!(house.renew(&[(room, who), ("all", who)]).await.is_empty(), "{who:?}");
    }
    assert_eq!(house.occupants("all").await.len(), names.len());
    for (room, who) in &names {
        assert!(house.leave(room, who).await, "{room:?}");
        assert!(house.leave("all", who).await, "{room:?}");
        assert_eq!(house.connections_of(who).await, 0, "{who:?}");
    }
    assert_eq!(house.occupants("all").await, []);
}

async fn streams_and_namespaces_do_not_see_each_other(bed: &Bed) {
    let here = House::new(bed);
    let others = [House { stream: stream("ticket"), ..here.clone() }, House::new(bed)];
    here.enter("r", "ada", "c1").await;
    for other in &others {
        assert_eq!(other.occupants("r").await, []);
        assert_eq!(other.connections_of("ada").await, 0);
        assert!(!other.leave("r", "c1").await);
        assert_eq!(other.enter("r", "ada", "c1").await, EnterOutcome::Joined);
        assert!(other.leave("r", "c1").await);
    }
    assert_eq!(here.names("r").await, ["ada/c1"]);
}

async fn joining_and_leaving_wake_who_watches_the_stream(bed: &Bed) {
    let house = House::new(bed);
    let mut subscriber = Subscriber::on(bed).await;
    house.enter("r", "ada", "c1").await;
    subscriber.woken(&house.topic(), "joining").await;
    subscriber.settle().await;
    house.enter_saying("r", occupant("ada", "c1", Some("1"))).await;
    subscriber.woken(&house.topic(), "saying something else").await;
    subscriber.settle().await;
    house.leave("r", "c1").await;
    subscriber.woken(&house.topic(), "leaving").await;
}
