//! The log of checkpoints, read line by line.

use super::checkpoint::{Checkpoint, Mention, Notary};
use super::hash::Hash;
use super::keys::{PublicKey, Signed};
use super::port::Head;
use crate::error::Result;
use mainstay_api::Timestamp;
use mainstay_api::audit::{ChainId, Finding, FindingKind, GENESIS};
use std::collections::BTreeMap;

/// Findings that are kept; one change of an early line makes one, so more say little.
const MAX_FINDINGS: usize = 100;

/// What a checkpoint vouches for in one chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Anchored {
    pub head: Head,
    pub at: Timestamp,
}

/// What the log says, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    /// Every anchor of every chain, in the order of the log.
    pub anchors: BTreeMap<ChainId, Vec<Anchored>>,
    /// What is wrong with the log.
    pub findings: Vec<Finding>,
    /// Lines read.
    pub lines: u64,
    /// Where the next line begins, in bytes.
    pub next: u64,
    /// The number of the last checkpoint.
    pub number: u64,
    /// The hash of the first line.
    pub first: Option<Hash>,
    /// The hash of the last line; zeros before the first.
    pub last: Option<Hash>,
}

impl Ledger {
    /// Reads on to the end of the log. With `newest_only`, one anchor of each chain is kept.
    pub async fn catch_up(&mut self, notary: &dyn Notary, trusted: &[PublicKey], newest_only: bool) -> Result<()> {
        loop {
            let read = notary.read(self.next).await?;
            if read.lines.is_empty() {
                return Ok(());
            }
            for line in &read.lines {
                self.feed(line, trusted, newest_only);
            }
            self.next = read.next;
        }
    }

    /// The name of the log, where it has a line.
    pub fn name(&self) -> Option<String> {
        self.first.map(Mention::log_of)
    }

    /// The newest anchor of a chain.
    pub fn newest(&self, chain: &ChainId) -> Option<Anchored> {
        self.anchors.get(chain).and_then(|anchors| anchors.last()).copied()
    }

    fn feed(&mut self, line: &str, trusted: &[PublicKey], newest_only: bool) {
        self.lines += 1;
        let before = self.last.map_or(GENESIS.to_owned(), |hash| hash.to_string());
        let hash = Hash::of(line.as_bytes());
        self.first.get_or_insert(hash);
        self.last = Some(hash);
        let Ok(signed) = serde_json::from_str::<Signed<Checkpoint>>(line) else {
            return self.found("it is not a checkpoint");
        };
        if !signed.is_by(trusted) {
            return self.found("it is not signed by a trusted key, or was changed after it was signed");
        }
        let checkpoint = signed.statement;
        if checkpoint.previous != before {
            self.found("it does not follow the line before it: a line is missing, was put in or was changed");
        } else if checkpoint.number != self.number + 1 {
            self.found("its number does not follow that of the line before it");
        }
        self.number = checkpoint.number;
        for anchor in checkpoint.chains {
            let Ok(hash) = Hash::parse(&anchor.hash) else { continue };
            let anchored = Anchored { head: Head { seq: anchor.seq, hash }, at: checkpoint.at };
            let anchors = self.anchors.entry(anchor.chain).or_default();
            if newest_only {
                anchors.clear();
            }
            anchors.push(anchored);
        }
    }

    fn found(&mut self, detail: &str) {
        if self.findings.len() < MAX_FINDINGS {
            let (kind, at) = (FindingKind::Checkpoint, Some(self.lines));
            self.findings.push(Finding { kind, at, detail: format!("line {} of the log: {detail}", self.lines) });
        }
    }
}
