//! The port of presence on the model.

use super::wakeups::Wakeups;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::presence::RegisterInstance;
use mainstay_core::api::{InstanceId, Namespace, Timestamp};
use mainstay_core::presence::{Beat, BeatOutcome, PresenceRow, PresenceStore, Register, RegisterOutcome};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

type Instances = BTreeMap<InstanceId, PresenceRow>;

/// Presence in memory: one lock around every namespace.
pub(super) struct ModelPresence {
    namespaces: Mutex<BTreeMap<Namespace, Instances>>,
    wakeups: Arc<Wakeups>,
}

impl ModelPresence {
    pub fn new(wakeups: Arc<Wakeups>) -> Self {
        Self { namespaces: Mutex::default(), wakeups }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Namespace, Instances>> {
        self.namespaces.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl PresenceStore for ModelPresence {
    async fn register(&self, register: Register) -> Result<RegisterOutcome> {
        let mut namespaces = self.lock();
        let instances = namespaces.entry(register.namespace.clone()).or_default();
        if !has_room(instances, &register.instance, register.max_instances) {
            return Ok(RegisterOutcome::Full);
        }
        instances.insert(register.instance.clone(), row(register.instance, register.details, register.now));
        self.wakeups.presence(&register.namespace);
        Ok(RegisterOutcome::Registered)
    }

    async fn beat(&self, beat: Beat) -> Result<BeatOutcome> {
        let mut namespaces = self.lock();
        let instances = namespaces.entry(beat.namespace.clone()).or_default();
        if !has_room(instances, &beat.instance, beat.max_instances) {
            return Ok(BeatOutcome::Full);
        }
        let Some(known) = instances.get_mut(&beat.instance) else {
            let details =
                RegisterInstance { current_work: beat.current_work, session_id: beat.session_id, ..Default::default() };
            instances.insert(beat.instance.clone(), row(beat.instance, details, beat.now));
            self.wakeups.presence(&beat.namespace);
            return Ok(BeatOutcome::Beaten);
        };
        let free = known.details.session_id.is_none();
        if !free && !holds(known, beat.session_id.as_deref()) {
            return Ok(BeatOutcome::Superseded);
        }
        known.last_beat = beat.now;
        if beat.current_work.is_some() {
            known.details.current_work = beat.current_work;
            self.wakeups.presence(&beat.namespace);
        }
        Ok(BeatOutcome::Beaten)
    }

    async fn list(&self, namespace: &Namespace) -> Result<Vec<PresenceRow>> {
        Ok(self.lock().get(namespace).into_iter().flat_map(BTreeMap::values).cloned().collect())
    }

    async fn unregister(&self, namespace: &Namespace, instance: &InstanceId, session_id: Option<&str>) -> Result<bool> {
        let mut namespaces = self.lock();
        let instances = namespaces.entry(namespace.clone()).or_default();
        if !instances.get(instance).is_some_and(|known| holds(known, session_id)) {
            return Ok(false);
        }
        instances.remove(instance);
        self.wakeups.presence(namespace);
        Ok(true)
    }

    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u32> {
        let mut namespaces = self.lock();
        let silent = namespaces.iter().flat_map(|(namespace, instances)| {
            let silent = instances.values().filter(|row| row.last_beat < before);
            silent.map(|row| (namespace.clone(), row.instance.clone()))
        });
        let silent: Vec<(Namespace, InstanceId)> = silent.take(limit as usize).collect();
        for (namespace, instance) in &silent {
            namespaces.entry(namespace.clone()).or_default().remove(instance);
            self.wakeups.presence(namespace);
        }
        Ok(u32::try_from(silent.len()).unwrap_or(u32::MAX))
    }
}

/// Whether an instance is there already, or may be added.
fn has_room(instances: &Instances, instance: &InstanceId, max_instances: u32) -> bool {
    instances.contains_key(instance) || instances.len() < max_instances as usize
}

/// Whether this run, or any where it is not said, holds the name.
fn holds(known: &PresenceRow, session_id: Option<&str>) -> bool {
    session_id.is_none() || known.details.session_id.as_deref() == session_id
}

fn row(instance: InstanceId, details: RegisterInstance, now: Timestamp) -> PresenceRow {
    PresenceRow { instance, details, registered_at: now, last_beat: now }
}
