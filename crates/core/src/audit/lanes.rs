//! Appending: one writer for each chain and process, which takes along everything that waits.

use super::port::{Append, Appended, AuditStore, Head, Sealed};
use super::record::{Record, Stamp, seal};
use super::service::{AuditRules, Recorded};
use crate::error::{Error, Result};
use mainstay_api::Code;
use mainstay_api::audit::ChainId;
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::time::Instant;

/// Entries that one append takes along at most.
const MAX_BATCH: usize = 128;
/// Chains whose head is remembered; beyond it a chain that is at rest is forgotten and read again when needed.
const MAX_IDLE_LANES: usize = 10_000;
/// First pause before an append is tried again; it doubles up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(1);
/// Longest pause before an append is tried again.
const MAX_PAUSE: Duration = Duration::from_millis(64);

/// The writers of one process.
pub(super) struct Lanes {
    store: Arc<dyn AuditStore>,
    rules: AuditRules,
    lanes: Mutex<HashMap<ChainId, Lane>>,
}

/// What waits for one chain.
#[derive(Default)]
struct Lane {
    waiting: VecDeque<Waiting>,
    /// Whether a task is at work on it.
    running: bool,
    /// The head, as far as this process knows.
    head: Option<Head>,
}

/// A record that waits for its entry.
pub(super) struct Waiting {
    pub record: Record,
    pub stamp: Stamp,
    pub reply: oneshot::Sender<Result<Recorded>>,
}

impl Lanes {
    pub fn new(store: Arc<dyn AuditStore>, rules: AuditRules) -> Self {
        Self { store, rules, lanes: Mutex::default() }
    }

    /// Queues a record; a task of its own appends it, so that a caller who goes away leaves nothing half done.
    pub fn push(self: &Arc<Self>, waiting: Waiting) -> Result<()> {
        let chain = waiting.record.chain.clone();
        let mut lanes = self.lock();
        if lanes.len() >= MAX_IDLE_LANES && !lanes.contains_key(&chain) {
            lanes.retain(|_, lane| lane.running);
        }
        let lane = lanes.entry(chain.clone()).or_default();
        if lane.waiting.len() >= self.rules.max_queue {
            return Err(unavailable("more entries wait for the audit trail than may", "its queue is full"));
        }
        lane.waiting.push_back(waiting);
        if !std::mem::replace(&mut lane.running, true) {
            tokio::spawn(drain(Work { lanes: Arc::clone(self), chain }));
        }
        Ok(())
    }

    /// What the next append takes along, and the head as far as it is known; `None` where nothing waits, and the lane
    /// is then at rest.
    fn take(&self, chain: &ChainId) -> Option<(Vec<Waiting>, Option<Head>)> {
        let mut lanes = self.lock();
        let lane = lanes.get_mut(chain)?;
        let count = lane.waiting.len().min(MAX_BATCH);
        if count == 0 {
            lane.running = false;
            return None;
        }
        Some((lane.waiting.drain(..count).collect(), lane.head))
    }

    fn remember(&self, chain: &ChainId, head: Option<Head>) {
        if let Some(lane) = self.lock().get_mut(chain) {
            lane.head = head;
        }
    }

    /// Appends a batch behind whatever is the head. An answer that was lost is asked for again with the same entries,
    /// which the store recognises.
    async fn append(&self, chain: &ChainId, known: Option<Head>, batch: &[Waiting]) -> Result<Vec<Sealed>> {
        let deadline = Instant::now() + Duration::from_millis(self.rules.append_timeout_ms);
        let mut head = match known {
            Some(head) => head,
            None => self.store.state(chain).await?.map_or(Head::GENESIS, |state| state.head),
        };
        let mut pause = FIRST_PAUSE;
        loop {
            let entries = seal_all(batch, head)?;
            let append = Append { chain: chain.clone(), expected: head, entries: entries.clone() };
            match self.store.append(append).await {
                Ok(Appended::Appended) => return Ok(entries),
                Ok(Appended::Moved(to)) if Instant::now() < deadline => {
                    if to.seq < head.seq {
                        tracing::error!(%chain, was = head.seq, is = to.seq, "the audit trail has lost its end");
                    }
                    // At once: a head grows older while one waits, and so a busy chain would never be caught up with.
                    head = to;
                    continue;
                }
                Ok(Appended::Moved(_)) => {
                    return Err(Error::new(Code::StoreBusy, "other writers of the chain were always first", ""));
                }
                Err(error) if error.problem.retryable && Instant::now() < deadline => {
                    tracing::debug!(%chain, %error, "an append to the audit trail is tried again");
                }
                Err(error) => return Err(error),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ChainId, Lane>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A lane at work. Where the task ends early, who waits is told, and the next record starts a new one.
struct Work {
    lanes: Arc<Lanes>,
    chain: ChainId,
}

impl Drop for Work {
    fn drop(&mut self) {
        let mut lanes = self.lanes.lock();
        if lanes.get(&self.chain).is_some_and(|lane| lane.running) {
            lanes.remove(&self.chain);
        }
    }
}

async fn drain(work: Work) {
    let Work { lanes, chain } = &work;
    while let Some((batch, head)) = lanes.take(chain) {
        match lanes.append(chain, head, &batch).await {
            Ok(entries) => {
                lanes.remember(chain, entries.last().map(Sealed::head));
                for (waiting, entry) in batch.into_iter().zip(entries) {
                    let recorded = Recorded { chain: chain.clone(), seq: entry.seq, hash: entry.hash };
                    // Fails where the caller has gone: the entry stands all the same.
                    waiting.reply.send(Ok(recorded)).ok();
                }
            }
            Err(error) => {
                tracing::warn!(%chain, %error, internal = error.internal, "the audit trail cannot be written");
                lanes.remember(chain, None);
                for waiting in batch {
                    waiting.reply.send(Err(unavailable(&error.problem.detail, &error.to_string()))).ok();
                }
            }
        }
    }
}

fn seal_all(batch: &[Waiting], head: Head) -> Result<Vec<Sealed>> {
    let mut entries = Vec::with_capacity(batch.len());
    let mut before = head;
    for waiting in batch {
        let entry = seal(&waiting.record, &waiting.stamp, &before)?;
        before = entry.head();
        entries.push(entry);
    }
    Ok(entries)
}

/// The error for an act that may not take place, because it cannot be recorded.
pub(super) fn unavailable(detail: &str, internal: &str) -> Error {
    Error::new(
        Code::AuditUnavailable,
        format!("it could not be recorded in the audit trail: {detail}"),
        "Repeat the call; if it persists, see /health and the log. The act itself did not take place.",
    )
    .retry_after_ms(1_000)
    .internal(internal)
}
