//! The audit trail beyond the port: writers of two processes' worth of stores, and hands in the file.

use mainstay_core::api::audit::{AuditClass, AuditEntry, ChainId, FindingKind, VerifyAudit, VerifyReport};
use mainstay_core::audit::{AuditRules, AuditService, Order, PageQuery, Record};
use mainstay_core::{Caller, RandomMint, Stores, SystemClock};
use mainstay_sqlite::SqliteOptions;
use mainstay_testkit::notary::MemoryNotary;
use rusqlite::Connection;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

struct Node {
    stores: Stores,
    audit: Arc<AuditService>,
}

async fn node(database: &Path, notary: &Arc<MemoryNotary>) -> Node {
    let url = format!("sqlite:{}", database.display());
    let stores = mainstay_sqlite::open(SqliteOptions::from_url(&url).unwrap()).await.unwrap();
    let audit = AuditService::new(
        Arc::clone(&stores.audit),
        Arc::new(SystemClock),
        Arc::new(RandomMint),
        AuditRules::default(),
    );
    Node { stores, audit: Arc::new(audit.with_notary(Some(notary.clone()))) }
}

impl Node {
    async fn write(&self, count: usize) {
        for number in 0..count {
            self.audit.record(Record::system(format!("test.{number}"), AuditClass::System)).await.unwrap();
        }
    }

    async fn verify(&self) -> VerifyReport {
        self.audit.verify(&Caller::owner(), VerifyAudit::default()).await.unwrap()
    }

    async fn findings(&self) -> Vec<(FindingKind, Option<u64>)> {
        let report = self.verify().await;
        assert!(!report.intact, "{report:?}");
        report.chains[0].findings.iter().map(|finding| (finding.kind, finding.at)).collect()
    }
}

/// A file with ten anchored entries.
async fn ten() -> (tempfile::TempDir, PathBuf, Node) {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("mainstay.db");
    let node = node(&database, &Arc::default()).await;
    node.write(10).await;
    node.audit.anchor().await.unwrap();
    assert!(node.verify().await.intact);
    (folder, database, node)
}

/// What somebody does who may write to the file.
fn tamper(database: &Path, sql: &str) {
    let connection = Connection::open(database).unwrap();
    connection.busy_timeout(std::time::Duration::from_secs(20)).unwrap();
    connection.execute_batch(sql).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_writers_on_two_open_stores_make_one_chain() {
    let folder = tempfile::tempdir().unwrap();
    let (database, notary) = (folder.path().join("mainstay.db"), Arc::default());
    let nodes = [node(&database, &notary).await, node(&database, &notary).await];
    let writers: Vec<_> = (0..16)
        .map(|writer| {
            let audit = Arc::clone(&nodes[writer % 2].audit);
            tokio::spawn(async move {
                for number in 0..25 {
                    audit.record(Record::system(format!("w{writer}.{number}"), AuditClass::System)).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    let query = PageQuery { chain: ChainId::Server, order: Order::After(0), limit: 1_000 };
    let entries = nodes[1].stores.audit.page(query).await.unwrap();
    let action = |body: &str| serde_json::from_str::<AuditEntry>(body).unwrap().action;
    let actions: BTreeSet<_> = entries.iter().map(|entry| action(&entry.body)).collect();
    assert_eq!((entries.len(), actions.len()), (400, 400));
    let report = nodes[0].verify().await;
    assert!(report.intact, "{report:?}");
}

#[tokio::test]
async fn a_changed_entry_is_found() {
    let (_folder, database, node) = ten().await;
    tamper(&database, "UPDATE audit_entries SET body = replace(body, 'test.3', 'test.9') WHERE seq = 4");
    assert_eq!(node.findings().await, [(FindingKind::Changed, Some(4))]);
}

#[tokio::test]
async fn a_removed_entry_is_found() {
    let (_folder, database, node) = ten().await;
    tamper(&database, "DELETE FROM audit_entries WHERE seq = 4");
    assert_eq!(node.findings().await, [(FindingKind::Removed, Some(4))]);
}

#[tokio::test]
async fn entries_in_another_order_are_found() {
    let (_folder, database, node) = ten().await;
    tamper(
        &database,
        "UPDATE audit_entries SET seq = 100 WHERE seq = 3; UPDATE audit_entries SET seq = 3 WHERE seq = 4;
         UPDATE audit_entries SET seq = 4 WHERE seq = 100;",
    );
    assert_eq!(node.findings().await[..2], [(FindingKind::Reordered, Some(3)), (FindingKind::Reordered, Some(4))]);
}

#[tokio::test]
async fn a_chain_that_was_cut_is_found_also_where_its_head_was_rewritten() {
    let (_folder, database, node) = ten().await;
    tamper(&database, "DELETE FROM audit_entries WHERE seq > 7");
    assert_eq!(node.findings().await[0], (FindingKind::Truncated, Some(8)));
    tamper(
        &database,
        "UPDATE audit_chains SET seq = 7, count = 7, hash = (SELECT hash FROM audit_entries WHERE seq = 7)",
    );
    assert_eq!(node.findings().await, [(FindingKind::Truncated, Some(8))]);
}

#[tokio::test]
async fn a_chain_that_is_gone_is_found() {
    let (_folder, database, node) = ten().await;
    tamper(&database, "DELETE FROM audit_entries; DELETE FROM audit_chains");
    assert_eq!(node.findings().await, [(FindingKind::Deleted, None)]);
}

#[tokio::test]
async fn a_beginning_that_is_gone_without_a_permission_is_found() {
    let (_folder, database, node) = ten().await;
    tamper(
        &database,
        "UPDATE audit_chains SET base_seq = 3, count = count - 3,
             base_hash = (SELECT hash FROM audit_entries WHERE seq = 3);
         DELETE FROM audit_entries WHERE seq <= 3;",
    );
    assert_eq!(node.findings().await, [(FindingKind::Trimmed, Some(1))]);
}
