//! What a verification finds: every way to change the past, on copies of a trail that are then tampered with.

use async_trait::async_trait;
use mainstay_core::api::audit::{AuditClass, ChainId, FindingKind, VerifyReport};
use mainstay_core::api::{Namespace, Timestamp};
use mainstay_core::audit::{
    AuditRules, AuditService, ChainState, Hash, Head, Order, PageQuery, Record, Sealed, Stamp, Trail, Verification,
    seal,
};
use mainstay_core::{FakeClock, RandomMint, Result, Stores};
use mainstay_testkit::model;
use mainstay_testkit::notary::MemoryNotary;
use std::collections::BTreeMap;
use std::sync::Arc;

const NOW_MS: i64 = 1_763_673_827_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

struct Desk {
    stores: Stores,
    clock: Arc<FakeClock>,
    notary: Arc<MemoryNotary>,
    audit: AuditService,
}

impl Desk {
    fn new() -> Self {
        let (stores, clock) = (model::stores(), Arc::new(FakeClock::at(NOW_MS)));
        let notary = Arc::new(MemoryNotary::default());
        let rules = AuditRules { retention_ms: 30 * DAY_MS, ..AuditRules::default() };
        let audit = AuditService::new(Arc::clone(&stores.audit), clock.clone(), Arc::new(RandomMint), rules)
            .with_notary(Some(notary.clone()));
        Self { stores, clock, notary, audit }
    }

    async fn write(&self, count: usize) {
        for number in 0..count {
            let record = Record::system(format!("test.{number}"), AuditClass::System);
            self.audit.record(Record { chain: team(), ..record }).await.unwrap();
        }
    }

    async fn copy(&self) -> Tampered {
        let mut chains = BTreeMap::new();
        for chain in self.stores.audit.chains().await.unwrap() {
            let state = self.stores.audit.state(&chain).await.unwrap().unwrap();
            let query = PageQuery { chain: chain.clone(), order: Order::After(0), limit: 100_000 };
            chains.insert(chain, (state, self.stores.audit.page(query).await.unwrap()));
        }
        Tampered { chains }
    }

    async fn verify(&self, trail: &Tampered) -> VerifyReport {
        let (trusted, notary) = (vec![self.notary.key()], Some(self.notary.as_ref() as _));
        let now = Timestamp::from_millis(NOW_MS);
        Verification { trail, notary, trusted, only: None, now }.run().await.unwrap()
    }
}

fn stamp() -> Stamp {
    Stamp { at: Timestamp::from_millis(NOW_MS), nonce: "0".into() }
}

fn team() -> ChainId {
    ChainId::Namespace(Namespace::default())
}

/// A trail that somebody with access to the store has changed.
struct Tampered {
    chains: BTreeMap<ChainId, (ChainState, Vec<Sealed>)>,
}

impl Tampered {
    fn rows(&mut self) -> &mut Vec<Sealed> {
        &mut self.chains.get_mut(&team()).unwrap().1
    }

    fn told(&mut self) -> &mut ChainState {
        &mut self.chains.get_mut(&team()).unwrap().0
    }

    /// Makes a whole chain of these rows again, from one of them on: what the best of forgers would do.
    fn rewrite(&mut self, from: usize) {
        let (state, rows) = self.chains.get_mut(&team()).unwrap();
        let mut before = if from == 0 { Head::GENESIS } else { rows[from - 1].head() };
        for (at, row) in rows.iter_mut().enumerate().skip(from) {
            let record = Record { chain: team(), ..Record::system(format!("forged.{at}"), AuditClass::System) };
            *row = seal(&record, &stamp(), &before).unwrap();
            before = row.head();
        }
        (state.head, state.count) = (before, rows.len() as u64);
    }
}

#[async_trait]
impl Trail for Tampered {
    async fn chains(&self) -> Result<Vec<ChainId>> {
        Ok(self.chains.keys().cloned().collect())
    }

    async fn state(&self, chain: &ChainId) -> Result<Option<ChainState>> {
        Ok(self.chains.get(chain).map(|(state, _)| state.clone()))
    }

    async fn page(&self, query: PageQuery) -> Result<Vec<Sealed>> {
        let Order::After(after) = query.order else { panic!("a verification reads ahead") };
        let rows = self.chains.get(&query.chain).map_or(&[][..], |(_, rows)| rows);
        Ok(rows.iter().filter(|row| row.seq > after).take(3).cloned().collect())
    }
}

/// The findings about the chain of the team, as kind and place.
fn findings(report: &VerifyReport) -> Vec<(FindingKind, Option<u64>)> {
    let chain = report.chains.iter().find(|chain| chain.chain == team()).unwrap();
    assert_eq!(chain.intact, chain.findings.is_empty());
    assert!(!report.intact || chain.intact);
    chain.findings.iter().map(|finding| (finding.kind, finding.at)).collect()
}

/// A trail of ten entries, of which eight are anchored.
async fn ten() -> (Desk, Tampered) {
    let desk = Desk::new();
    desk.write(8).await;
    desk.audit.anchor().await.unwrap();
    desk.write(2).await;
    let copy = desk.copy().await;
    (desk, copy)
}

#[tokio::test]
async fn a_trail_that_nobody_touched_is_intact_and_says_what_is_anchored() {
    let (desk, copy) = ten().await;
    let report = desk.verify(&copy).await;
    assert!(report.intact, "{report:?}");
    assert!(!report.anchored, "the server's chain began with the entry on the checkpoint");
    let chain = report.chains.iter().find(|chain| chain.chain == team()).unwrap();
    assert_eq!((chain.entries, chain.anchored_seq, chain.not_anchored), (10, Some(8), 2));
    assert_eq!((report.checkpoints, report.notices), (1, Vec::<String>::new()));
}

#[tokio::test]
async fn a_changed_entry_is_found_also_where_its_hash_was_changed_with_it() {
    let (desk, mut copy) = ten().await;
    copy.rows()[3].body = copy.rows()[3].body.replace("test.3", "test.9");
    assert_eq!(findings(&desk.verify(&copy).await), [(FindingKind::Changed, Some(4))]);
    copy.rows()[3].hash = Hash::of(copy.rows()[3].body.as_bytes());
    assert_eq!(findings(&desk.verify(&copy).await), [(FindingKind::Inserted, Some(5))], "the next one does not follow");
}

#[tokio::test]
async fn a_removed_entry_is_found() {
    let (desk, mut copy) = ten().await;
    copy.rows().remove(3);
    assert_eq!(findings(&desk.verify(&copy).await), [(FindingKind::Removed, Some(4))]);
    copy.told().count -= 1;
    let found = findings(&desk.verify(&copy).await);
    assert_eq!(found, [(FindingKind::Removed, Some(4)), (FindingKind::Head, None)]);
}

#[tokio::test]
async fn entries_in_another_order_are_found() {
    let (desk, mut copy) = ten().await;
    let rows = copy.rows();
    let (third, fourth) = (rows[2].clone(), rows[3].clone());
    rows[2] = Sealed { seq: 3, ..fourth };
    rows[3] = Sealed { seq: 4, ..third };
    let found = findings(&desk.verify(&copy).await);
    assert_eq!(found[..2], [(FindingKind::Reordered, Some(3)), (FindingKind::Reordered, Some(4))]);
}

#[tokio::test]
async fn an_entry_of_another_chain_is_found() {
    let (desk, mut copy) = ten().await;
    let other = Record::system("other", AuditClass::System);
    let before = copy.rows()[8].head();
    copy.rows()[9] = seal(&other, &stamp(), &before).unwrap();
    copy.told().head = copy.rows()[9].head();
    assert_eq!(findings(&desk.verify(&copy).await), [(FindingKind::Inserted, Some(10))]);
}

#[tokio::test]
async fn a_chain_that_was_cut_is_found_by_the_head_and_by_the_checkpoint() {
    let (desk, mut copy) = ten().await;
    copy.rows().truncate(5);
    assert_eq!(findings(&desk.verify(&copy).await), [(FindingKind::Truncated, Some(6))]);
    (copy.told().head, copy.told().count) = (copy.rows()[4].head(), 5);
    let found = findings(&desk.verify(&copy).await);
    assert_eq!(found, [(FindingKind::Truncated, Some(6))], "the chain by itself is whole; the checkpoint knows more");
}

#[tokio::test]
async fn a_chain_that_was_written_anew_in_full_is_found_where_it_is_anchored() {
    let (desk, mut copy) = ten().await;
    copy.rewrite(4);
    assert_eq!(findings(&desk.verify(&copy).await), [(FindingKind::Replaced, Some(8))]);
    let (desk, mut copy) = ten().await;
    copy.rewrite(8);
    assert_eq!(findings(&desk.verify(&copy).await), [], "nothing vouches for what no checkpoint has seen");
}

#[tokio::test]
async fn a_chain_that_is_gone_and_one_that_was_begun_anew_are_found() {
    let (desk, mut copy) = ten().await;
    copy.chains.remove(&team());
    assert_eq!(findings(&desk.verify(&copy).await), [(FindingKind::Deleted, None)]);
    let (desk, mut copy) = ten().await;
    copy.rewrite(0);
    copy.rows().truncate(3);
    (copy.told().head, copy.told().count) = (copy.rows()[2].head(), 3);
    assert_eq!(findings(&desk.verify(&copy).await), [(FindingKind::Truncated, Some(4))]);
}

#[tokio::test]
async fn a_beginning_that_is_gone_without_a_permission_is_found() {
    let (desk, mut copy) = ten().await;
    let base = copy.rows()[1].head();
    copy.rows().drain(..2);
    (copy.told().base, copy.told().count) = (base, 8);
    assert_eq!(findings(&desk.verify(&copy).await), [(FindingKind::Trimmed, Some(1))]);
    copy.told().trim = Some("{\"statement\":1}".into());
    assert_eq!(findings(&desk.verify(&copy).await), [(FindingKind::Trimmed, Some(1))]);
}

#[tokio::test]
async fn an_entry_behind_the_head_and_one_without_a_number_are_found() {
    let (desk, mut copy) = ten().await;
    let before = copy.rows()[9].head();
    let record = Record { chain: team(), ..Record::system("x", AuditClass::System) };
    copy.rows().push(seal(&record, &stamp(), &before).unwrap());
    assert_eq!(findings(&desk.verify(&copy).await), [(FindingKind::Inserted, Some(11))]);
}

#[tokio::test]
async fn a_checkpoint_that_was_changed_removed_or_put_in_is_found() {
    let desk = Desk::new();
    for _ in 0..6 {
        desk.write(1).await;
        assert!(desk.audit.anchor().await.unwrap().written);
    }
    let copy = desk.copy().await;
    assert!(desk.verify(&copy).await.intact);
    let whole = desk.notary.log().clone();
    let lines_of = |report: VerifyReport| {
        assert!(!report.intact);
        report.findings.into_iter().map(|finding| (finding.kind, finding.at)).collect::<Vec<_>>()
    };
    desk.notary.log()[2] = whole[2].replace("\"seq\":3", "\"seq\":2");
    let found = lines_of(desk.verify(&copy).await);
    assert_eq!(found, [(FindingKind::Checkpoint, Some(3)), (FindingKind::Checkpoint, Some(4))]);
    *desk.notary.log() = [&whole[..2], &whole[3..]].concat();
    assert_eq!(lines_of(desk.verify(&copy).await), [(FindingKind::Checkpoint, Some(3))]);
    *desk.notary.log() = whole[1..].to_vec();
    assert_eq!(lines_of(desk.verify(&copy).await)[0], (FindingKind::Checkpoint, Some(1)));
    *desk.notary.log() = whole[..5].to_vec();
    assert_eq!(lines_of(desk.verify(&copy).await), [(FindingKind::RolledBack, Some(6))]);
    desk.notary.log().clear();
    assert_eq!(lines_of(desk.verify(&copy).await), [(FindingKind::RolledBack, Some(1))]);
    let stranger = Desk { notary: Arc::new(MemoryNotary::with_secret(&"08".repeat(32))), ..desk };
    *stranger.notary.log() = whole;
    let found = lines_of(stranger.verify(&copy).await);
    assert_eq!(found[..6], (1..=6).map(|line| (FindingKind::Checkpoint, Some(line))).collect::<Vec<_>>());
    assert_eq!(found[6], (FindingKind::RolledBack, Some(1)), "a line of a key that is not trusted counts for nothing");
}

#[tokio::test]
async fn a_trail_at_rest_calls_for_no_further_checkpoint() {
    let desk = Desk::new();
    desk.write(1).await;
    assert!(desk.audit.anchor().await.unwrap().written);
    assert!(desk.audit.anchor().await.unwrap().written, "the first one began the chain of the server");
    for _ in 0..2 {
        let again = desk.audit.anchor().await.unwrap();
        assert_eq!((again.written, again.number), (false, 2));
    }
    desk.write(1).await;
    let next = desk.audit.anchor().await.unwrap();
    assert_eq!((next.written, next.number), (true, 3));
    assert_eq!(desk.notary.log().len(), 3);
    assert!(desk.verify(&desk.copy().await).await.anchored);
}

#[tokio::test]
async fn nodes_that_share_a_log_continue_each_others_checkpoints() {
    let desk = Desk::new();
    let rules = AuditRules::default();
    let other = AuditService::new(Arc::clone(&desk.stores.audit), desk.clock.clone(), Arc::new(RandomMint), rules)
        .with_notary(Some(desk.notary.clone()));
    for round in 0..4 {
        desk.write(1).await;
        let node = if round % 2 == 0 { &desk.audit } else { &other };
        assert_eq!(node.anchor().await.unwrap().number, round + 1);
    }
    let report = desk.verify(&desk.copy().await).await;
    assert!(report.intact, "{report:?}");
}

#[tokio::test]
async fn retention_removes_what_is_old_and_anchored_and_what_is_left_is_verifiable() {
    let desk = Desk::new();
    desk.write(5).await;
    desk.clock.advance(31 * DAY_MS);
    assert_eq!(desk.audit.expire(100).await.unwrap().removed, 0, "nothing vouches for it yet");
    desk.audit.anchor().await.unwrap();
    desk.write(2).await;
    let report = desk.audit.expire(3).await.unwrap();
    assert_eq!((report.removed, report.chains, report.more), (3, 1, true));
    let report = desk.audit.expire(3).await.unwrap();
    assert_eq!((report.removed, report.more), (2, false), "what is younger stays");
    let mut copy = desk.copy().await;
    let report = desk.verify(&copy).await;
    assert!(report.intact, "{report:?}");
    assert_eq!((copy.told().base.seq, copy.rows().first().map(|row| row.seq)), (5, Some(6)));
    let actions: Vec<_> = copy.rows().iter().filter(|row| row.body.contains("audit.trimmed")).collect();
    assert_eq!(actions.len(), 2, "each removal is an entry");
    copy.told().base.hash = Hash::of(b"x");
    assert!(findings(&desk.verify(&copy).await).contains(&(FindingKind::Trimmed, Some(1))));
}

#[tokio::test]
async fn retention_removes_no_evidence() {
    let desk = Desk::new();
    desk.write(3).await;
    let head = desk.stores.audit.state(&team()).await.unwrap().unwrap().head;
    let record = Record { chain: team(), ..Record::system("x", AuditClass::System) };
    let wrong = seal(&record, &stamp(), &Head { seq: head.seq, hash: Hash::of(b"x") }).unwrap();
    let append = mainstay_core::audit::Append { chain: team(), expected: head, entries: vec![wrong] };
    desk.stores.audit.append(append).await.unwrap();
    // The service that wrote before does not know that the head has moved, and looks again.
    desk.write(3).await;
    desk.audit.anchor().await.unwrap();
    desk.clock.advance(31 * DAY_MS);
    desk.write(1).await;
    assert_eq!(desk.audit.expire(100).await.unwrap().removed, 3, "up to the entry that does not continue the chain");
    assert_eq!(desk.audit.expire(100).await.unwrap().removed, 0);
}

#[tokio::test]
async fn a_checkpoint_vouches_for_a_bounded_number_of_chains_and_the_next_one_for_the_rest() {
    let desk = Desk::new();
    for number in 0..4_001 {
        let chain = ChainId::Namespace(Namespace::parse(format!("n{number}")).unwrap());
        desk.audit.record(Record { chain, ..Record::system("x", AuditClass::System) }).await.unwrap();
    }
    assert_eq!(desk.audit.anchor().await.unwrap().chains, 4_000);
    // The chain that was left over, and that of the server, which was told of the first one.
    assert_eq!(desk.audit.anchor().await.unwrap().chains, 2);
    assert!(!desk.audit.anchor().await.unwrap().written);
    let longest = desk.notary.log().iter().map(String::len).max().unwrap();
    assert!(longest < 4 * 1_024 * 1_024, "{longest} bytes");
    let report = desk.verify(&desk.copy().await).await;
    assert!(report.intact && report.anchored, "{:?}", report.findings);
}
