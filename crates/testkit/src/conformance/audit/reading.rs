//! How a chain is read.

use super::trail::Trail;
use crate::conformance::{Bed, cases};
use mainstay_core::audit::{Order, Sealed};

cases! {
    ($) audit_reading_tests, audit::reading:
    pages_ascend_behind_a_number,
    pages_descend_before_a_number,
    a_page_of_long_entries_may_be_short_but_is_not_empty,
    there_is_nothing_beyond_the_ends,
}

fn seqs(entries: &[Sealed]) -> Vec<u64> {
    entries.iter().map(|entry| entry.seq).collect()
}

async fn pages_ascend_behind_a_number(bed: &Bed) {
    let trail = Trail::new(bed);
    let all = trail.write(&["a", "b", "c", "d", "e"]).await;
    assert_eq!(trail.page(Order::After(0), 2).await, all[..2]);
    assert_eq!(trail.page(Order::After(2), 2).await, all[2..4]);
    assert_eq!(trail.page(Order::After(4), 2).await, all[4..]);
}

async fn pages_descend_before_a_number(bed: &Bed) {
    let trail = Trail::new(bed);
    trail.write(&["a", "b", "c", "d", "e"]).await;
    assert_eq!(seqs(&trail.page(Order::Before(u64::MAX), 2).await), [5, 4]);
    assert_eq!(seqs(&trail.page(Order::Before(4), 2).await), [3, 2]);
    assert_eq!(seqs(&trail.page(Order::Before(2), 2).await), [1]);
}

async fn a_page_of_long_entries_may_be_short_but_is_not_empty(bed: &Bed) {
    let trail = Trail::new(bed);
    let long: Vec<String> = (0..20).map(|number| format!("{number}{}", "x".repeat(100))).collect();
    let mut written = Vec::new();
    for name in &long {
        written.extend(trail.write(&[name]).await);
    }
    let mut read = Vec::new();
    while let page = trail.page(Order::After(read.len() as u64), 7).await
        && !page.is_empty()
    {
        assert!(page.len() <= 7);
        read.extend(page);
    }
    assert_eq!(read, written);
}

async fn there_is_nothing_beyond_the_ends(bed: &Bed) {
    let trail = Trail::new(bed);
    assert_eq!(trail.page(Order::After(0), 10).await, []);
    assert_eq!(trail.page(Order::Before(u64::MAX), 10).await, []);
    trail.write(&["a"]).await;
    assert_eq!(trail.page(Order::After(1), 10).await, []);
    assert_eq!(trail.page(Order::After(u64::MAX), 10).await, []);
    assert_eq!(trail.page(Order::Before(1), 10).await, []);
    assert_eq!(trail.page(Order::Before(0), 10).await, []);
}
