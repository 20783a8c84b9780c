//! Settling requests, and usage.

use super::desk::{Desk, spent};
use crate::conformance::{Bed, cases};
use mainstay_core::api::providers::ProviderId;
use mainstay_core::providers::keys::{
    KeyLimits, ListUsage, SETTLE_WITHIN_MS, Settle, Spent, UsageRow, day_of, start_of_day,
};

cases! {
    ($) gateway_keys_using_tests, gateway_keys::using:
    a_settlement_counts_once_however_often_it_is_made,
    usage_is_by_day_and_who_asked_and_what_answered,
    usage_is_that_of_the_day_on_which_a_request_was_let_in,
    who_has_no_key_has_usage_all_the_same,
    usage_outlives_its_key,
    a_settlement_of_long_ago_is_refused,
    a_day_has_so_many_rows_and_the_rest_is_told_as_one,
    models_may_be_any_text,
    usage_before_a_day_is_forgotten,
}

async fn a_settlement_counts_once_however_often_it_is_made(bed: &Bed) {
    let desk = Desk::with(bed, KeyLimits::default()).await;
    assert_eq!(desk.admit("r1", 100, 200).await, None);
    let settlement = desk.settlement("r1", spent(3, 4, 5));
    let settled = futures::future::join_all((0..10).map(|_| desk.settle(settlement.clone()))).await;
    assert_eq!(settled.iter().filter(|counted| **counted).count(), 1, "{settled:?}");
    let tally = desk.tally().await;
    assert_eq!((tally.tokens, tally.spent, tally.in_flight, tally.requests), (7, 5, 0, 1));
    let usage = desk.usage().await;
    assert_eq!(usage.len(), 1);
    assert_eq!((usage[0].requests, usage[0].failed, usage[0].spent), (1, 0, spent(3, 4, 5)));
    assert_eq!(desk.keys.purge(desk.now, 0).await.map(|_| ()).map_err(|e| e.code()), Ok(()));
    assert_eq!(desk.usage().await, usage, "nothing was left half done");
}

async fn usage_is_by_day_and_who_asked_and_what_answered(bed: &Bed) {
    let desk = Desk::new(bed);
    let with = |request: &str, label: &str, provider: &str, model: &str| Settle {
        label: label.into(),
        provider: ProviderId::parse(provider).expect("a provider"),
        model: model.into(),
        ..desk.settlement(request, spent(1, 2, 3))
    };
    for settle in [
        with("r1", "b", "p1", "m"),
        with("r2", "a", "p2", "m"),
        with("r3", "a", "p1", "n"),
        with("r4", "a", "p1", "m"),
        Settle { failed: true, ..with("r5", "a", "p1", "m") },
        Settle { spent: Spent { reported: false, cached_tokens: 1, ..spent(1, 0, 0) }, ..with("r6", "a", "p1", "m") },
        with("r7", "ab", "p1", "m"),
    ] {
        assert!(desk.settle(settle).await);
    }
    let told = |row: &UsageRow| format!("{} {} {}", row.place.label, row.place.provider, row.place.model);
    let rows = desk.usage().await;
    let names: Vec<String> = rows.iter().map(told).collect();
    assert_eq!(names, ["a p1 m", "a p1 n", "a p2 m", "ab p1 m", "b p1 m"]);
    let expected = Spent { input_tokens: 3, cached_tokens: 1, output_tokens: 4, cost: 6, reported: false };
    assert_eq!((rows[0].requests, rows[0].failed, rows[0].spent), (3, 1, expected));
    assert!(rows[1].spent.reported);
    let mut paged = Vec::new();
    let mut after = None;
    loop {
        let page = desk.keys.usage(ListUsage { after, limit: 2, ..desk.listing() }).await.expect("usage");
        let Some(last) = page.last() else { break };
        after = Some(last.place.clone());
        paged.extend(page);
    }
    assert_eq!(paged, rows);
    let own = desk.keys.usage(ListUsage { label: Some("a".into()), ..desk.listing() }).await.expect("usage");
    assert_eq!(own, rows[..3]);
    let behind = ListUsage { label: Some("a".into()), after: Some(rows[1].place.clone()), ..desk.listing() };
    assert_eq!(desk.keys.usage(behind).await.expect("usage"), rows[2..3]);
}

async fn usage_is_that_of_the_day_on_which_a_request_was_let_in(bed: &Bed) {
    let desk = Desk::with(bed, KeyLimits::default()).await;
    let day = day_of(desk.now);
    let late = Desk { now: start_of_day(day + 1), ..desk.clone() };
    let early = start_of_day(day);
    for (request, admitted_at) in [("r1", early), ("r2", late.now)] {
        let settle = Settle { admitted_at, ..late.settlement(request, spent(1, 1, 1)) };
        assert!(desk.settle(settle).await);
    }
    let days: Vec<u32> = desk.usage().await.iter().map(|row| row.place.day).collect();
    assert_eq!(days, [day, day + 1]);
    let one = ListUsage { from_day: day + 1, to_day: day + 1, ..desk.listing() };
    assert_eq!(desk.keys.usage(one).await.expect("usage").len(), 1);
}

async fn who_has_no_key_has_usage_all_the_same(bed: &Bed) {
    let desk = Desk::new(bed);
    let settle = Settle { digest: None, label: "user:usr-1".into(), ..desk.settlement("r1", spent(1, 2, 3)) };
    assert!(desk.settle(settle.clone()).await);
    assert!(!desk.settle(settle).await);
    let usage = desk.usage().await;
    assert_eq!((usage.len(), usage[0].requests, usage[0].place.label.as_str()), (1, 1, "user:usr-1"));
}

async fn usage_outlives_its_key(bed: &Bed) {
    let desk = Desk::with(bed, KeyLimits::default()).await;
    let id = desk.read().await.id;
    for request in ["r1", "r2"] {
        assert_eq!(desk.admit(request, 1, 1).await, None);
    }
    desk.settle(desk.settlement("r1", spent(1, 1, 1))).await;
    assert!(desk.keys.remove_key(&desk.namespace, &id).await.expect("remove"));
    assert!(desk.settle(desk.settlement("r2", spent(1, 1, 1))).await, "it was in flight");
    assert!(!desk.settle(desk.settlement("r2", spent(1, 1, 1))).await);
    assert_eq!(desk.usage().await[0].requests, 2);
}

async fn a_settlement_of_long_ago_is_refused(bed: &Bed) {
    let desk = Desk::with(bed, KeyLimits::default()).await;
    let settlement = |desk: &Desk, request| Settle { now: desk.now, ..desk.settlement(request, spent(1, 1, 1)) };
    let long_ago = Settle { admitted_at: desk.now, ..settlement(&desk.later(SETTLE_WITHIN_MS), "r1") };
    assert!(!desk.settle(long_ago).await);
    let in_time = Settle { admitted_at: desk.now, ..settlement(&desk.later(SETTLE_WITHIN_MS - 1), "r1") };
    assert!(desk.settle(in_time).await);
}

async fn a_day_has_so_many_rows_and_the_rest_is_told_as_one(bed: &Bed) {
    let desk = Desk::new(bed);
    for nth in 0..5 {
        let (request, model) = (format!("r{nth}"), format!("m{nth}"));
        let settle = Settle { max_rows: 2, model, ..desk.settlement(&request, spent(1, 0, 0)) };
        assert!(desk.settle(settle).await);
    }
    let again = Settle { max_rows: 2, model: "m1".into(), ..desk.settlement("r9", spent(1, 0, 0)) };
    assert!(desk.settle(again).await);
    let rows = desk.usage().await;
    let told: Vec<(&str, &str, u64)> =
        rows.iter().map(|row| (&*row.place.provider, &*row.place.model, row.requests)).collect();
    assert_eq!(told, [("*", "*", 3), ("p1", "m0", 1), ("p1", "m1", 2)]);
}

async fn models_may_be_any_text(bed: &Bed) {
    let desk = Desk::new(bed);
    let mut models = ["a:b", "{x}*", "line\nbreak", "日本語", "%7D", "\"'\\", " ", ""];
    for (nth, model) in models.iter().enumerate() {
        let settle = Settle { model: (*model).into(), ..desk.settlement(&format!("r{nth}"), spent(1, 0, 0)) };
        assert!(desk.settle(settle).await, "{model}");
    }
    models.sort_unstable();
    let rows = desk.usage().await;
    assert_eq!(rows.iter().map(|row| &*row.place.model).collect::<Vec<_>>(), models);
}

async fn usage_before_a_day_is_forgotten(bed: &Bed) {
    let window = bed.window().await;
    let desk = Desk::at(bed, window.start);
    desk.settle(desk.settlement("r1", spent(1, 0, 0))).await;
    let day = day_of(desk.now);
    while desk.keys.purge(desk.now, day).await.expect("purge") {}
    assert_eq!(desk.usage().await.len(), 1);
    while desk.keys.purge(desk.now, day + 1).await.expect("purge") {}
    assert_eq!(desk.usage().await, []);
}
