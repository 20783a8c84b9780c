//! Letting requests in, and not.

use super::desk::{Desk, FLIGHT_MS, lease, spent};
use crate::conformance::{Bed, cases};
use mainstay_core::api::Timestamp;
use mainstay_core::providers::keys::{
    Admission, KeyLimits, KeyOutcome, KeyRecord, Limit, Period, Refusal, Reserve, Tally, start_of_day,
};

cases! {
    ($) gateway_keys_admitting_tests, gateway_keys::admitting:
    a_key_that_nobody_has_is_unknown,
    a_key_that_is_disabled_or_over_lets_nobody_in,
    a_minute_holds_so_many_requests_wherever_it_begins,
    a_minute_holds_so_many_tokens_and_settling_corrects_them,
    a_request_larger_than_a_minute_waits_for_an_empty_one,
    a_day_holds_so_many_requests_and_then_those_beyond_are_used_once,
    so_many_requests_are_in_flight_until_their_time_is_over,
    a_budget_is_not_exceeded_by_what_is_reserved,
    a_budget_begins_anew_with_its_period,
    a_repetition_is_let_in_once,
    what_is_refused_counts_nothing,
    what_is_withdrawn_was_never_there,
    a_reservation_that_nobody_settles_stays_counted,
    of_many_at_once_as_many_are_let_in_as_may_be,
    of_many_at_once_no_more_is_reserved_than_the_budget,
}

fn limited(limit: Limit, retry_ms: i64) -> Option<Refusal> {
    Some(Refusal::Limited { limit, retry_at: Timestamp::from_millis(retry_ms) })
}

async fn a_key_that_nobody_has_is_unknown(bed: &Bed) {
    assert_eq!(Desk::new(bed).ask("r1", Reserve::default()).await, Admission::Unknown);
}

async fn a_key_that_is_disabled_or_over_lets_nobody_in(bed: &Bed) {
    let desk = Desk::new(bed);
    let record = KeyRecord { disabled: true, ..desk.record("gwk-1", KeyLimits::default()) };
    desk.create(record).await;
    assert_eq!(desk.admit("r1", 1, 1).await, Some(Refusal::Disabled));
    let desk = Desk::new(bed);
    let record = KeyRecord { expires_at: Some(desk.later(5).now), ..desk.record("gwk-1", KeyLimits::default()) };
    desk.create(record).await;
    assert_eq!(desk.later(4).admit("r1", 1, 1).await, None);
    assert_eq!(desk.later(5).admit("r2", 1, 1).await, Some(Refusal::Expired));
}

async fn a_minute_holds_so_many_requests_wherever_it_begins(bed: &Bed) {
    let desk = Desk::with(bed, KeyLimits { requests_per_minute: Some(2), ..KeyLimits::default() }).await;
    let start = desk.now.as_millis();
    assert_eq!(desk.admit("r1", 0, 0).await, None);
    assert_eq!(desk.later(30_000).admit("r2", 0, 0).await, None);
    let full = desk.later(59_999).admit("r3", 0, 0).await;
    assert_eq!(full, limited(Limit::RequestsPerMinute, start + 60_000));
    assert_eq!(desk.later(60_000).admit("r3", 0, 0).await, None, "the first one left the window");
    let full = desk.later(60_001).admit("r4", 0, 0).await;
    assert_eq!(full, limited(Limit::RequestsPerMinute, start + 90_000));
    desk.later(60_002).settle(desk.later(60_002).settlement("r3", spent(0, 0, 0))).await;
    assert!(
        desk.later(60_003).admit("r4", 0, 0).await.is_some(),
        "a request that is over was in the minute all the same"
    );
}

async fn a_minute_holds_so_many_tokens_and_settling_corrects_them(bed: &Bed) {
    let desk = Desk::with(bed, KeyLimits { tokens_per_minute: Some(100), ..KeyLimits::default() }).await;
    let start = desk.now.as_millis();
    assert_eq!(desk.admit("r1", 60, 0).await, None);
    assert_eq!(desk.admit("r2", 41, 0).await, limited(Limit::TokensPerMinute, start + 60_000));
    assert_eq!(desk.later(1).admit("r3", 40, 0).await, None);
    assert!(desk.settle(desk.settlement("r1", spent(5, 15, 0))).await);
    assert_eq!(desk.later(2).admit("r4", 40, 0).await, None, "it used less than was reserved");
    assert_eq!(desk.later(3).admit("r5", 20, 0).await, limited(Limit::TokensPerMinute, start + 60_000));
    assert_eq!(desk.later(3).admit("r5", 30, 0).await, limited(Limit::TokensPerMinute, start + 60_001));
    assert_eq!(desk.later(60_000).admit("r5", 20, 0).await, None);
}

async fn a_request_larger_than_a_minute_waits_for_an_empty_one(bed: &Bed) {
    let desk = Desk::with(bed, KeyLimits { tokens_per_minute: Some(100), ..KeyLimits::default() }).await;
    let start = desk.now.as_millis();
    assert_eq!(desk.admit("r1", 1, 0).await, None);
    assert_eq!(desk.admit("r2", 500, 0).await, limited(Limit::TokensPerMinute, start + 60_000));
    assert_eq!(desk.later(60_000).admit("r2", 500, 0).await, None);
    assert!(desk.later(60_000).admit("r3", 1, 0).await.is_some());
}

async fn a_day_holds_so_many_requests_and_then_those_beyond_are_used_once(bed: &Bed) {
    let limits = KeyLimits { requests_per_day: Some(1), bonus_requests: 1, ..KeyLimits::default() };
    let desk = Desk::with(bed, limits).await;
    assert_eq!(desk.admit("r1", 0, 0).await, None);
    assert_eq!(desk.admit("r2", 0, 0).await, None, "one beyond those of the day");
    let tally = desk.tally().await;
    assert_eq!((tally.requests, tally.requests_today, tally.bonus_used), (2, 1, 1));
    let midnight = start_of_day(tally.day + 1);
    assert_eq!(desk.admit("r3", 0, 0).await, limited(Limit::RequestsPerDay, midnight.as_millis()));
    let tomorrow = Desk { now: midnight, ..desk.clone() };
    assert_eq!(tomorrow.admit("r3", 0, 0).await, None);
    assert!(desk.admit("r4", 0, 0).await.is_some(), "a slower clock does not bring the day back");
    assert!(tomorrow.admit("r4", 0, 0).await.is_some(), "the one beyond is used");
    assert_eq!(tomorrow.tally().await.requests_today, 1);
}

async fn so_many_requests_are_in_flight_until_their_time_is_over(bed: &Bed) {
    let desk = Desk::with(bed, KeyLimits { in_flight: Some(2), ..KeyLimits::default() }).await;
    assert_eq!(desk.admit("r1", 0, 0).await, None);
    assert_eq!(desk.admit("r2", 0, 0).await, None);
    assert_eq!(desk.admit("r3", 0, 0).await, limited(Limit::InFlight, desk.now.as_millis() + 1_000));
    desk.settle(desk.settlement("r1", spent(0, 0, 0))).await;
    assert_eq!(desk.tally().await.in_flight, 1);
    assert_eq!(desk.later(1).admit("r3", 0, 0).await, None);
    assert!(desk.later(FLIGHT_MS - 1).admit("r4", 0, 0).await.is_some());
    assert_eq!(
        desk.later(FLIGHT_MS).admit("r4", 0, 0).await,
        None,
        "nobody settled the second one, and its time is over"
    );
}

async fn a_budget_is_not_exceeded_by_what_is_reserved(bed: &Bed) {
    let limits = KeyLimits { budget: Some((100, Period::Total)), ..KeyLimits::default() };
    let desk = Desk::with(bed, limits).await;
    assert_eq!(desk.admit("r1", 0, 60).await, None);
    assert_eq!(desk.admit("r2", 0, 41).await, Some(Refusal::Budget { retry_at: None }));
    assert_eq!(desk.admit("r2", 0, 40).await, None);
    assert!(desk.settle(desk.settlement("r1", spent(1, 1, 10))).await);
    assert_eq!(desk.tally().await.spent, 50);
    assert_eq!(desk.admit("r3", 0, 50).await, None);
    assert_eq!(desk.later(90 * 86_400_000).admit("r4", 0, 1).await, Some(Refusal::Budget { retry_at: None }));
}

async fn a_budget_begins_anew_with_its_period(bed: &Bed) {
    for period in [Period::Day, Period::Week, Period::Month] {
        let limits = KeyLimits { budget: Some((100, period)), ..KeyLimits::default() };
        let desk = Desk::with(bed, limits).await;
        let next = period.next(desk.now).expect("a next one");
        assert_eq!(desk.admit("r1", 0, 100).await, None);
        let over = Some(Refusal::Budget { retry_at: Some(next) });
        let last = Desk { now: Timestamp::from_millis(next.as_millis() - 1), ..desk.clone() };
        assert_eq!(last.admit("r2", 0, 1).await, over, "{period:?}");
        let anew = Desk { now: next, ..desk.clone() };
        assert_eq!(anew.admit("r2", 0, 99).await, None, "{period:?}");
        assert_eq!(anew.tally().await.spent_from, next);
        // What was reserved in the period before is settled there.
        desk.settle(desk.settlement("r1", spent(1, 1, 100))).await;
        assert_eq!(anew.tally().await.spent, 99, "{period:?}");
        assert!(desk.admit("r3", 0, 2).await.is_some(), "a slower clock does not bring {period:?} back");
    }
}

async fn a_repetition_is_let_in_once(bed: &Bed) {
    let desk = Desk::with(bed, KeyLimits { requests_per_minute: Some(1), ..KeyLimits::default() }).await;
    for _ in 0..10 {
        assert_eq!(desk.admit("r1", 5, 7).await, None, "an answer may have been lost");
    }
    let tally = desk.tally().await;
    assert_eq!((tally.requests, tally.requests_today, tally.spent, tally.in_flight), (1, 1, 7, 1));
}

async fn what_is_refused_counts_nothing(bed: &Bed) {
    let desk = Desk::with(bed, KeyLimits { budget: Some((5, Period::Total)), ..KeyLimits::default() }).await;
    for _ in 0..3 {
        assert!(desk.admit("r1", 1, 6).await.is_some());
    }
    assert_eq!(desk.tally().await, Tally::default());
}

async fn what_is_withdrawn_was_never_there(bed: &Bed) {
    let limits = KeyLimits {
        requests_per_minute: Some(1),
        tokens_per_minute: Some(10),
        requests_per_day: Some(1),
        bonus_requests: 1,
        in_flight: Some(1),
        budget: Some((10, Period::Total)),
    };
    let desk = Desk::with(bed, limits).await;
    for nth in 0..4 {
        let request = format!("r{nth}");
        assert_eq!(desk.admit(&request, 10, 10).await, None, "{request}");
        assert!(desk.keys.withdraw(&desk.digest, &lease(&request)).await.expect("withdraw"));
        assert!(!desk.keys.withdraw(&desk.digest, &lease(&request)).await.expect("withdraw"), "once");
    }
    let tally = desk.tally().await;
    assert_eq!((tally.requests, tally.requests_today, tally.bonus_used), (0, 0, 0));
    assert_eq!((tally.spent, tally.in_flight), (0, 0));
    let minute = |nth: i64| desk.later(nth * 60_000);
    assert_eq!(minute(1).admit("a", 1, 1).await, None);
    minute(1).settle(minute(1).settlement("a", spent(1, 0, 1))).await;
    assert_eq!(minute(2).admit("b", 1, 1).await, None, "the one beyond those of the day");
    assert_eq!(minute(2).tally().await.bonus_used, 1);
    assert!(desk.keys.withdraw(&desk.digest, &lease("b")).await.expect("withdraw"));
    assert_eq!(minute(2).tally().await.bonus_used, 0);
    assert!(!desk.keys.withdraw(&desk.digest, &lease("a")).await.expect("withdraw"), "it was settled");
}

async fn a_reservation_that_nobody_settles_stays_counted(bed: &Bed) {
    let window = bed.window().await;
    let desk = Desk::at(bed, window.start);
    let limits = KeyLimits { budget: Some((10, Period::Total)), ..KeyLimits::default() };
    assert_eq!(desk.create(desk.record("gwk-1", limits)).await, KeyOutcome::Stored(1));
    assert_eq!(desk.admit("r1", 1, 10).await, None);
    let later = desk.later(23 * 3_600_000);
    while desk.keys.purge(later.now, 0).await.expect("purge") {}
    let tally = later.tally().await;
    assert_eq!((tally.in_flight, tally.spent, tally.requests), (0, 10, 1));
    assert_eq!(later.admit("r2", 1, 1).await, Some(Refusal::Budget { retry_at: None }));
    // Late, and still in time.
    assert!(later.settle(desk.settlement("r1", spent(1, 1, 2))).await);
    assert_eq!(later.tally().await.spent, 2);
}

async fn of_many_at_once_as_many_are_let_in_as_may_be(bed: &Bed) {
    let desk = Desk::with(bed, KeyLimits { requests_per_minute: Some(40), ..KeyLimits::default() }).await;
    let asked = (0..100).map(|nth| {
        let desk = desk.clone();
        async move { desk.admit(&format!("r{nth}"), 1, 1).await }
    });
    let answers = futures::future::join_all(asked).await;
    assert_eq!(answers.iter().filter(|answer| answer.is_none()).count(), 40);
    let tally = desk.tally().await;
    assert_eq!((tally.requests, tally.in_flight, tally.spent), (40, 40, 40));
}

async fn of_many_at_once_no_more_is_reserved_than_the_budget(bed: &Bed) {
    let desk = Desk::with(bed, KeyLimits { budget: Some((100, Period::Month)), ..KeyLimits::default() }).await;
    let asked = (0..50).map(|nth| {
        let desk = desk.clone();
        async move {
            let request = format!("r{nth}");
            let admitted = desk.admit(&request, 1, 7).await.is_none();
            if admitted && nth % 2 == 0 {
                desk.settle(desk.settlement(&request, spent(1, 0, 7))).await;
            }
            admitted
        }
    });
    let admitted = futures::future::join_all(asked).await.into_iter().filter(|admitted| *admitted).count();
    assert_eq!(admitted, 14, "fourteen times seven is within a hundred");
    assert_eq!(desk.tally().await.spent, 98);
}
