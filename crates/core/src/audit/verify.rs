//! Verification: every chain, and the checkpoints that vouch for them.

use super::checkpoint::Notary;
use super::keys::PublicKey;
use super::ledger::{Anchored, Ledger};
use super::port::{AuditStore, ChainState, Order, PageQuery, Sealed};
use super::walk::{Walk, gone};
use crate::error::Result;
use async_trait::async_trait;
use mainstay_api::Timestamp;
use mainstay_api::audit::{ChainId, ChainReport, Finding, FindingKind, VerifyReport};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Entries read at a time.
const PAGE: u32 = 1_000;
/// How often a chain is read again because retention shortened it meanwhile.
const MAX_ROUNDS: usize = 3;

/// Where a verification reads: a store, or the API of a server that it does not trust.
#[async_trait]
pub trait Trail: Send + Sync {
    /// Every chain.
    async fn chains(&self) -> Result<Vec<ChainId>>;
    /// Where a chain begins and ends.
    async fn state(&self, chain: &ChainId) -> Result<Option<ChainState>>;
    /// Entries of a chain in order; none where nothing follows.
    async fn page(&self, query: PageQuery) -> Result<Vec<Sealed>>;
}

/// A store as a trail.
pub(super) struct StoreTrail(pub Arc<dyn AuditStore>);

#[async_trait]
impl Trail for StoreTrail {
    async fn chains(&self) -> Result<Vec<ChainId>> {
        self.0.chains().await
    }

    async fn state(&self, chain: &ChainId) -> Result<Option<ChainState>> {
        self.0.state(chain).await
    }

    async fn page(&self, query: PageQuery) -> Result<Vec<Sealed>> {
        self.0.page(query).await
    }
}

/// What to verify, and against what.
pub struct Verification<'a> {
    /// The trail.
    pub trail: &'a dyn Trail,
    /// The log of checkpoints; none where there is none to compare with.
    pub notary: Option<&'a dyn Notary>,
    /// Keys whose signatures count.
    pub trusted: Vec<PublicKey>,
    /// Only this chain.
    pub only: Option<ChainId>,
    /// The present.
    pub now: Timestamp,
}

impl Verification<'_> {
    /// Walks along every chain and compares it with every checkpoint.
    ///
    /// # Errors
    /// Those of the trail and of the log; what is wrong with the chains is no error but a finding.
    pub async fn run(&self) -> Result<VerifyReport> {
        // First the log, then the chains: they only grow, so that what the log says of them is true of them later.
        let mut ledger = Ledger::default();
        if let Some(notary) = self.notary {
            ledger.catch_up(notary, &self.trusted, false).await?;
        }
        let (mut chains, mut mentions) = (Vec::new(), BTreeMap::new());
        for chain in self.chains(&ledger).await? {
            let anchors = ledger.anchors.get(&chain).map_or(&[][..], Vec::as_slice);
            if let Some((report, told)) = self.chain(&chain, anchors).await? {
                chains.push(report);
                mentions.extend(told);
            }
        }
        let mut findings = ledger.findings.clone();
        if self.notary.is_some() {
            findings.extend(rolled_back(&ledger, &mentions));
        }
        let whole = self.only.is_none() && chains.iter().all(|chain| chain.intact);
        Ok(VerifyReport {
            intact: findings.is_empty() && chains.iter().all(|chain| chain.intact),
            anchored: !chains.is_empty() && chains.iter().all(|chain| chain.anchored_seq.is_some()),
            checkpoints: ledger.lines,
            keys: self.trusted.iter().map(PublicKey::id).collect(),
            notices: self.notices(&ledger, &mentions, whole),
            chains,
            findings,
            at: self.now,
        })
    }

    /// The chains that there are, and those that there were.
    async fn chains(&self, ledger: &Ledger) -> Result<BTreeSet<ChainId>> {
        if let Some(only) = &self.only {
            return Ok(BTreeSet::from([only.clone()]));
        }
        let mut chains: BTreeSet<ChainId> = self.trail.chains().await?.into_iter().collect();
        chains.extend(ledger.anchors.keys().cloned());
        // It may be missing from the list because it was taken out of it.
        chains.insert(ChainId::Server);
        Ok(chains)
    }

    async fn chain(
        &self,
        chain: &ChainId,
        anchors: &[Anchored],
    ) -> Result<Option<(ChainReport, BTreeMap<String, u64>)>> {
        let mut rounds = 0;
        loop {
            rounds += 1;
            let Some(state) = self.trail.state(chain).await? else {
                let newest = anchors.iter().max_by_key(|anchor| anchor.head.seq);
                return Ok(newest.map(|newest| (gone(chain, newest), BTreeMap::new())));
            };
            let walked = self.walk(chain, &state, anchors).await?;
            if walked.0.intact || rounds == MAX_ROUNDS {
                return Ok(Some(walked));
            }
            // Retention may have removed what was about to be read: then the walk begins anew where the chain does.
            if self.trail.state(chain).await?.is_some_and(|now| now.base == state.base) {
                return Ok(Some(walked));
            }
        }
    }

    async fn walk(
        &self,
        chain: &ChainId,
        state: &ChainState,
        anchors: &[Anchored],
    ) -> Result<(ChainReport, BTreeMap<String, u64>)> {
        let page = |after| self.trail.page(PageQuery { chain: chain.clone(), order: Order::After(after), limit: PAGE });
        let mut walk = Walk::begin(chain, state, anchors, &self.trusted);
        while !walk.is_over() {
            let after = walk.after();
            let rows = page(after).await?;
            if rows.is_empty() {
                break;
            }
            rows.iter().take_while(|row| row.seq <= state.head.seq).for_each(|row| walk.pass(row));
            if rows.iter().any(|row| row.seq > state.head.seq) {
                break;
            }
            if walk.after() == after {
                walk.skip();
            }
        }
        let beyond = page(state.head.seq).await?;
        // What was appended meanwhile stands behind the head that was read, and rightly so.
        let grew = !beyond.is_empty() && self.trail.state(chain).await?.is_none_or(|now| now.head != state.head);
        Ok(walk.end(beyond.first().filter(|_| !grew)))
    }

    fn notices(&self, ledger: &Ledger, mentions: &BTreeMap<String, u64>, whole: bool) -> Vec<String> {
        let mut notices = Vec::new();
        if self.trusted.is_empty() {
            notices.push("no key is trusted, so no signature counts: name one with --public-key".into());
        }
        if ledger.lines == 0 {
            notices.push(
                "there is no checkpoint: whoever can write to the store could have cut off the end of a chain, \
                deleted chains, or written them anew"
                    .into(),
            );
        }
        let own = ledger.name();
        for (log, number) in mentions.iter().filter(|(log, _)| own.as_ref() != Some(*log)) {
            notices.push(format!(
                "the trail tells of another log of checkpoints, {log}, up to number {number}: another node's, or one that \
                was replaced"
            ));
        }
        if whole && ledger.number > 0 && mentions.is_empty() {
            notices.push("the trail tells of no checkpoint, though the log has some".into());
        }
        notices
    }
}

/// The finding that the log ends before a checkpoint that the trail tells of.
fn rolled_back(ledger: &Ledger, mentions: &BTreeMap<String, u64>) -> Option<Finding> {
    let Some(own) = ledger.name() else {
        let (log, number) = mentions.iter().max_by_key(|(_, number)| **number)?;
        let detail = format!(
            "the log of checkpoints is empty or missing, yet the trail tells of number {number} of the log {log}"
        );
        return Some(Finding { kind: FindingKind::RolledBack, at: Some(1), detail });
    };
    let told = *mentions.get(&own).filter(|told| **told > ledger.number)?;
    let detail = format!("the log ends with checkpoint {}, yet the trail tells of number {told}", ledger.number);
    Some(Finding { kind: FindingKind::RolledBack, at: Some(ledger.number + 1), detail })
}
