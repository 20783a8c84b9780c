//! The walk along one chain, from where it begins to its head.

use super::checkpoint::{Mention, permits};
use super::hash::Hash;
use super::keys::PublicKey;
use super::ledger::Anchored;
use super::port::{ChainState, Head, Sealed};
use mainstay_api::audit::{AuditEntry, ChainId, ChainReport, Finding, FindingKind};
use std::collections::BTreeMap;

/// The action of the entries that tell of checkpoints.
pub(super) const CHECKPOINTED: &str = "audit.checkpointed";
/// Findings of one chain that are kept.
const MAX_FINDINGS: usize = 100;

/// A walk under way.
pub(super) struct Walk<'a> {
    chain: &'a ChainId,
    state: &'a ChainState,
    anchors: BTreeMap<u64, Vec<Anchored>>,
    /// The last entry passed: its number, and the hash that its bytes have.
    place: Head,
    /// The hash that was kept with it.
    kept: Hash,
    /// Whether something is wrong with it: what follows from that is not told again.
    doubtful: bool,
    /// By how many numbers the next page begins behind the place, because nothing there has a number of its own.
    skipped: u64,
    entries: u64,
    anchored: Option<Anchored>,
    findings: Vec<Finding>,
    /// The checkpoints that entries tell of: the newest of each log.
    pub mentions: BTreeMap<String, u64>,
}

impl<'a> Walk<'a> {
    pub fn begin(chain: &'a ChainId, state: &'a ChainState, anchors: &[Anchored], trusted: &[PublicKey]) -> Self {
        let mut by_seq: BTreeMap<u64, Vec<Anchored>> = BTreeMap::new();
        for anchor in anchors {
            let known = by_seq.entry(anchor.head.seq).or_default();
            // The first word on a place counts for its time; the same word again says nothing new.
            if !known.iter().any(|other| other.head == anchor.head) {
                known.push(*anchor);
            }
        }
        let mut walk = Self {
            chain,
            state,
            anchors: by_seq,
            place: state.base,
            kept: state.base.hash,
            doubtful: false,
            skipped: 0,
            entries: 0,
            anchored: None,
            findings: Vec::new(),
            mentions: BTreeMap::new(),
        };
        let base = state.base;
        if base != Head::GENESIS && !permits(state.trim.as_deref(), chain, base, trusted) {
            let detail = format!("the entries up to {} are gone, and no trusted key signed that they may be", base.seq);
            walk.found(FindingKind::Trimmed, Some(1), detail);
        }
        walk.pass_anchors(base);
        walk
    }

    /// Where the next page begins.
    pub fn after(&self) -> u64 {
        self.place.seq + self.skipped
    }

    /// Goes on behind a page that held nothing but entries without a number of their own.
    pub fn skip(&mut self) {
        self.skipped += 1;
    }

    /// Whether the head has been reached.
    pub fn is_over(&self) -> bool {
        self.after() >= self.state.head.seq
    }

    /// Passes one entry.
    pub fn pass(&mut self, row: &Sealed) {
        let hash = Hash::of(row.body.as_bytes());
        if row.seq <= self.place.seq {
            let detail = format!("an entry stands under a number that no entry has, behind {}", self.place.seq);
            self.found(FindingKind::Inserted, Some(self.place.seq), detail);
            self.doubtful = true;
            return;
        }
        if row.seq > self.place.seq + 1 {
            let (first, last) = (self.place.seq + 1, row.seq - 1);
            self.found(FindingKind::Removed, Some(first), format!("the entries {first} to {last} are missing"));
            self.doubtful = true;
        }
        self.entries += 1;
        let wrong = self.judge(row, hash);
        let doubtful = wrong.is_some();
        if let Some((kind, detail)) = wrong {
            self.found(kind, Some(row.seq), detail);
        }
        (self.place, self.kept, self.doubtful) = (Head { seq: row.seq, hash }, row.hash, doubtful);
        self.skipped = 0;
        self.pass_anchors(self.place);
    }

    fn judge(&mut self, row: &Sealed, hash: Hash) -> Option<(FindingKind, String)> {
        if hash != row.hash {
            return Some((
                FindingKind::Changed,
                format!("entry {} does not have the hash that it was kept with", row.seq),
            ));
        }
        let Ok(entry) = serde_json::from_str::<AuditEntry>(&row.body) else {
            return Some((FindingKind::Changed, format!("entry {} cannot be read", row.seq)));
        };
        if entry.chain != *self.chain {
            let detail = format!("entry {} was written for the chain {}", row.seq, entry.chain);
            return Some((FindingKind::Inserted, detail));
        }
        if entry.seq != row.seq {
            let detail = format!("what stands as entry {} was written as entry {}", row.seq, entry.seq);
            return Some((FindingKind::Reordered, detail));
        }
        let follows = entry.prev == self.place.hash.to_string() || entry.prev == self.kept.to_string();
        if !follows && !self.doubtful {
            let detail = format!("entry {} does not continue the entry before it", row.seq);
            return Some((FindingKind::Inserted, detail));
        }
        if entry.action == CHECKPOINTED
            && let Some(mention) = entry.resource.and_then(|resource| Mention::parse(&resource.id?))
        {
            let newest = self.mentions.entry(mention.log).or_default();
            *newest = mention.number.max(*newest);
        }
        None
    }

    /// Compares a place with what checkpoints say of it.
    fn pass_anchors(&mut self, place: Head) {
        for anchor in self.anchors.remove(&place.seq).unwrap_or_default() {
            if anchor.head == place {
                self.anchored = Some(anchor);
            } else {
                let detail =
                    format!("entry {} is another one than at {}, when a checkpoint was made", place.seq, anchor.at);
                self.found(FindingKind::Replaced, Some(place.seq), detail);
            }
        }
    }

    /// Ends the walk where nothing follows; with the first entry behind the head, where one stands there.
    pub fn end(mut self, beyond: Option<&Sealed>) -> (ChainReport, BTreeMap<String, u64>) {
        let head = self.state.head;
        if self.place.seq < head.seq {
            let first = self.place.seq + 1;
            let detail =
                format!("the entries from {first} on are missing; the store says that {} is the last", head.seq);
            self.found(FindingKind::Truncated, Some(first), detail);
        } else if self.place != head && !self.doubtful {
            self.found(FindingKind::Head, Some(head.seq), "the last entry is not what the store says it is".into());
        }
        if let Some(beyond) = beyond {
            let detail = format!("entry {} stands behind the last one that the store tells of", beyond.seq);
            self.found(FindingKind::Inserted, Some(beyond.seq), detail);
        }
        let expected = head.seq.saturating_sub(self.state.base.seq);
        if self.state.count != expected {
            let detail = format!("the store counts {} entries; there should be {expected}", self.state.count);
            self.found(FindingKind::Head, None, detail);
        }
        let newest = self.anchors.values().flatten().filter(|anchor| anchor.head.seq > head.seq);
        if let Some(newest) = newest.max_by_key(|anchor| anchor.head.seq).copied() {
            let detail = format!(
                "the chain ends with entry {}, but at {}, when a checkpoint was made, it had {}",
                head.seq, newest.at, newest.head.seq
            );
            self.found(FindingKind::Truncated, Some(head.seq + 1), detail);
        }
        let report = ChainReport {
            chain: self.chain.clone(),
            intact: self.findings.is_empty(),
            entries: self.entries,
            seq: head.seq,
            base_seq: self.state.base.seq,
            anchored_seq: self.anchored.map(|anchor| anchor.head.seq),
            anchored_at: self.anchored.map(|anchor| anchor.at),
            not_anchored: head.seq - self.anchored.map_or(self.state.base.seq, |anchor| anchor.head.seq).min(head.seq),
            findings: self.findings,
        };
        (report, self.mentions)
    }

    fn found(&mut self, kind: FindingKind, at: Option<u64>, detail: String) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(Finding { kind, at, detail });
        }
    }
}

/// The report on a chain that is gone.
pub(super) fn gone(chain: &ChainId, newest: &Anchored) -> ChainReport {
    let detail =
        format!("the chain is gone; at {}, when a checkpoint was made, it had {} entries", newest.at, newest.head.seq);
    ChainReport {
        chain: chain.clone(),
        intact: false,
        entries: 0,
        seq: 0,
        base_seq: 0,
        anchored_seq: None,
        anchored_at: None,
        not_anchored: 0,
        findings: vec![Finding { kind: FindingKind::Deleted, at: None, detail }],
    }
}
