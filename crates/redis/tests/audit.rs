//! The audit trail on Redis beyond the port: writers of several nodes, links that are cut, and hands in the store.

use mainstay_core::api::audit::{AuditClass, AuditEntry, ChainId, FindingKind, VerifyAudit, VerifyReport};
use mainstay_core::audit::{AuditRules, AuditService, Order, PageQuery, Record};
use mainstay_core::{Caller, RandomMint, Stores, SystemClock};
use mainstay_redis::RedisOptions;
use mainstay_testkit::fixtures::{FaultProxy, RedisServer};
use mainstay_testkit::notary::MemoryNotary;
use std::collections::BTreeSet;
use std::sync::Arc;

/// Where the chain of the server lives.
const META: &str = "mainstay:{audit.server}:meta";
const LOG: &str = "mainstay:{audit.server}:log";

struct Node {
    stores: Stores,
    audit: Arc<AuditService>,
}

async fn node(url: &str, notary: &Arc<MemoryNotary>) -> Node {
    let stores = mainstay_redis::open(RedisOptions::from_url(url).unwrap()).await.unwrap();
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

    async fn actions(&self) -> Vec<String> {
        let query = PageQuery { chain: ChainId::Server, order: Order::After(0), limit: 1_000 };
        let entries = self.stores.audit.page(query).await.unwrap();
        let action = |body: &str| serde_json::from_str::<AuditEntry>(body).unwrap().action;
        entries.iter().map(|entry| action(&entry.body)).collect()
    }

    async fn verify(&self) -> VerifyReport {
        self.audit.verify(&Caller::owner(), VerifyAudit::default()).await.unwrap()
    }

    /// The findings about the chain of the server.
    async fn findings(&self) -> Vec<(FindingKind, Option<u64>)> {
        let report = self.verify().await;
        let chain = report.chains.iter().find(|chain| chain.chain == ChainId::Server).unwrap();
        assert!(!report.intact, "{report:?}");
        chain.findings.iter().map(|finding| (finding.kind, finding.at)).collect()
    }
}

/// A server with ten anchored entries.
async fn ten() -> (RedisServer, Node) {
    let server = RedisServer::start().await.unwrap();
    let node = node(&server.url(), &Arc::default()).await;
    node.write(10).await;
    node.audit.anchor().await.unwrap();
    assert!(node.verify().await.intact);
    (server, node)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixteen_writers_on_two_nodes_make_one_chain() {
    let server = RedisServer::start().await.unwrap();
    let notary = Arc::default();
    let nodes = [node(&server.url(), &notary).await, node(&server.url(), &notary).await];
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
    let actions = nodes[0].actions().await;
    assert_eq!(actions.len(), 400);
    assert_eq!(actions.iter().collect::<BTreeSet<_>>().len(), 400, "each of them once");
    let report = nodes[0].verify().await;
    assert!(report.intact, "{report:?}");
}

#[tokio::test]
async fn an_entry_whose_answer_was_lost_stands_once() {
    let server = RedisServer::start().await.unwrap();
    let proxy = FaultProxy::in_front_of(server.port()).await.unwrap();
    let through = node(&format!("redis://127.0.0.1:{}", proxy.port()), &Arc::default()).await;
    through.write(2).await;
    proxy.cut_after_command("last_hash", 1);
    through.audit.record(Record::system("lost", AuditClass::System)).await.unwrap();
    assert_eq!(proxy.cuts(), 1);
    proxy.cut_before_command("last_hash", 1);
    through.audit.record(Record::system("never sent", AuditClass::System)).await.unwrap();
    assert_eq!(proxy.cuts(), 2);
    assert_eq!(through.actions().await, ["test.0", "test.1", "lost", "never sent"]);
    assert!(through.verify().await.intact);
}

#[tokio::test]
async fn a_deleted_entry_is_found() {
    let (server, node) = ten().await;
    server.cli(&["XDEL", LOG, "4-0"]).await.unwrap();
    assert_eq!(node.findings().await, [(FindingKind::Removed, Some(4))]);
}

#[tokio::test]
async fn a_chain_that_was_cut_with_its_head_is_found() {
    let (server, node) = ten().await;
    let query = PageQuery { chain: ChainId::Server, order: Order::After(6), limit: 1 };
    let seventh = node.stores.audit.page(query).await.unwrap().remove(0);
    for seq in 8..=11 {
        server.cli(&["XDEL", LOG, &format!("{seq}-0")]).await.unwrap();
    }
    assert_eq!(node.findings().await[0], (FindingKind::Truncated, Some(8)), "the head tells");
    let hash = seventh.hash.to_string();
    server.cli(&["HSET", META, "seq", "7", "hash", &hash, "count", "7"]).await.unwrap();
    assert_eq!(node.findings().await, [(FindingKind::Truncated, Some(8))], "the checkpoint tells");
}

#[tokio::test]
async fn a_changed_entry_and_one_that_was_put_in_are_found() {
    let (server, node) = ten().await;
    let query = PageQuery { chain: ChainId::Server, order: Order::After(10), limit: 1 };
    let last = node.stores.audit.page(query).await.unwrap().remove(0);
    server.cli(&["XDEL", LOG, "11-0"]).await.unwrap();
    server.cli(&["XADD", LOG, "11-1", "h", &last.hash.to_string(), "b", "{}"]).await.unwrap();
    let found = node.findings().await;
    assert!(found.contains(&(FindingKind::Inserted, Some(10))), "{found:?}");
    assert!(found.contains(&(FindingKind::Truncated, Some(11))), "{found:?}");
    let refused = node.audit.record(Record::system("more", AuditClass::System)).await;
    assert!(refused.is_err(), "nothing is added to a chain that does not end where its head says");
}

#[tokio::test]
async fn a_chain_that_is_gone_is_found_also_where_it_began_anew() {
    let (server, node) = ten().await;
    server.cli(&["DEL", META, LOG]).await.unwrap();
    server.cli(&["DEL", "mainstay:audit-chains"]).await.unwrap();
    assert_eq!(node.findings().await, [(FindingKind::Deleted, None)]);
    node.write(2).await;
    assert_eq!(node.findings().await, [(FindingKind::Truncated, Some(3))]);
    node.write(20).await;
    assert_eq!(node.findings().await, [(FindingKind::Replaced, Some(10))]);
}

#[tokio::test]
async fn nothing_of_the_trail_expires() {
    let (server, _node) = ten().await;
    for key in [META, LOG] {
        assert_eq!(server.cli(&["TTL", key]).await.unwrap(), redis::Value::Int(-1), "{key}");
    }
}
