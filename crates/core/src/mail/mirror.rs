//! Dual write: every change of mail also goes to a second place.

use super::port::{
    AckOutcome, Acknowledge, Append, Appended, ListPage, ListQuery, MailStore, MarkRead, Merge, RequestMemo, Row,
    TailPage, TailQuery,
};
use crate::error::{Error, Result};
use async_trait::async_trait;
use mainstay_api::mail::{ImportMessage, Imported, InboxCounts, MailStats};
use mainstay_api::{Epoch, InstanceId, MessageId, Namespace, Timestamp};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Mutex;
use tracing::{Instrument, Span};

/// Messages that are copied at a time, at most: copies of one message take turns, and so do those that share a place.
const TURNS: usize = 64;

/// A second place for mail: another store, or a legacy folder.
#[async_trait]
pub trait MailMirror: Send + Sync {
    /// Brings the mirror's copy of a message to this state. Repeating it does no harm.
    async fn put(&self, namespace: &Namespace, message: ImportMessage, now: Timestamp) -> Result<()>;

    /// Where the mirror is, without any secret.
    fn location(&self) -> String;
}

/// Writes to a store and then to its mirror, also where the caller goes away in between. The store decides: a mirror
/// that fails is logged and counted, the write stands, and a parity run finds what is missing.
pub struct MirroredMail {
    pair: Arc<Pair>,
}

struct Pair {
    store: Arc<dyn MailStore>,
    mirror: Arc<dyn MailMirror>,
    failures: AtomicU64,
    turns: [Mutex<()>; TURNS],
}

impl MirroredMail {
    /// A store with a mirror.
    #[must_use]
    pub fn new(store: Arc<dyn MailStore>, mirror: Arc<dyn MailMirror>) -> Self {
        let turns = std::array::from_fn(|_| Mutex::new(()));
        Self { pair: Arc::new(Pair { store, mirror, failures: AtomicU64::new(0), turns }) }
    }
}

/// Lets a write and its copy run to their end: a caller that goes away must not leave the mirror behind the store.
async fn to_the_end<T: Send + 'static>(write: impl Future<Output = Result<T>> + Send + 'static) -> Result<T> {
    match tokio::spawn(write.instrument(Span::current())).await {
        Ok(outcome) => outcome,
        Err(ended) => match ended.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(ended) => Err(Error::bug(format!("a mirrored write ended early: {ended}")).maybe_applied()),
        },
    }
}

impl Pair {
    fn turn(&self, namespace: &Namespace, id: &MessageId) -> &Mutex<()> {
        let mut hasher = DefaultHasher::new();
        (namespace.as_str(), id.as_str()).hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % TURNS as u64).unwrap_or(0);
        &self.turns[place]
    }

    async fn copy(&self, namespace: &Namespace, id: &MessageId, now: Timestamp) {
        let copied = async {
            // The state is read within the turn, so that a copy never brings an older one than the copy before it.
            let _turn = self.turn(namespace, id).lock().await;
            let Some((_, row)) = self.store.find(namespace, id, None, now).await? else {
                return Ok(());
            };
            self.mirror.put(namespace, row.to_import()?, now).await
        };
        if let Err(error) = copied.await {
            let failures = self.failures.fetch_add(1, Ordering::Relaxed) + 1;
            tracing::warn!(
                %id, %error, failures, mirror = self.mirror.location(),
                "the mirror was not written; `mainstay mirror repair` copies what is missing"
            );
        }
    }
}

#[async_trait]
impl MailStore for MirroredMail {
    async fn append(&self, append: Append) -> Result<Appended> {
        let (namespace, id, now) = (append.namespace.clone(), append.id.clone(), append.now);
        let pair = Arc::clone(&self.pair);
        to_the_end(async move {
            let appended = pair.store.append(append).await?;
            match &appended {
                Appended::Stored { .. } => pair.copy(&namespace, &id, now).await,
                Appended::Replayed(first) => pair.copy(&namespace, first, now).await,
                _ => {}
            }
            Ok(appended)
        })
        .await
    }

    async fn merge(&self, merge: Merge) -> Result<Imported> {
        let (namespace, id, now) = (merge.append.namespace.clone(), merge.append.id.clone(), merge.append.now);
        let dry_run = merge.dry_run;
        let pair = Arc::clone(&self.pair);
        to_the_end(async move {
            let merged = pair.store.merge(merge).await?;
            if !dry_run && merged != Imported::Conflict {
                pair.copy(&namespace, &id, now).await;
            }
            Ok(merged)
        })
        .await
    }

    async fn acknowledge(&self, acknowledge: Acknowledge) -> Result<AckOutcome> {
        let (namespace, id, now) = (acknowledge.namespace.clone(), acknowledge.id.clone(), acknowledge.ack.at);
        let pair = Arc::clone(&self.pair);
        to_the_end(async move {
            let outcome = pair.store.acknowledge(acknowledge).await?;
            if matches!(outcome, AckOutcome::Stands { .. }) {
                pair.copy(&namespace, &id, now).await;
            }
            Ok(outcome)
        })
        .await
    }

    async fn recall(&self, namespace: &Namespace, memo: &RequestMemo, now: Timestamp) -> Result<Option<Appended>> {
        self.pair.store.recall(namespace, memo, now).await
    }

    async fn find(
        &self,
        namespace: &Namespace,
        id: &MessageId,
        viewer: Option<&InstanceId>,
        now: Timestamp,
    ) -> Result<Option<(Epoch, Row)>> {
        self.pair.store.find(namespace, id, viewer, now).await
    }

    async fn list(&self, query: ListQuery) -> Result<ListPage> {
        self.pair.store.list(query).await
    }

    async fn tail(&self, query: TailQuery) -> Result<TailPage> {
        self.pair.store.tail(query).await
    }

    async fn mark_read(&self, mark: MarkRead) -> Result<u32> {
        self.pair.store.mark_read(mark).await
    }

    async fn join(&self, namespace: &Namespace, instance: &InstanceId, now: Timestamp) -> Result<bool> {
        self.pair.store.join(namespace, instance, now).await
    }

    async fn counts(&self, namespace: &Namespace, instance: &InstanceId) -> Result<InboxCounts> {
        self.pair.store.counts(namespace, instance).await
    }

    async fn stats(&self, namespace: &Namespace) -> Result<MailStats> {
        self.pair.store.stats(namespace).await
    }

    async fn purge(&self, now: Timestamp, members_since: Timestamp, limit: u32) -> Result<u32> {
        self.pair.store.purge(now, members_since, limit).await
    }
}

/// Another store as a mirror, under its own rules.
pub struct StoreMirror {
    service: super::MailService,
    location: String,
}

impl StoreMirror {
    /// A mirror on the mail of another store.
    #[must_use]
    pub fn new(service: super::MailService, location: String) -> Self {
        Self { service, location }
    }
}

#[async_trait]
impl MailMirror for StoreMirror {
    async fn put(&self, namespace: &Namespace, message: ImportMessage, _now: Timestamp) -> Result<()> {
        self.service.import_one(namespace, message).await
    }

    fn location(&self) -> String {
        self.location.clone()
    }
}
