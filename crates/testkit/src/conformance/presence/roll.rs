//! What the cases of presence write with: a namespace, and short words for long structures.

use crate::conformance::Bed;
use mainstay_core::api::presence::RegisterInstance;
use mainstay_core::api::{InstanceId, Namespace, Timestamp};
use mainstay_core::presence::{Beat, BeatOutcome, PresenceRow, PresenceStore, Register, RegisterOutcome};
use std::sync::Arc;

/// The roll of a namespace.
#[derive(Clone)]
pub(super) struct Roll {
    pub presence: Arc<dyn PresenceStore>,
    pub namespace: Namespace,
    pub now: Timestamp,
    pub max_instances: u32,
}

impl Roll {
    pub fn new(bed: &Bed) -> Self {
        Self::at(bed, bed.now())
    }

    pub fn at(bed: &Bed, now: Timestamp) -> Self {
        let presence = bed.stores().presence.clone();
        Self { presence, namespace: bed.namespace(), now, max_instances: 10_000 }
    }

    /// The same roll, later.
    pub fn later(&self, millis: i64) -> Self {
        Self { now: Timestamp::from_millis(self.now.as_millis() + millis), ..self.clone() }
    }

    pub async fn register(&self, name: &str, details: RegisterInstance) -> RegisterOutcome {
        let (namespace, instance) = (self.namespace.clone(), instance(name));
        let (now, max_instances) = (self.now, self.max_instances);
        let register = Register { namespace, instance, details, now, max_instances };
        self.presence.register(register).await.expect("register")
    }

    pub async fn beat(&self, name: &str, session: Option<&str>, work: Option<&str>) -> BeatOutcome {
        let beat = Beat {
            namespace: self.namespace.clone(),
            instance: instance(name),
            session_id: session.map(str::to_owned),
            current_work: work.map(str::to_owned),
            now: self.now,
            max_instances: self.max_instances,
        };
        self.presence.beat(beat).await.expect("beat")
    }

    pub async fn unregister(&self, name: &str, session: Option<&str>) -> bool {
        self.presence.unregister(&self.namespace, &instance(name), session).await.expect("unregister")
    }

    pub async fn rows(&self) -> Vec<PresenceRow> {
        self.presence.list(&self.namespace).await.expect("list")
    }

    pub async fn names(&self) -> Vec<String> {
        self.rows().await.into_iter().map(|row| row.instance.into()).collect()
    }

    pub async fn row(&self, name: &str) -> PresenceRow {
        let found = self.rows().await.into_iter().find(|row| row.instance.as_str() == name);
        found.unwrap_or_else(|| panic!("{name} is not there"))
    }
}

pub(super) fn instance(name: &str) -> InstanceId {
    InstanceId::parse(name).expect("a name of an instance")
}

/// A run that says nothing else of itself.
pub(super) fn run(session: &str) -> RegisterInstance {
    RegisterInstance { session_id: Some(session.into()), ..RegisterInstance::default() }
}
