//! Which provider is chosen, and that it is counted in the same step.

use super::house::{House, LEASE, abc, plain, provider_id, with};
use crate::conformance::{Bed, cases};
use mainstay_core::api::Timestamp;
use mainstay_core::api::providers::LeaseId;
use mainstay_core::providers::{
    Choice, Choose, Counters, Health, NoneFree, Outcome, Renew, SeededProvider, Sticky, Strategy, Traits,
};
use std::time::Duration;

cases! {
    ($) providers_choosing_tests, providers::choosing:
    by_score_old_and_unused_ones_come_first_and_fresh_ones_before_all,
    by_use_the_least_used_one_comes_first,
    by_time_the_one_that_rested_longest_comes_first_also_within_a_millisecond,
    in_turns_one_comes_after_the_other_in_the_order_of_the_pool,
    by_weight_turns_are_shared_and_spread,
    by_load_the_one_with_the_fewest_requests_for_its_weight_comes_first,
    by_priority_the_first_is_filled_before_the_next,
    a_session_stays_with_its_provider_while_it_may_be_chosen,
    what_may_not_be_chosen_is_counted_by_its_reason,
    a_choice_that_is_repeated_answers_the_same_and_counts_once,
    a_use_that_nobody_renews_ends_and_makes_room,
    what_never_reached_its_provider_is_not_counted,
    requests_through_several_nodes_at_once_are_counted_exactly,
    there_is_nothing_to_choose_where_there_is_no_pool,
}

fn used(id: &str, requests: u64, ago_ms: i64, now: Timestamp) -> SeededProvider {
    let used_at = Some(Timestamp::from_millis(now.as_millis() - ago_ms));
    SeededProvider { counters: Some(Counters { requests, used_at, ..Counters::default() }), ..plain(id) }
}

async fn by_score_old_and_unused_ones_come_first_and_fresh_ones_before_all(bed: &Bed) {
    let now = bed.now();
    // 100 requests are worth 1,000 s.
    let house =
        House::of(bed, Strategy::Score, vec![used("a", 100, 5_000_000, now), used("b", 0, 3_999_999, now)]).await;
    assert_eq!(house.choose("l1").await.provider.as_str(), "a");
    let checked = |ago| Some((Timestamp::from_millis(now.as_millis() - ago), None));
    let fresh =
        SeededProvider { health: Some(Health { checked: checked(119_999), ..Health::default() }), ..plain("z") };
    let stale =
        SeededProvider { health: Some(Health { checked: checked(120_000), ..Health::default() }), ..plain("y") };
    house.replace(vec![plain("m"), stale, fresh]).await;
    assert_eq!(house.turns(3).await, "zmy", "fresh, and then the smaller id of two that were never used");
}

async fn by_use_the_least_used_one_comes_first(bed: &Bed) {
    let now = bed.now();
    let house = House::of(bed, Strategy::LeastUsed, vec![used("a", 2, 9, now), used("b", 0, 1, now), plain("c")]).await;
    assert_eq!(house.turns(6).await, "cbcbac");
}

async fn by_time_the_one_that_rested_longest_comes_first_also_within_a_millisecond(bed: &Bed) {
    let house = House::of(bed, Strategy::LeastRecentlyUsed, abc()).await;
    let mut order = String::new();
    for number in 0..7 {
        order.push_str(house.choose(&format!("l{number}")).await.provider.as_str());
    }
    assert_eq!(order, "abcabca");
}

async fn in_turns_one_comes_after_the_other_in_the_order_of_the_pool(bed: &Bed) {
    let house = House::of(bed, Strategy::RoundRobin, ["c", "a", "b"].map(plain).into()).await;
    assert_eq!(house.turns(5).await, "cabca");
    let except = Choose { except: vec![provider_id("b")], ..house.ask("x") };
    assert_eq!(house.choose_by(except).await.provider.as_str(), "c");
}

async fn by_weight_turns_are_shared_and_spread(bed: &Bed) {
    let heavy = |id, weight| with(id, Traits { weight, ..Traits::default() });
    let house = House::of(bed, Strategy::Weighted, vec![heavy("a", 4), heavy("b", 2), plain("c")]).await;
    let turns = house.turns(14).await;
    assert_eq!(turns, "abcaabaabcaaba");
}

async fn by_load_the_one_with_the_fewest_requests_for_its_weight_comes_first(bed: &Bed) {
    let twice = with("a", Traits { weight: 2, ..Traits::default() });
    let house = House::of(bed, Strategy::LeastInFlight, vec![twice, plain("b")]).await;
    let mut order = String::new();
    for number in 0..6 {
        order.push_str(house.choose(&format!("l{number}")).await.provider.as_str());
    }
    assert_eq!(order, "ababaa", "two for one, and then the one that rested longer");
    assert_eq!((house.provider("a").await.in_flight, house.provider("b").await.in_flight), (4, 2));
    house.finish("l1", Outcome::Success).await;
    assert_eq!(house.choose("l7").await.provider.as_str(), "b");
}

async fn by_priority_the_first_is_filled_before_the_next(bed: &Bed) {
    let of = |id, priority, max_in_flight| with(id, Traits { priority, max_in_flight, ..Traits::default() });
    let house = House::of(bed, Strategy::Priority, vec![of("a", 2, 0), of("b", 1, 2), of("c", 1, 1)]).await;
    let mut order = String::new();
    for number in 0..5 {
        order.push_str(house.choose(&format!("l{number}")).await.provider.as_str());
    }
    assert_eq!(order, "bcbaa");
}

async fn a_session_stays_with_its_provider_while_it_may_be_chosen(bed: &Bed) {
    let house = House::of(bed, Strategy::RoundRobin, abc()).await;
    let of = |house: &House, lease: &str| {
        let sticky = Some(Sticky { key: "a:b {c}*".into(), ttl: Duration::from_secs(60) });
        Choose { sticky, ..house.ask(lease) }
    };
    let first = house.choose_by(of(&house, "l1")).await.provider;
    assert_eq!(house.choose("l2").await.provider.as_str(), "b");
    let later = house.later(50_000);
    assert_eq!(later.choose_by(of(&later, "l3")).await.provider, first);
    let later = house.later(100_000);
    assert_eq!(later.choose_by(of(&later, "l4")).await.provider, first, "each use prolongs it");
    let except = Choose { except: vec![first.clone()], ..of(&later, "l5") };
    let second = later.choose_by(except).await.provider;
    assert_ne!(second, first);
    assert_eq!(later.choose_by(of(&later, "l6")).await.provider, second, "it stays where it went");
    let over = house.later(160_000);
    assert_eq!(over.choose_by(of(&over, "l7")).await.provider.as_str(), "c", "at its end it is over");
}

async fn what_may_not_be_chosen_is_counted_by_its_reason(bed: &Bed) {
    let retry_at = Timestamp::from_millis(bed.now().as_millis() + 5_000);
    let sick = Health { unhealthy: true, retry_at: Some(retry_at), ..Health::default() };
    let house = House::of(
        bed,
        Strategy::Score,
        vec![
            with("a", Traits { disabled: true, ..Traits::default() }),
            with("b", Traits { excluded_models: vec!["gpt 4%".into()], ..Traits::default() }),
            SeededProvider { health: Some(sick), ..plain("c") },
            with("d", Traits { max_in_flight: 1, ..Traits::default() }),
        ],
    )
    .await;
    let model = |lease: &str| Choose { model: Some("gpt 4%".into()), ..house.ask(lease) };
    assert_eq!(house.choose_by(model("l1")).await.provider.as_str(), "d");
    let none = house.none(model("l2")).await;
    let mut expected =
        NoneFree { providers: 4, disabled: 1, without_model: 1, unhealthy: 1, full: 1, ..NoneFree::default() };
    expected.retry_at = Some(retry_at);
    assert_eq!(none, expected);
    let except = Choose { except: vec![provider_id("a"), provider_id("b")], ..house.ask("l3") };
    let none = house.none(except).await;
    assert_eq!((none.disabled, none.excepted, none.without_model), (1, 1, 0));
    let prefix = Choose { model: Some("gpt".into()), ..house.ask("l4") };
    assert_eq!(house.choose_by(prefix).await.provider.as_str(), "b", "another model is not a part of its name");
}

async fn a_choice_that_is_repeated_answers_the_same_and_counts_once(bed: &Bed) {
    let house = House::of(bed, Strategy::RoundRobin, abc()).await;
    let first = house.choose("l1").await;
    for _ in 0..3 {
        assert_eq!(house.later(7).choose("l1").await, first);
    }
    let provider = house.provider("a").await;
    assert_eq!((provider.counters.requests, provider.counters.used_at, provider.in_flight), (1, Some(house.now), 1));
    assert_eq!(house.finish("l1", Outcome::Success).await.applied, 1);
    for _ in 0..2 {
        assert_eq!(house.finish("l1", Outcome::Unsent).await.applied, 0, "what is over changes nothing");
    }
    assert_eq!(house.provider("a").await.counters.requests, 1);
}

async fn a_use_that_nobody_renews_ends_and_makes_room(bed: &Bed) {
    let one = with("a", Traits { max_in_flight: 1, ..Traits::default() });
    let house = House::of(bed, Strategy::Score, vec![one]).await;
    house.choose("dead").await;
    let lease = i64::try_from(LEASE.as_millis()).expect("small");
    assert_eq!(house.later(lease - 1).none(house.later(lease - 1).ask("l2")).await.full, 1);
    let renew = |lease: &str, at: &House| Renew {
        pool: house.name.clone(),
        leases: vec![LeaseId::parse(lease).expect("a lease")],
        lease_for: LEASE,
        now: at.now,
    };
    house.store.renew(renew("dead", &house.later(10))).await.expect("renew");
    assert_eq!(house.later(lease).none(house.later(lease).ask("l2")).await.full, 1);
    let over = house.later(lease + 10);
    assert_eq!(over.provider("a").await.in_flight, 0);
    house.store.renew(renew("dead", &over)).await.expect("renew");
    assert_eq!(over.choose("l2").await.provider.as_str(), "a", "what is over stays over");
    assert_eq!(over.finish("dead", Outcome::Success).await.applied, 0);
    assert_eq!((over.provider("a").await.counters.requests, over.provider("a").await.in_flight), (2, 1));
}

async fn what_never_reached_its_provider_is_not_counted(bed: &Bed) {
    let house = House::of(bed, Strategy::Score, vec![plain("a")]).await;
    for (lease, outcome) in [("l1", Outcome::Unsent), ("l2", Outcome::Neutral), ("l3", Outcome::Success)] {
        house.choose(lease).await;
        house.finish(lease, outcome).await;
    }
    let provider = house.provider("a").await;
    assert_eq!((provider.counters.requests, provider.counters.errors, provider.in_flight), (2, 0, 0));
    assert_eq!(provider.counters.sequence, 3);
}

async fn requests_through_several_nodes_at_once_are_counted_exactly(bed: &Bed) {
    let house = House::of(bed, Strategy::LeastUsed, abc()).await;
    let nodes = (0..4).map(|node| {
        let house = house.clone();
        tokio::spawn(async move {
            for number in 0..30 {
                let lease = format!("n{node}-{number}");
                house.choose(&lease).await;
                house.finish(&lease, Outcome::Success).await;
            }
        })
    });
    for node in futures::future::join_all(nodes).await {
        node.expect("a node");
    }
    let counts: Vec<u64> = house.pool().await.providers.iter().map(|provider| provider.counters.requests).collect();
    assert_eq!(counts, [40, 40, 40]);
}

async fn there_is_nothing_to_choose_where_there_is_no_pool(bed: &Bed) {
    let house = House::new(bed);
    assert_eq!(house.store.choose(house.ask("l1")).await.expect("choose"), Choice::NoPool);
    assert_eq!(house.finish("l1", Outcome::Success).await.applied, 0);
}
