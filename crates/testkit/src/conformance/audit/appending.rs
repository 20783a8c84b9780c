//! How entries get into a chain.

use super::trail::Trail;
use crate::conformance::{Bed, cases};
use futures::future::join_all;
use mainstay_core::api::audit::ChainId;
use mainstay_core::audit::{Appended, ChainState, Hash, Head, Sealed};

cases! {
    ($) audit_appending_tests, audit::appending:
    the_first_entries_make_the_chain,
    an_append_behind_another_place_than_the_head_writes_nothing,
    an_append_that_is_repeated_stands_once,
    an_append_that_lost_its_place_is_not_taken_for_one_that_succeeded,
    of_writers_at_the_same_time_each_gets_its_place_and_none_forks_the_chain,
    a_body_comes_back_byte_for_byte,
    chains_with_hostile_names_stay_apart,
    every_chain_is_listed,
}

async fn the_first_entries_make_the_chain(bed: &Bed) {
    let trail = Trail::new(bed);
    assert_eq!(trail.state().await, None);
    let entries = trail.entries(Head::GENESIS, &["a", "b", "c"]);
    assert_eq!(trail.append(Head::GENESIS, &entries).await, Appended::Appended);
    let head = entries[2].head();
    let expected = ChainState { head, count: 3, base: Head::GENESIS, trim: None };
    assert_eq!(trail.state().await, Some(expected));
    assert_eq!(trail.all().await, entries);
}

async fn an_append_behind_another_place_than_the_head_writes_nothing(bed: &Bed) {
    let trail = Trail::new(bed);
    let first = trail.write(&["a", "b"]).await;
    let head = first[1].head();
    for stale in [Head::GENESIS, first[0].head(), Head { seq: 2, hash: Hash::of(b"x") }, Head { seq: 9, ..head }] {
        let late = trail.entries(stale, &["late"]);
        assert_eq!(trail.append(stale, &late).await, Appended::Moved(head), "{stale:?}");
    }
    assert_eq!(trail.all().await, first);
    assert_eq!(trail.state().await.map(|state| (state.head, state.count)), Some((head, 2)));
    let fresh = Trail::new(bed);
    let ahead = Head { seq: 5, hash: Hash::of(b"x") };
    let entries = fresh.entries(ahead, &["ahead"]);
    assert_eq!(fresh.append(ahead, &entries).await, Appended::Moved(Head::GENESIS), "there is no such chain yet");
    assert_eq!(fresh.state().await, None);
}

async fn an_append_that_is_repeated_stands_once(bed: &Bed) {
    let trail = Trail::new(bed);
    let first = trail.write(&["a"]).await;
    let head = first[0].head();
    let second = trail.entries(head, &["b", "c"]);
    for _ in 0..2 {
        assert_eq!(trail.append(head, &second).await, Appended::Appended);
    }
    let third = trail.write(&["d"]).await;
    assert_eq!(trail.append(head, &second).await, Appended::Appended, "though others wrote behind it");
    assert_eq!(trail.all().await, [first, second, third].concat());
    assert_eq!(trail.state().await.map(|state| state.count), Some(4));
}

async fn an_append_that_lost_its_place_is_not_taken_for_one_that_succeeded(bed: &Bed) {
    let trail = Trail::new(bed);
    let mine = trail.entries(Head::GENESIS, &["mine"]);
    let other = trail.write(&["other"]).await;
    assert_eq!(trail.append(Head::GENESIS, &mine).await, Appended::Moved(other[0].head()));
    assert_eq!(trail.all().await, other);
}

async fn of_writers_at_the_same_time_each_gets_its_place_and_none_forks_the_chain(bed: &Bed) {
    const WRITERS: usize = 8;
    const ENTRIES: usize = 5;
    let trail = Trail::new(bed);
    let write = async |writer: usize| {
        let mut head = Head::GENESIS;
        for number in 0..ENTRIES {
            let name = format!("{writer}.{number}");
            loop {
                let entries = trail.entries(head, &[&name]);
                match trail.append(head, &entries).await {
                    Appended::Appended => break head = entries[0].head(),
                    Appended::Moved(to) => head = to,
                }
            }
        }
    };
    join_all((0..WRITERS).map(write)).await;
    let all = trail.all().await;
    assert_eq!(all.len(), WRITERS * ENTRIES);
    let mut head = Head::GENESIS;
    for entry in &all {
        assert_eq!(entry.seq, head.seq + 1);
        assert!(entry.body.contains(&format!("\"prev\":\"{}\"", head.hash)), "{}", entry.body);
        head = entry.head();
    }
    assert_eq!(trail.state().await.map(|state| (state.head, state.count)), Some((head, all.len() as u64)));
}

async fn a_body_comes_back_byte_for_byte(bed: &Bed) {
    let trail = Trail::new(bed);
    let bodies = ["", "{\"a\":1.50}", "\r\n\t\u{1}\"\\", "日本語 🦀 \u{feff}", &"x".repeat(20_000)];
    let sealed = |(seq, body): (u64, &&str)| Sealed { seq, hash: Hash::of(body.as_bytes()), body: (*body).into() };
    let entries: Vec<Sealed> = (1..).zip(bodies.iter()).map(sealed).collect();
    assert_eq!(trail.append(Head::GENESIS, &entries).await, Appended::Appended);
    assert_eq!(trail.all().await, entries);
}

async fn chains_with_hostile_names_stay_apart(bed: &Bed) {
    let mut trails = Vec::new();
    for name in ["", ":meta", "}:meta", "{x}", "*", "%7D", " ", "日"] {
        let trail = Trail::of(bed, ChainId::Namespace(bed.namespace_like(name)));
        let written = trail.write(&[name]).await;
        trails.push((trail, written));
    }
    for (trail, written) in &trails {
        assert_eq!(trail.all().await, *written, "{}", trail.chain);
    }
}

async fn every_chain_is_listed(bed: &Bed) {
    let trails = [Trail::new(bed), Trail::of(bed, ChainId::Namespace(bed.namespace_like(":{日}")))];
    for trail in &trails {
        trail.write(&["a"]).await;
    }
    let unused = Trail::new(bed);
    assert_eq!(unused.all().await, []);
    let chains = trails[0].store.chains().await.expect("chains");
    for trail in &trails {
        assert_eq!(chains.iter().filter(|chain| **chain == trail.chain).count(), 1, "{}", trail.chain);
    }
    assert!(!chains.contains(&unused.chain), "to look is not to write");
}
