//! Whose turn a check is.

use super::house::{House, failed, plain, provider_id, with};
use crate::conformance::{Bed, cases};
use mainstay_core::api::providers::PoolType;
use mainstay_core::providers::{
    BreakerState, CheckClaim, Checked, ClaimCheck, Failure, FailureClass, Outcome, PoolName, StandBreaker, Strategy,
    Traits,
};
use std::time::Duration;

cases! {
    ($) providers_checking_tests, providers::checking:
    of_all_nodes_one_makes_a_check_in_its_time,
    a_provider_that_is_to_be_left_alone_is_not_checked,
    a_clock_that_was_wrong_does_not_end_checks,
    pools_of_all_namespaces_are_listed_in_pages,
}

/// How long checks are apart.
const EVERY: Duration = Duration::from_secs(30);

async fn claim(house: &House, id: &str) -> CheckClaim {
    let (pool, provider) = (house.name.clone(), provider_id(id));
    house.store.claim_check(ClaimCheck { pool, provider, every: EVERY, now: house.now }).await.expect("claim")
}

fn not_before(house: &House) -> CheckClaim {
    CheckClaim::NotBefore(house.now)
}

async fn of_all_nodes_one_makes_a_check_in_its_time(bed: &Bed) {
    let house = House::new(bed);
    assert_eq!(claim(&house, "a").await, CheckClaim::NotFound, "no pool");
    house.replace(vec![plain("a"), plain("b")]).await;
    assert_eq!(claim(&house, "c").await, CheckClaim::NotFound);
    let claims = futures::future::join_all((0..8).map(|_| claim(&house, "a"))).await;
    assert_eq!(claims.iter().filter(|claim| **claim == CheckClaim::Granted).count(), 1, "{claims:?}");
    assert!(claims.contains(&not_before(&house.later(30_000))), "{claims:?}");
    assert_eq!(claim(&house, "b").await, CheckClaim::Granted, "each provider for itself");
    assert_eq!(claim(&house.later(29_999), "a").await, not_before(&house.later(30_000)));
    assert_eq!(claim(&house.later(30_000), "a").await, CheckClaim::Granted);
    house.replace(vec![plain("a")]).await;
    assert_eq!(
        claim(&house.later(30_001), "a").await,
        not_before(&house.later(60_000)),
        "it is still the same provider"
    );
}

async fn a_provider_that_is_to_be_left_alone_is_not_checked(bed: &Bed) {
    let disabled = with("off", Traits { disabled: true, ..Traits::default() });
    let house = House::of(bed, Strategy::Score, vec![plain("a"), plain("b"), disabled]).await;
    assert_eq!(claim(&house, "off").await, not_before(&house.later(30_000)));
    let stand = |state| StandBreaker {
        pool: house.name.clone(),
        provider: provider_id("a"),
        state,
        reason: "maintenance".into(),
        now: house.now,
    };
    house.store.stand(stand(BreakerState::ForcedOpen)).await.expect("stand");
    assert_eq!(claim(&house, "a").await, not_before(&house.later(30_000)));
    house.store.stand(stand(BreakerState::Closed)).await.expect("stand");
    let mut house = house;
    house.rules.breaker.max_errors = 1;
    let check = |outcome| Checked {
        pool: house.name.clone(),
        provider: provider_id("a"),
        node: "n1".into(),
        model: None,
        outcome,
        rules: house.rules,
        now: house.now,
    };
    house.store.checked(check(Outcome::Failed(failed(FailureClass::Server)))).await.expect("check");
    assert_eq!(claim(&house, "a").await, not_before(&house.later(60_000)), "until the circuit is probed");
    let due = house.later(60_000);
    assert_eq!(claim(&due, "a").await, CheckClaim::Granted);
    let wish = Some(house.later(900_000).now);
    let limited = Failure { counts: false, retry_at: wish, ..failed(FailureClass::RateLimited) };
    house
        .store
        .checked(Checked { provider: provider_id("b"), ..check(Outcome::Failed(limited)) })
        .await
        .expect("check");
    assert_eq!(claim(&due, "b").await, not_before(&house.later(900_000)), "as it asked");
    assert_eq!(claim(&house.later(900_000), "b").await, CheckClaim::Granted);
}

async fn a_clock_that_was_wrong_does_not_end_checks(bed: &Bed) {
    let house = House::of(bed, Strategy::Score, vec![plain("a")]).await;
    assert_eq!(claim(&house.later(20_000), "a").await, CheckClaim::Granted);
    assert_eq!(claim(&house, "a").await, not_before(&house.later(50_000)), "clocks differ a little");
    assert_eq!(claim(&house.later(9_000_000), "a").await, CheckClaim::Granted);
    assert_eq!(claim(&house, "a").await, CheckClaim::Granted);
}

async fn pools_of_all_namespaces_are_listed_in_pages(bed: &Bed) {
    let mut house = House::new(bed);
    for pool in ["b", "a"] {
        house.name = PoolName { namespace: house.name.namespace.clone(), pool: PoolType::parse(pool).expect("a type") };
        house.replace(vec![plain("p")]).await;
    }
    let mut listed: Vec<PoolName> = Vec::new();
    // Other cases have pools as well.
    for _ in 0..1_000 {
        let page = house.store.everywhere(listed.last(), 2).await.expect("list");
        assert!(page.len() <= 2);
        let last = page.is_empty();
        listed.extend(page);
        if last {
            break;
        }
    }
    let mine: Vec<&str> =
        listed.iter().filter(|name| name.namespace == house.name.namespace).map(|name| name.pool.as_str()).collect();
    assert_eq!(mine, ["a", "b"]);
}
