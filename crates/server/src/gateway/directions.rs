//! What documents of a namespace say to the gateway: which pools answer, and what tokens cost.
//!
//! *Invariant:* a change never holds up a request. Only the first request of a namespace waits for its documents; afterwards they
//! are read in the background, and the last ones that could be read hold.

use async_trait::async_trait;
use mainstay_core::api::documents::{CollectionName, DocumentKey};
use mainstay_core::api::{Namespace, RawJson};
use mainstay_core::documents::{DocumentName, DocumentStore};
use mainstay_core::providers::keys::PriceTable;
use mainstay_core::{Clock, Error, Result, Topic};
use mainstay_gateway::serving::{Routing, RoutingSource};
use mainstay_hub::{Hub, Wake, Watch};
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Most namespaces whose documents are followed; the one that was asked for longest ago makes room.
const MAX_NAMESPACES: usize = 256;
/// How old what is known may become where no wake-up comes: one may be lost.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// A namespace that nobody has asked for within this is not followed any more.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60 * 60);

/// What is said.
#[derive(Debug, Default)]
pub(super) struct Said {
    /// Which pools answer.
    pub routing: Arc<Routing>,
    /// What tokens cost.
    pub prices: Arc<PriceTable>,
}

/// Reads and follows the documents `settings/main`, `settings/gateway` and `settings/prices`.
pub(super) struct Directions {
    parts: DirectionParts,
    known: Mutex<HashMap<Namespace, Arc<Followed>>>,
}

/// What directions need.
pub(super) struct DirectionParts {
    pub documents: Arc<dyn DocumentStore>,
    pub hub: Hub,
    pub clock: Arc<dyn Clock>,
}

/// A namespace that is followed.
struct Followed {
    said: Mutex<Arc<Said>>,
    asked_at_ms: AtomicI64,
}

impl Directions {
    /// Directions that nobody has asked for yet.
    pub fn new(parts: DirectionParts) -> Arc<Self> {
        Arc::new(Self { parts, known: Mutex::default() })
    }

    /// What is said to a namespace.
    ///
    /// # Errors
    /// Those of the store, as long as nothing is known.
    pub async fn of(self: &Arc<Self>, namespace: &Namespace) -> Result<Arc<Said>> {
        let now_ms = self.parts.clock.now().as_millis();
        if let Some(followed) = self.known().get(namespace) {
            followed.asked_at_ms.store(now_ms, Ordering::Relaxed);
            return Ok(followed.said());
        }
        // Watched before it is read: then no change falls between.
        let watch = self.parts.hub.watch(Topic::Documents(namespace.clone()));
        let said = Arc::new(self.read(namespace, &Said::default()).await?);
        let followed = Arc::new(Followed { said: Mutex::new(Arc::clone(&said)), asked_at_ms: AtomicI64::new(now_ms) });
        {
            let mut known = self.known();
            if let Some(first) = known.get(namespace) {
                return Ok(first.said());
            }
            if known.len() >= MAX_NAMESPACES {
                let asked_at = |followed: &Followed| followed.asked_at_ms.load(Ordering::Relaxed);
                let oldest = known.iter().min_by_key(|(_, followed)| asked_at(followed)).map(|(name, _)| name.clone());
                oldest.and_then(|name| known.remove(&name));
            }
            known.insert(namespace.clone(), Arc::clone(&followed));
        }
        tokio::spawn(Arc::clone(self).follow(namespace.clone(), followed, watch));
        Ok(said)
    }

    /// Reads again whenever something may have changed, for as long as somebody asks. Ends with the hub.
    async fn follow(self: Arc<Self>, namespace: Namespace, followed: Arc<Followed>, mut watch: Watch) {
        while watch.changed(LOOK_AGAIN).await != Wake::Closed {
            let until = followed.asked_at_ms.load(Ordering::Relaxed).saturating_add(FORGOTTEN_AFTER.as_millis() as i64);
            let is_forgotten = self.parts.clock.now().as_millis() > until;
            {
                let mut known = self.known();
                let is_known = known.get(&namespace).is_some_and(|current| Arc::ptr_eq(current, &followed));
                if is_forgotten && is_known {
                    known.remove(&namespace);
                }
                if is_forgotten || !is_known {
                    return;
                }
            }
            match self.read(&namespace, &followed.said()).await {
                Ok(said) => *followed.said.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(said),
                Err(error) => tracing::debug!(%namespace, %error, "settings of the gateway stay as they were"),
            }
        }
    }

    /// Reads the documents. Prices that are not understood leave those before them: nothing becomes free by a slip.
    async fn read(&self, namespace: &Namespace, before: &Said) -> Result<Said> {
        let (main, gateway, prices) = tokio::try_join!(
            self.document(namespace, "main"),
            self.document(namespace, "gateway"),
            self.document(namespace, "prices")
        )?;
        let routing = Routing::read(main.as_ref().map(RawJson::as_str), gateway.as_ref().map(RawJson::as_str));
        let prices = match prices.map(|document| PriceTable::parse(&document)) {
            None => Arc::default(),
            Some(Ok(prices)) => Arc::new(prices),
            Some(Err(error)) => {
                tracing::warn!(%namespace, %error, "the document settings/prices is not understood: earlier prices hold");
                Arc::clone(&before.prices)
            }
        };
        Ok(Said { routing: Arc::new(routing), prices })
    }

    /// A document as it is stored: secrets in it stay sealed, for nothing here needs one.
    async fn document(&self, namespace: &Namespace, key: &str) -> Result<Option<RawJson>> {
        let key =
            DocumentKey::parse(key).map_err(|error| Error::bug(format!("settings have no such name: {error}")))?;
        let name = DocumentName { collection: CollectionName::settings(), key };
        let found = self.parts.documents.document(namespace, &name, self.parts.clock.now()).await?;
        Ok(found.map(|row| row.body.text))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Namespace, Arc<Followed>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Followed {
    fn said(&self) -> Arc<Said> {
        Arc::clone(&self.said.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Routing, as the documents say.
pub(super) struct DocumentRouting(pub Arc<Directions>);

#[async_trait]
impl RoutingSource for DocumentRouting {
    async fn routing(&self, namespace: &Namespace) -> Result<Arc<Routing>> {
        Ok(Arc::clone(&self.0.of(namespace).await?.routing))
    }
}
