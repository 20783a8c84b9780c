//! Health and circuits.

use super::house::{House, abc, failed, plain, provider_id};
use crate::conformance::waking::Subscriber;
use crate::conformance::{Bed, cases};
use mainstay_core::Topic;
use mainstay_core::api::Timestamp;
use mainstay_core::api::providers::PoolType;
use mainstay_core::providers::{
    AddCounts, BreakerState, Checked, CountsOf, Failure, FailureClass, Finished, Outcome, PoolName, StandBreaker,
    Strategy, Transition,
};
use std::time::Duration;

cases! {
    ($) providers_judging_tests, providers::judging:
    failures_in_a_row_make_a_provider_unhealthy_until_one_request_shows_that_it_recovered,
    failures_that_lie_further_apart_than_the_window_count_anew,
    a_failure_condemns_at_once_and_says_when_to_come_back,
    a_credential_that_must_be_refreshed_keeps_its_provider_out,
    failures_of_the_server_open_the_circuit_which_closes_through_half_open,
    one_node_alone_cannot_open_the_circuit_of_a_quorum,
    slow_answers_for_long_make_the_circuit_half_open,
    a_circuit_that_was_forced_open_stays_so_until_somebody_closes_it,
    a_check_shows_that_a_provider_has_recovered,
    a_circuit_that_changes_wakes_those_who_watch_the_pool,
    counts_that_were_made_elsewhere_are_added_once,
}

fn broken(class: FailureClass) -> Outcome {
    Outcome::Failed(failed(class))
}

/// Uses the provider, and ends as told.
async fn go(house: &House, lease: &str, outcome: Outcome) -> Finished {
    house.choose(lease).await;
    house.finish(lease, outcome).await
}

async fn alone(bed: &Bed) -> House {
    House::of(bed, Strategy::Score, vec![plain("a")]).await
}

fn at(house: &House) -> Option<Timestamp> {
    Some(house.now)
}

async fn failures_in_a_row_make_a_provider_unhealthy_until_one_request_shows_that_it_recovered(bed: &Bed) {
    let mut house = alone(bed).await;
    house.rules.health.max_failures = 3;
    house.rules.breaker.max_errors = 0;
    for lease in ["l1", "l2"] {
        go(&house, lease, broken(FailureClass::Server)).await;
    }
    go(&house, "l3", Outcome::Success).await;
    assert_eq!(house.provider("a").await.health.failures, 0, "in a row");
    for lease in ["l4", "l5", "l6"] {
        assert!(!house.provider("a").await.health.unhealthy);
        go(&house, lease, broken(FailureClass::Server)).await;
    }
    let sick = house.provider("a").await;
    assert_eq!((sick.health.unhealthy, sick.health.failures, sick.counters.errors), (true, 3, 5));
    assert_eq!(sick.health.last_failure, Some((house.now, failed(FailureClass::Server).message)));
    assert_eq!(sick.health.retry_at, at(&house.later(60_000)));
    assert_eq!(house.none(house.ask("l7")).await.unhealthy, 1);
    let later = house.later(60_000);
    assert!(later.choose("probe").await.probe);
    assert_eq!(later.none(later.ask("l8")).await.unhealthy, 1, "one request at a time");
    later.finish("probe", broken(FailureClass::Server)).await;
    assert_eq!(later.provider("a").await.health.retry_at, at(&later.later(60_000)));
    let later = later.later(60_000);
    later.choose("again").await;
    later.finish("again", Outcome::Success).await;
    let well = later.provider("a").await.health;
    assert_eq!((well.unhealthy, well.failures, well.retry_at), (false, 0, None));
    assert!(!later.choose("l9").await.probe);
}

async fn failures_that_lie_further_apart_than_the_window_count_anew(bed: &Bed) {
    let mut house = alone(bed).await;
    house.rules.breaker.max_errors = 0;
    go(&house, "l1", broken(FailureClass::Server)).await;
    go(&house.later(10_000), "l2", broken(FailureClass::Server)).await;
    assert_eq!(house.provider("a").await.health.failures, 2);
    go(&house.later(20_001), "l3", broken(FailureClass::Server)).await;
    assert_eq!(house.provider("a").await.health.failures, 1);
    let uncounted = Outcome::Failed(Failure { counts: false, ..failed(FailureClass::RateLimited) });
    go(&house.later(20_001), "l4", uncounted).await;
    let provider = house.provider("a").await;
    assert_eq!((provider.health.failures, provider.counters.errors), (1, 4));
}

async fn a_failure_condemns_at_once_and_says_when_to_come_back(bed: &Bed) {
    let house = House::of(bed, Strategy::RoundRobin, vec![plain("a"), plain("b")]).await;
    let back = at(&house.later(900_000));
    let limited = Failure { counts: false, retry_at: back, ..failed(FailureClass::RateLimited) };
    go(&house, "l1", Outcome::Failed(limited)).await;
    let health = house.provider("a").await.health;
    assert_eq!((health.unhealthy, health.retry_at), (false, back));
    let spent = Failure { condemns: true, retry_at: back, ..failed(FailureClass::PaymentRequired) };
    go(&house, "l2", Outcome::Failed(spent)).await;
    let health = house.provider("b").await.health;
    assert_eq!((health.unhealthy, health.retry_at), (true, back));
    let none = house.none(house.ask("l3")).await;
    assert_eq!((none.unhealthy, none.retry_at), (2, back));
    let later = house.later(900_000);
    let chosen = later.choose("l4").await;
    assert_eq!((chosen.provider.as_str(), chosen.probe), ("b", true), "to see comes before the others");
    assert!(!later.choose("l5").await.probe);
}

async fn a_credential_that_must_be_refreshed_keeps_its_provider_out(bed: &Bed) {
    let house = alone(bed).await;
    let unauthorized = Failure { needs_refresh: true, counts: false, ..failed(FailureClass::Unauthorized) };
    go(&house, "l1", Outcome::Failed(unauthorized)).await;
    assert!(house.provider("a").await.health.needs_refresh);
    let none = house.later(9_000_000).none(house.later(9_000_000).ask("l2")).await;
    assert_eq!((none.unhealthy, none.retry_at), (1, None));
}

async fn failures_of_the_server_open_the_circuit_which_closes_through_half_open(bed: &Bed) {
    let mut house = alone(bed).await;
    (house.rules.breaker.successes_to_close, house.rules.breaker.sample) = (2, 3);
    go(&house, "l1", broken(FailureClass::Server)).await;
    go(&house.later(1), "l2", broken(FailureClass::Network)).await;
    go(&house.later(2), "l3", broken(FailureClass::RateLimited)).await;
    let third = house.later(60_000);
    assert_eq!(
        go(&third, "l4", broken(FailureClass::Server)).await.transitions,
        [],
        "the first is no longer within 60 s"
    );
    let told = go(&third, "l5", broken(FailureClass::Server)).await.transitions;
    let (closed, open, half) = (BreakerState::Closed, BreakerState::Open, BreakerState::HalfOpen);
    let step = |from, to, reason: &str| Transition { provider: provider_id("a"), from, to, reason: reason.into() };
    assert_eq!(told, [step(closed, open, "3 failures within 60000 ms")]);
    let breaker = third.provider("a").await.breaker;
    assert_eq!((breaker.state, breaker.since, breaker.probe_at), (open, at(&third), at(&third.later(60_000))));
    assert_eq!(third.none(third.ask("l6")).await.open, 1);
    let due = third.later(60_000);
    assert!(due.choose("p1").await.probe);
    assert_eq!(due.none(due.ask("l7")).await.open, 1, "one probe at a time");
    assert_eq!(due.finish("p1", broken(FailureClass::Network)).await.transitions, []);
    let breaker = due.provider("a").await.breaker;
    assert_eq!((breaker.since, breaker.probe_at), (at(&third), at(&due.later(60_000))));
    let due = due.later(60_000);
    due.choose("p2").await;
    assert_eq!(due.finish("p2", Outcome::Success).await.transitions, [step(open, half, "a probe succeeded")]);
    assert!(due.choose("p3").await.probe);
    for lease in ["l8", "l9"] {
        assert_eq!(due.none(due.ask(lease)).await.open, 1, "one in three");
    }
    assert!(due.choose("p4").await.probe);
    assert_eq!(due.finish("p3", Outcome::Success).await.transitions, [step(half, closed, "probes succeeded")]);
    assert!(!due.choose("l10").await.probe);
    assert_eq!(due.finish("p4", broken(FailureClass::Server)).await.transitions, []);
}

async fn one_node_alone_cannot_open_the_circuit_of_a_quorum(bed: &Bed) {
    let mut house = alone(bed).await;
    (house.rules.breaker.quorum, house.rules.health.max_failures) = (2, 0);
    for number in 0..6 {
        go(&house, &format!("l{number}"), broken(FailureClass::Server)).await;
    }
    assert_eq!(house.provider("a").await.breaker.state, BreakerState::Closed);
    house.node = "n 2;";
    go(&house, "other", broken(FailureClass::Server)).await;
    assert_eq!(house.provider("a").await.breaker.state, BreakerState::Open);
}

async fn slow_answers_for_long_make_the_circuit_half_open(bed: &Bed) {
    let mut house = alone(bed).await;
    house.rules.breaker.min_answers = 4;
    let (slow, fast) = (Some(Duration::from_millis(3_001)), Some(Duration::from_secs(3)));
    for (number, took) in (0..).zip([slow, slow, slow, fast, slow]) {
        let (step, lease) = (house.later(number * 10_000), format!("l{number}"));
        step.choose(&lease).await;
        assert_eq!(step.finish_after(&lease, Outcome::Success, took).await.transitions, [], "not for 2 min");
    }
    let last = house.later(120_000);
    last.choose("last").await;
    let told = last.finish_after("last", Outcome::Success, fast).await.transitions;
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].to, told[0].reason.as_str()), (BreakerState::HalfOpen, "answers take longer than 3000 ms"));
    let breaker = last.provider("a").await.breaker;
    assert_eq!((breaker.state, breaker.since, breaker.probe_at), (BreakerState::HalfOpen, at(&last), None));
}

async fn a_circuit_that_was_forced_open_stays_so_until_somebody_closes_it(bed: &Bed) {
    let house = alone(bed).await;
    let stand = |id: &str, state| StandBreaker {
        pool: house.name.clone(),
        provider: provider_id(id),
        state,
        reason: "maintenance".into(),
        now: house.now,
    };
    let set = |id: &'static str, state| house.store.stand(stand(id, state));
    assert_eq!(set("none", BreakerState::ForcedOpen).await.expect("stand"), None);
    house.choose("l1").await;
    assert_eq!(set("a", BreakerState::ForcedOpen).await.expect("stand"), Some(BreakerState::Closed));
    house.finish("l1", Outcome::Success).await;
    let later = house.later(9_000_000);
    assert_eq!(later.none(later.ask("l2")).await.open, 1);
    let breaker = later.provider("a").await.breaker;
    assert_eq!((breaker.state, breaker.reason.as_deref()), (BreakerState::ForcedOpen, Some("maintenance")));
    let again = StandBreaker { now: later.now, ..stand("a", BreakerState::ForcedOpen) };
    assert_eq!(house.store.stand(again).await.expect("stand"), Some(BreakerState::ForcedOpen));
    assert_eq!(later.provider("a").await.breaker.since, at(&house), "to say so again is no change");
    assert_eq!(set("a", BreakerState::Closed).await.expect("stand"), Some(BreakerState::ForcedOpen));
    assert!(!later.choose("l2").await.probe);
    assert_eq!(later.provider("a").await.breaker.reason, None);
}

async fn a_check_shows_that_a_provider_has_recovered(bed: &Bed) {
    let house = alone(bed).await;
    let check = |house: &House, id: &str, outcome| Checked {
        pool: house.name.clone(),
        provider: provider_id(id),
        node: "n1".into(),
        model: Some("gpt".into()),
        outcome,
        rules: house.rules,
        now: house.now,
    };
    let failure = Failure { condemns: true, ..failed(FailureClass::Server) };
    let told = house.store.checked(check(&house, "a", Outcome::Failed(failure))).await.expect("check");
    assert_eq!(told.applied, 1);
    let sick = house.provider("a").await;
    assert!(sick.health.unhealthy);
    assert_eq!((sick.counters.errors, sick.counters.requests), (0, 0), "a check is no request");
    let later = house.later(5);
    later.store.checked(check(&later, "a", Outcome::Success)).await.expect("check");
    let health = later.provider("a").await.health;
    assert_eq!((health.unhealthy, health.checked), (false, Some((later.now, Some("gpt".into())))));
    assert_eq!(house.store.checked(check(&house, "none", Outcome::Success)).await.expect("check").applied, 0);
}

async fn a_circuit_that_changes_wakes_those_who_watch_the_pool(bed: &Bed) {
    let mut house = House::of(bed, Strategy::Score, abc()).await;
    house.rules.breaker.max_errors = 1;
    let mut subscriber = Subscriber::on(bed).await;
    go(&house, "l1", broken(FailureClass::Server)).await;
    let topic = Topic::Pool(house.name.namespace.clone(), house.name.pool.clone());
    subscriber.woken(&topic, "a circuit").await;
}

async fn counts_that_were_made_elsewhere_are_added_once(bed: &Bed) {
    let house = alone(bed).await;
    go(&house, "l1", broken(FailureClass::Server)).await;
    let late = house.later(5_000).now;
    let counts = |requests, errors, used_at| CountsOf {
        provider: provider_id("a"),
        requests,
        errors,
        used_at: Some(used_at),
        failed_at: Some(used_at),
    };
    let gone = CountsOf { provider: provider_id("gone"), ..counts(9, 9, late) };
    let add = |memo: &str, counts| AddCounts {
        pool: house.name.clone(),
        memo: memo.into(),
        counts: vec![counts, gone.clone()],
        now: late,
    };
    for _ in 0..2 {
        assert!(house.store.add_counts(add("m1", counts(40, 2, late))).await.expect("add"));
    }
    let counted = house.provider("a").await.counters;
    assert_eq!((counted.requests, counted.errors), (41, 3));
    assert_eq!((counted.used_at, counted.failed_at), (Some(late), Some(late)));
    assert!(house.store.add_counts(add("m2", counts(-50, 0, house.now))).await.expect("add"));
    let counted = house.provider("a").await.counters;
    assert_eq!((counted.requests, counted.errors, counted.used_at), (0, 3, Some(late)), "never below none, never back");
    let nowhere = PoolName { pool: PoolType::parse("nowhere").expect("a type"), ..house.name.clone() };
    let add = AddCounts { pool: nowhere, ..add("m3", counts(1, 0, late)) };
    assert!(!house.store.add_counts(add).await.expect("add"));
}
