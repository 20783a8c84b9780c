//! The choice of a transport on the model.

use super::wakeups::Wakeups;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::Namespace;
use mainstay_core::events::{SetTransport, TransportOutcome, TransportRecord, TransportStore};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The choices of every namespace, behind one lock.
pub(super) struct ModelTransport {
    records: Mutex<BTreeMap<Namespace, TransportRecord>>,
    wakeups: Arc<Wakeups>,
}

impl ModelTransport {
    pub fn new(wakeups: Arc<Wakeups>) -> Self {
        Self { records: Mutex::default(), wakeups }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Namespace, TransportRecord>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TransportStore for ModelTransport {
    async fn transport(&self, namespace: &Namespace) -> Result<Option<TransportRecord>> {
        Ok(self.lock().get(namespace).cloned())
    }

    async fn set_transport(&self, set: SetTransport) -> Result<TransportOutcome> {
        let mut records = self.lock();
        let known = records.get(&set.namespace);
        let current = known.map_or(0, |known| known.version);
        let repeated = known.is_some_and(|known| {
            known.settings == set.settings && known.updated_at == set.now && known.updated_by == set.by
        });
        if repeated {
            return Ok(TransportOutcome::Stored(current));
        }
        if set.expected.is_some_and(|expected| expected != current) {
            return Ok(TransportOutcome::Conflict { current });
        }
        let SetTransport { namespace, settings, by, now, .. } = set;
        let record = TransportRecord { settings, version: current + 1, updated_at: now, updated_by: by };
        records.insert(namespace.clone(), record);
        self.wakeups.transport(&namespace);
        Ok(TransportOutcome::Stored(current + 1))
    }
}
