//! Documents that outlast an outage of their store.

mod copy;
mod kept;
mod refreshing;
mod replaying;
mod store;

use super::providers::{OutlastingProviders, PoolParts};
use super::{JournalBounds, Journaled, NewEntry, Outage, age_ms, is_away, is_in_doubt, journal_full, noting};
use crate::audit::AuditService;
use crate::documents::{DocumentStore, Transact, Transacted};
use crate::error::{Error, Result};
use crate::mail::RequestMemo;
use crate::providers::ProviderStore;
use crate::providers::credentials::CredentialStore;
use crate::text::hex;
use crate::{Clock, Mint, StoreProbe};
use copy::Copy;
use kept::KeptTransaction;
use mainstay_api::{Namespace, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What entries of the journal that are transactions say.
pub(super) use super::TRANSACTIONS as KIND;
/// What names of copies begin with.
const COPIES: &str = "documents/";
/// How long the store remembers a write of the journal, counted from the attempt: as long as it remembers any.
const MEMO_MS: i64 = crate::mail::REQUEST_MEMO_MS;
/// Namespaces of which a copy is kept: those that were used last.
const MAX_NAMESPACES: usize = 256;
/// Largest copy, in bytes of text: the documents of a namespace that has more are not copied.
const MAX_COPY_BYTES: usize = 64 * 1_024 * 1_024;

/// What is needed besides the outage.
pub struct OutlastingParts {
    /// The store of documents.
    pub documents: Arc<dyn DocumentStore>,
    /// The store of pools of providers.
    pub providers: Arc<dyn ProviderStore>,
    /// The store of credentials of providers.
    pub credentials: Arc<dyn CredentialStore>,
    /// Whether it is there.
    pub probe: Arc<dyn StoreProbe>,
    /// The journal and the copies.
    pub outage: Arc<Outage>,
    /// The audit trail in the store: what was done during an outage is recorded when it is over.
    pub audit: AuditService,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Makes the names of writes that have none.
    pub mint: Arc<dyn Mint>,
}

/// Documents in a store that may go away. While it is there, everything goes to it, and a copy is kept. While it is not,
/// reads are answered from the copy, with what waits applied, and writes are kept in the journal, behind each other. Only an
/// error that says that the store is away leads there; every other error is the answer.
pub struct OutlastingDocuments {
    inner: Arc<dyn DocumentStore>,
    probe: Arc<dyn StoreProbe>,
    outage: Arc<Outage>,
    audit: AuditService,
    clock: Arc<dyn Clock>,
    mint: Arc<dyn Mint>,
    pools: Arc<OutlastingProviders>,
    /// The copies of namespaces that were used; absent where there is none yet.
    spaces: Mutex<BTreeMap<Namespace, Space>>,
}

/// What is known of a namespace.
#[derive(Default)]
struct Space {
    copy: Option<Copy>,
    used_at: Option<Timestamp>,
    /// Whether it is known to be too large for a copy.
    too_large: bool,
}

impl OutlastingDocuments {
    /// Takes up what an earlier process left: its copies, and what waits.
    ///
    /// # Errors
    /// Those of the disk.
    pub async fn open(parts: OutlastingParts) -> Result<Self> {
        let OutlastingParts { documents, providers, credentials, probe, outage, audit, clock, mint } = parts;
        let pools = OutlastingProviders::new(PoolParts {
            providers,
            credentials,
            outage: Arc::clone(&outage),
            clock: Arc::clone(&clock),
            mint: Arc::clone(&mint),
        });
        let this = Self {
            inner: documents,
            probe,
            outage,
            audit,
            clock,
            mint,
            pools: Arc::new(pools),
            spaces: Mutex::default(),
        };
        this.load().await?;
        Ok(this)
    }

    /// Whether there is anything to go on with while the store is away.
    #[must_use]
    pub fn has_copies(&self) -> bool {
        self.lock().values().any(|space| space.copy.is_some()) || self.pools.has_copies()
    }

    /// Notes that the store is away.
    pub fn lost(&self, error: &Error) {
        self.outage.lost(error, self.clock.now());
    }

    /// The pools of providers beside them.
    #[must_use]
    pub fn pools(&self) -> &Arc<OutlastingProviders> {
        &self.pools
    }

    /// Writes down what was only counted so far; for the end of the process.
    pub async fn finish(&self) {
        if let Err(error) = self.pools.flush().await {
            tracing::error!(%error, internal = error.internal, "counts of providers are lost");
        }
    }

    /// Remembers that a namespace is in use.
    fn know(&self, namespace: &Namespace) {
        let now = self.clock.now();
        let mut spaces = self.lock();
        if let Some(space) = spaces.get_mut(namespace) {
            space.used_at = Some(now);
            return;
        }
        if spaces.len() >= MAX_NAMESPACES {
            let oldest = spaces.iter().min_by_key(|(_, space)| space.used_at).map(|(name, _)| name.clone());
            oldest.and_then(|name| spaces.remove(&name));
        }
        spaces.insert(namespace.clone(), Space { used_at: Some(now), ..Space::default() });
    }

    /// Reads from the store, or from the copy where the store is away.
    async fn read<T>(
        &self,
        namespace: &Namespace,
        call: impl Future<Output = Result<T>>,
        copied: impl FnOnce(&Copy) -> T,
    ) -> Result<T> {
        self.know(namespace);
        let error = if self.outage.standing.is_connected() {
            match call.await {
                Err(error) if is_away(&error) => {
                    self.lost(&error);
                    error
                }
                answer => return answer,
            }
        } else {
            self.outage.away()
        };
        self.copied(namespace, copied).ok_or(error)
    }

    fn copied<T>(&self, namespace: &Namespace, read: impl FnOnce(&Copy) -> T) -> Option<T> {
        let now = self.clock.now();
        let spaces = self.lock();
        let copy = spaces.get(namespace)?.copy.as_ref()?;
        noting::stale(age_ms(copy.fresh_at, now));
        Some(read(copy))
    }

    /// Keeps a write that cannot be brought to the store now.
    async fn keep(&self, transact: Transact, memo: RequestMemo, in_doubt: bool) -> Result<Transacted> {
        let namespace = transact.namespace.clone();
        let _order = self.outage.order.lock().await;
        let judged = self.copied(&namespace, |copy| (copy.refuses(&transact), copy.next(transact.now)));
        let Some((refused, position)) = judged else { return Err(self.outage.away()) };
        let request = format!("{namespace} {}", memo.key);
        let kept = KeptTransaction::of(transact, memo, position, in_doubt);
        let body = write(&kept)?;
        let at = self.clock.now();
        let by = kept.by.clone();
        let entry = NewEntry { kind: KIND.into(), request, subject: kept.subject(), body, by, at };
        if let Some(refused) = refused {
            // A repetition of what waits is not judged against itself.
            return Ok(self.repeated(&entry).await?.unwrap_or(refused));
        }
        match self.outage.journal.append(entry, self.outage.bounds).await? {
            Journaled::Kept(seq) => {
                noting::kept(seq);
                let applied =
                    self.lock().get_mut(&namespace).and_then(|space| space.copy.as_mut().map(|copy| copy.apply(&kept)));
                if applied.is_none() {
                    tracing::warn!(%namespace, seq, "a write is kept, and its copy is gone");
                }
                tracing::info!(seq, subject = kept.subject(), "the store is away: a write is kept in the journal");
                Ok(Transacted::Committed(kept.position))
            }
            Journaled::Known(entry) => known(&entry.write.body, &kept),
            Journaled::Full(held) => Err(journal_full(&held)),
        }
    }

    /// The answer to a write that waits already.
    async fn repeated(&self, entry: &NewEntry) -> Result<Option<Transacted>> {
        let bounds = JournalBounds { max_entries: 0, max_bytes: 0 };
        match self.outage.journal.append(entry.clone(), bounds).await? {
            Journaled::Known(found) => known(&found.write.body, &read_kept(&entry.body)?).map(Some),
            Journaled::Kept(_) | Journaled::Full(_) => Ok(None),
        }
    }

    /// A name for a write that came without one: the journal and the store recognise it by that.
    fn memo(&self) -> RequestMemo {
        let until = Timestamp::from_millis(self.clock.now().as_millis() + MEMO_MS);
        RequestMemo { key: format!("outage {}", hex(&self.mint.secret()[..16])), fingerprint: String::new(), until }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Namespace, Space>> {
        self.spaces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn write(kept: &KeptTransaction) -> Result<String> {
    serde_json::to_string(kept).map_err(|e| Error::bug(format!("a transaction cannot be written down: {e}")))
}

fn read_kept(body: &str) -> Result<KeptTransaction> {
    serde_json::from_str(body).map_err(|e| Error::inconsistent(format!("an entry of the journal cannot be read: {e}")))
}

/// What is answered to a repetition of a write that waits.
fn known(found: &str, asked: &KeptTransaction) -> Result<Transacted> {
    let found = read_kept(found)?;
    Ok(match found.memo.fingerprint == asked.memo.fingerprint {
        true => Transacted::Replayed(found.position),
        false => Transacted::MemoMismatch,
    })
}
