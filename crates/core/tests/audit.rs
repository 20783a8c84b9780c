//! The rules of the audit trail, on the reference model and with a clock that stands still.

use mainstay_core::api::audit::{AuditClass, AuditEntry, AuditOutcome, ChainId};
use mainstay_core::audit::{AuditRules, AuditService, Order, PageQuery, Record, Sealed};
use mainstay_core::{Caller, FakeClock, RandomMint, Stores};
use mainstay_testkit::model;
use std::sync::Arc;

const NOW_MS: i64 = 1_763_673_827_000;

fn desk(stores: &Stores) -> AuditService {
    AuditService::new(
        Arc::clone(&stores.audit),
        Arc::new(FakeClock::at(NOW_MS)),
        Arc::new(RandomMint),
        AuditRules::default(),
    )
}

async fn entries(stores: &Stores, chain: &ChainId) -> Vec<AuditEntry> {
    let query = PageQuery { chain: chain.clone(), order: Order::After(0), limit: 10_000 };
    let read = |sealed: &Sealed| serde_json::from_str(&sealed.body).unwrap();
    stores.audit.page(query).await.unwrap().iter().map(read).collect()
}

#[tokio::test]
async fn an_act_and_its_end_are_two_entries_of_the_chain_of_its_namespace() {
    let stores = model::stores();
    let desk = desk(&stores);
    let begun = Record::of(&Caller::owner(), "mail.send", AuditClass::Write);
    let started = desk.record(begun.clone()).await.unwrap();
    let ended = desk.record(begun.ended(started.seq, AuditOutcome::Success)).await.unwrap();
    assert_eq!((started.seq, ended.seq), (1, 2));
    let entries = entries(&stores, &started.chain).await;
    assert_eq!(entries[0].principal, "owner");
    assert_eq!((entries[0].outcome, entries[0].of), (AuditOutcome::Started, None));
    assert_eq!((entries[1].outcome, entries[1].of), (AuditOutcome::Success, Some(1)));
    assert_eq!(entries[1].prev, started.hash.to_string());
}

#[tokio::test]
async fn the_same_act_at_two_nodes_in_the_same_moment_is_two_entries() {
    let stores = model::stores();
    let (one, other) = (desk(&stores), desk(&stores));
    let act = || Record::of(&Caller::owner(), "mail.send", AuditClass::Write);
    // The other node knows the head from before; at its place the first one then records the same.
    other.record(act()).await.unwrap();
    let seqs = [one.record(act()).await.unwrap().seq, other.record(act()).await.unwrap().seq];
    assert_eq!(seqs, [2, 3]);
    assert_eq!(entries(&stores, &one.record(act()).await.unwrap().chain).await.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_recorded_at_the_same_time_by_two_nodes_stands_once_in_one_chain() {
    let stores = model::stores();
    let nodes = [Arc::new(desk(&stores)), Arc::new(desk(&stores))];
    let writers = (0..16).map(|writer| {
        let node = Arc::clone(&nodes[writer % 2]);
        tokio::spawn(async move {
            for number in 0..25 {
                let action = format!("test.{writer}.{number}");
                node.record(Record::system(action, AuditClass::System)).await.unwrap();
            }
        })
    });
    for writer in writers.collect::<Vec<_>>() {
        writer.await.unwrap();
    }
    let entries = entries(&stores, &ChainId::Server).await;
    let seqs: Vec<u64> = entries.iter().map(|entry| entry.seq).collect();
    assert_eq!(seqs, (1..=400).collect::<Vec<_>>());
    let actions: std::collections::BTreeSet<_> = entries.iter().map(|entry| &entry.action).collect();
    assert_eq!(actions.len(), 400);
}
