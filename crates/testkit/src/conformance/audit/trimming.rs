//! How the beginning of a chain is removed.

use super::trail::Trail;
use crate::conformance::{Bed, cases};
use mainstay_core::audit::{Appended, Hash, Head, Trimmed};

cases! {
    ($) audit_trimming_tests, audit::trimming:
    a_trimmed_chain_says_where_it_begins_and_why,
    a_trim_that_is_repeated_removes_nothing_more,
    a_trim_up_to_an_entry_that_is_not_there_removes_nothing,
    the_newest_entry_stays,
    a_trimmed_chain_goes_on,
}

async fn a_trimmed_chain_says_where_it_begins_and_why(bed: &Bed) {
    let trail = Trail::new(bed);
    let all = trail.write(&["a", "b", "c", "d", "e"]).await;
    assert_eq!(trail.trim(all[1].head(), "{\"why\":\"日\"}").await, Trimmed::Removed(2));
    let state = trail.state().await.expect("a chain");
    assert_eq!((state.head, state.count, state.base), (all[4].head(), 3, all[1].head()));
    assert_eq!(state.trim.as_deref(), Some("{\"why\":\"日\"}"));
    assert_eq!(trail.all().await, all[2..]);
}

async fn a_trim_that_is_repeated_removes_nothing_more(bed: &Bed) {
    let trail = Trail::new(bed);
    let all = trail.write(&["a", "b", "c", "d"]).await;
    assert_eq!(trail.trim(all[1].head(), "first").await, Trimmed::Removed(2));
    assert_eq!(trail.trim(all[1].head(), "again").await, Trimmed::Removed(0));
    assert_eq!(trail.trim(all[0].head(), "behind").await, Trimmed::Removed(0));
    assert_eq!(trail.state().await.and_then(|state| state.trim).as_deref(), Some("first"));
    assert_eq!(trail.trim(all[2].head(), "further").await, Trimmed::Removed(1));
    assert_eq!(trail.state().await.map(|state| (state.count, state.base)), Some((1, all[2].head())));
}

async fn a_trim_up_to_an_entry_that_is_not_there_removes_nothing(bed: &Bed) {
    let trail = Trail::new(bed);
    assert_eq!(trail.trim(Head { seq: 1, hash: Hash::GENESIS }, "none").await, Trimmed::Mismatch);
    let all = trail.write(&["a", "b", "c"]).await;
    assert_eq!(trail.trim(Head { seq: 2, hash: Hash::of(b"x") }, "other").await, Trimmed::Mismatch);
    assert_eq!(trail.trim(Head { seq: 9, ..all[1].head() }, "beyond").await, Trimmed::Mismatch);
    assert_eq!(trail.all().await, all);
    assert_eq!(trail.state().await.and_then(|state| state.trim), None);
}

async fn the_newest_entry_stays(bed: &Bed) {
    let trail = Trail::new(bed);
    let all = trail.write(&["a", "b"]).await;
    assert_eq!(trail.trim(all[1].head(), "all").await, Trimmed::Mismatch);
    assert_eq!(trail.trim(all[0].head(), "most").await, Trimmed::Removed(1));
    assert_eq!(trail.all().await, all[1..]);
}

async fn a_trimmed_chain_goes_on(bed: &Bed) {
    let trail = Trail::new(bed);
    let all = trail.write(&["a", "b", "c"]).await;
    assert_eq!(trail.trim(all[1].head(), "two").await, Trimmed::Removed(2));
    let more = trail.write(&["d"]).await;
    assert_eq!(more[0].seq, 4);
    assert_eq!(trail.all().await, [&all[2..], &more[..]].concat());
    let gone = trail.append(Head::GENESIS, &all[..1]).await;
    assert_eq!(gone, Appended::Moved(more[0].head()), "what was removed is not known to have stood");
}
