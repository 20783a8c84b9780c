//! Who may be in a room.

use super::house::{House, at, stream};
use crate::conformance::mail::hostile::HOSTILE;
use crate::conformance::waking::Subscriber;
use crate::conformance::{Bed, cases};
use mainstay_core::events::Membership;

cases! {
    ($) rooms_membership_tests, rooms::membership:
    who_is_admitted_is_a_member_until_it_is_dismissed,
    members_are_listed_by_name_page_by_page,
    an_admission_takes_the_place_of_an_earlier_one,
    a_room_has_no_more_members_than_it_may,
    of_many_that_are_admitted_at_once_no_more_than_allowed_are,
    hostile_members_are_members,
    members_of_one_stream_are_none_of_another,
    a_change_of_membership_wakes_who_watches_the_stream,
}

async fn who_is_admitted_is_a_member_until_it_is_dismissed(bed: &Bed) {
    let house = House::new(bed);
    assert_eq!(house.membership("r", "ada").await, None);
    assert!(house.admit("r", "ada", None).await);
    assert!(house.admit("r", "bob", Some(60_000)).await);
    assert_eq!(house.membership("r", "ada").await, Some(Membership { until: None }));
    assert_eq!(house.membership("r", "bob").await, Some(Membership { until: Some(at(house.now, 60_000)) }));
    assert_eq!(house.membership("s", "ada").await, None);
    assert_eq!(house.occupants("r").await, [], "a member is not there yet");
    assert!(house.dismiss("r", "ada").await);
    assert!(!house.dismiss("r", "ada").await, "it was none any more");
    assert!(!house.dismiss("s", "bob").await);
    assert_eq!(house.members("r").await, ["bob"]);
    assert!(house.dismiss("r", "bob").await);
    assert_eq!(house.members("r").await, [""; 0]);
}

async fn members_are_listed_by_name_page_by_page(bed: &Bed) {
    let house = House::new(bed);
    let names = ["B", "a", "a b", "a-b", "ab", "a~", "z", "ä"];
    for name in names.iter().rev() {
        house.admit("r", name, None).await;
    }
    assert_eq!(house.members("r").await, names, "by the bytes of the name");
    assert_eq!(house.members_behind("r", None, 3).await, names[..3]);
    assert_eq!(house.members_behind("r", Some("a b"), 3).await, names[3..6]);
    assert_eq!(house.members_behind("r", Some("a c"), 1).await, ["a-b"], "behind a name that nobody has");
    assert_eq!(house.members_behind("r", Some("ä"), 3).await, [""; 0]);
}

async fn an_admission_takes_the_place_of_an_earlier_one(bed: &Bed) {
    let house = House { most: 1, ..House::new(bed) };
    assert!(house.admit("r", "ada", None).await);
    assert!(house.admit("r", "ada", Some(1_000)).await, "it has its place already");
    assert_eq!(house.membership("r", "ada").await, Some(Membership { until: Some(at(house.now, 1_000)) }));
    assert_eq!(house.later(1_000).membership("r", "ada").await, None);
    assert!(house.admit("r", "ada", None).await);
    assert_eq!(house.later(1_000).membership("r", "ada").await, Some(Membership { until: None }));
}

async fn a_room_has_no_more_members_than_it_may(bed: &Bed) {
    let house = House { most: 2, ..House::new(bed) };
    assert!(house.admit("r", "ada", None).await);
    assert!(house.admit("r", "bob", Some(1_000)).await);
    assert!(!house.admit("r", "cyd", None).await);
    assert_eq!(house.membership("r", "cyd").await, None);
    assert!(house.admit("s", "cyd", None).await, "each room has its own bound");
    let later = house.later(1_000);
    assert!(later.admit("r", "cyd", None).await, "bob is none any more");
    assert!(!later.admit("r", "bob", None).await);
    assert_eq!(later.members("r").await, ["ada", "cyd"]);
}

async fn of_many_that_are_admitted_at_once_no_more_than_allowed_are(bed: &Bed) {
    let house = House { most: 7, ..House::new(bed) };
    let admit = |task: u32| {
        let house = house.clone();
        tokio::spawn(async move { house.admit("r", &format!("user{task}"), None).await })
    };
    let tasks: Vec<_> = (0..30).map(admit).collect();
    let mut admitted = 0;
    for task in tasks {
        admitted += usize::from(task.await.expect("a task"));
    }
    assert_eq!((admitted, house.members("r").await.len()), (7, 7));
}

async fn hostile_members_are_members(bed: &Bed) {
    let house = House::new(bed);
    let long = "🦀".repeat(200);
    let mut names: Vec<&str> = HOSTILE.into_iter().chain([long.as_str()]).collect();
    for name in &names {
        assert!(house.admit("r", name, None).await, "{name:?}");
    }
    names.sort_unstable();
    assert_eq!(house.members("r").await, names);
    for pair in names.windows(2) {
        assert_eq!(house.members_behind("r", Some(pair[0]), 1).await, [pair[1]]);
    }
    for name in names {
        assert!(house.membership("r", name).await.is_some(), "{name:?}");
        assert!(house.dismiss("r", name).await, "{name:?}");
    }
}

async fn members_of_one_stream_are_none_of_another(bed: &Bed) {
    let here = House::new(bed);
    here.admit("r", "ada", None).await;
    for other in [House { stream: stream("ticket"), ..here.clone() }, House::new(bed)] {
        assert_eq!(other.membership("r", "ada").await, None);
        assert!(!other.dismiss("r", "ada").await);
        assert_eq!(other.members("r").await, [""; 0]);
    }
    assert_eq!(here.members("r").await, ["ada"]);
}

async fn a_change_of_membership_wakes_who_watches_the_stream(bed: &Bed) {
    let house = House::new(bed);
    let mut subscriber = Subscriber::on(bed).await;
    house.admit("r", "ada", None).await;
    subscriber.woken(&house.topic(), "an admission").await;
    subscriber.settle().await;
    house.dismiss("r", "ada").await;
    subscriber.woken(&house.topic(), "a dismissal").await;
}
