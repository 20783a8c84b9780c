//! A copy of a collection in this process: changes reach it within moments, nobody waits for the store, and where the store is
//! away it says how old it is.

use mainstay_core::api::Timestamp;
use mainstay_core::api::documents::{Document, DocumentKey};
use mainstay_core::documents::{CollectionPlace, DocumentService, OpenedCollection};
use mainstay_core::{Clock, Topic};
use mainstay_hub::{Hub, Wake};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Longest time between two looks while nothing is heard.
const LOOK_EVERY: Duration = Duration::from_secs(3);
/// How long a look may take before the store counts as away.
const LOOK_WITHIN: Duration = Duration::from_secs(5);
/// Age from which a copy is stale, in milliseconds: looks have failed, or take too long.
const STALE_AFTER_MS: i64 = 10_000;

/// What a copy knows. It holds secrets, and has no form for a log.
#[derive(Clone)]
pub struct Copied {
    /// The documents, with their secrets; one copy for all readers.
    pub collection: Arc<OpenedCollection>,
    /// When it was last found to be what the store has.
    pub looked_at: Timestamp,
    /// Whether the store was away at the last look.
    pub away: bool,
}

impl Copied {
    /// A document that has not ended.
    #[must_use]
    pub fn document(&self, key: &DocumentKey, now: Timestamp) -> Option<&Document> {
        let documents = &self.collection.documents;
        let found = documents.iter().find(|document| document.key == *key)?;
        (found.expires_at.is_none_or(|at| at > now)).then_some(found)
    }

    /// How long ago it was what the store has, in milliseconds.
    #[must_use]
    pub fn age_ms(&self, now: Timestamp) -> i64 {
        (now.as_millis() - self.looked_at.as_millis()).max(0)
    }

    /// Whether the store may have something newer that nobody could read.
    #[must_use]
    pub fn is_stale(&self, now: Timestamp) -> bool {
        self.away || self.age_ms(now) > STALE_AFTER_MS
    }
}

/// What a copy is made of.
#[derive(Clone)]
pub struct WatchedParts {
    /// Where it is read.
    pub documents: Arc<DocumentService>,
    /// Where changes are heard.
    pub hub: Hub,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// What is copied.
    pub place: CollectionPlace,
}

/// A copy of a collection, kept by a task until it is dropped or told to stop.
pub struct Watched {
    parts: WatchedParts,
    copied: watch::Receiver<Option<Copied>>,
    stop: CancellationToken,
}

impl Watched {
    /// A copy that is empty until its first look has succeeded.
    ///
    /// # Panics
    /// Outside a Tokio runtime.
    #[must_use]
    pub fn start(parts: WatchedParts, shutdown: &CancellationToken) -> Self {
        let (sender, copied) = watch::channel(None);
        let stop = shutdown.child_token();
        tokio::spawn(keep(parts.clone(), sender, stop.clone()));
        Self { parts, copied, stop }
    }

    /// What the copy knows; absent where no look has succeeded yet. Never waits.
    #[must_use]
    pub fn now(&self) -> Option<Copied> {
        self.copied.borrow().clone()
    }

    /// What the copy knows, after its first look where there was none yet; absent where the store does not answer in time.
    pub async fn ready(&self) -> Option<Copied> {
        let mut copied = self.copied.clone();
        let first = tokio::time::timeout(LOOK_WITHIN, copied.wait_for(Option::is_some)).await;
        first.ok()?.ok()?.clone()
    }

    /// Waits until the copy is another one, for whoever keeps something made of it.
    pub async fn changed(&self, known: &Arc<OpenedCollection>) {
        let mut copied = self.copied.clone();
        let other =
            |copied: &Option<Copied>| copied.as_ref().is_some_and(|copied| !Arc::ptr_eq(&copied.collection, known));
        if copied.wait_for(other).await.is_err() {
            // The copy has ended; nothing will change any more.
            std::future::pending::<()>().await;
        }
    }

    /// What is copied.
    #[must_use]
    pub fn place(&self) -> &CollectionPlace {
        &self.parts.place
    }
}

impl Drop for Watched {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn keep(parts: WatchedParts, sender: watch::Sender<Option<Copied>>, stop: CancellationToken) {
    // Before the first read, so that what changes between a read and a wait is heard.
    let mut wakes = parts.hub.watch(Topic::Documents(parts.place.namespace.clone()));
    loop {
        if stop.run_until_cancelled(look(&parts, &sender)).await.is_none() {
            return;
        }
        match stop.run_until_cancelled(wakes.changed(LOOK_EVERY)).await {
            None | Some(Wake::Closed) => return,
            Some(_) => {}
        }
    }
}

/// Looks once: what has changed takes the place of the copy; where nothing has, the copy is as good as new.
async fn look(parts: &WatchedParts, sender: &watch::Sender<Option<Copied>>) {
    let known = sender.borrow().clone();
    let position = known.as_ref().map(|copied| &copied.collection.position);
    let read = tokio::time::timeout(LOOK_WITHIN, parts.documents.opened_since(&parts.place, position)).await;
    let now = parts.clock.now();
    match (read, known) {
        (Ok(Ok(Some(collection))), _) => {
            sender.send_replace(Some(Copied { collection: Arc::new(collection), looked_at: now, away: false }));
        }
        (Ok(Ok(None)), Some(known)) => {
            if known.away {
                tracing::info!(collection = %parts.place.collection, "the copy is fresh again");
            }
            sender.send_replace(Some(Copied { looked_at: now, away: false, ..known }));
        }
        (Ok(Ok(None)), None) => {}
        (failed, known) => {
            let error = failed.ok().and_then(Result::err).map(|error| error.to_string());
            let error = error.unwrap_or_else(|| "no answer in time".into());
            let Some(known) = known else {
                tracing::warn!(collection = %parts.place.collection, %error, "a collection cannot be read");
                return;
            };
            if !known.away {
                tracing::warn!(collection = %parts.place.collection, %error, "the store is away; going on from the copy");
            }
            sender.send_replace(Some(Copied { away: true, ..known }));
        }
    }
}
