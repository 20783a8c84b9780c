//! What presence needs from a store.

use crate::error::Result;
use async_trait::async_trait;
use mainstay_api::presence::RegisterInstance;
use mainstay_api::{InstanceId, Namespace, Timestamp};

/// A registration to store.
#[derive(Debug, Clone)]
pub struct Register {
    /// Where.
    pub namespace: Namespace,
    /// Who.
    pub instance: InstanceId,
    /// What it says of itself; its `session_id` is the run that holds the name from now on.
    pub details: RegisterInstance,
    /// The present.
    pub now: Timestamp,
    /// Most instances that the namespace may hold.
    pub max_instances: u32,
}

/// What became of a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RegisterOutcome {
    /// It stands.
    Registered,
    /// The namespace holds as many instances as it may.
    Full,
}

/// A sign of life to store.
#[derive(Debug, Clone)]
pub struct Beat {
    /// Where.
    pub namespace: Namespace,
    /// Who.
    pub instance: InstanceId,
    /// The run that beats; any, where it does not say.
    pub session_id: Option<String>,
    /// What it does now; unchanged where absent.
    pub current_work: Option<String>,
    /// The present.
    pub now: Timestamp,
    /// Most instances that the namespace may hold.
    pub max_instances: u32,
}

/// What became of a sign of life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeatOutcome {
    /// It counts. An instance that was not registered is now.
    Beaten,
    /// Another run holds the name; nothing changed.
    Superseded,
    /// It was not registered, and the namespace holds as many instances as it may.
    Full,
}

/// A registered instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PresenceRow {
    /// Who.
    pub instance: InstanceId,
    /// What it says of itself.
    pub details: RegisterInstance,
    /// When it registered.
    pub registered_at: Timestamp,
    /// When it last beat.
    pub last_beat: Timestamp,
}

/// Presence in a store. The presence of a namespace is one aggregate; every write is one atomic step and wakes the
/// readers of the namespace's presence.
#[async_trait]
pub trait PresenceStore: Send + Sync {
    /// Registers an instance, or replaces what is registered under its name.
    async fn register(&self, register: Register) -> Result<RegisterOutcome>;

    /// Records a sign of life. Wakes readers only where `current_work` is given or the instance was not registered.
    async fn beat(&self, beat: Beat) -> Result<BeatOutcome>;

    /// Every instance of the namespace, by name.
    async fn list(&self, namespace: &Namespace) -> Result<Vec<PresenceRow>>;

    /// Ends a registration, where `session_id` is absent or holds the name. Returns whether it did.
    async fn unregister(&self, namespace: &Namespace, instance: &InstanceId, session_id: Option<&str>) -> Result<bool>;

    /// Forgets instances that last beat before the given time, at most `limit`, in any namespace.
    async fn purge(&self, before: Timestamp, limit: u32) -> Result<u32>;
}
