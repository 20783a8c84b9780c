//! What the choice of a transport needs from a store.

use crate::error::Result;
use async_trait::async_trait;
use mainstay_api::{Namespace, RawJson, Timestamp};

/// How publishers choose between the HTTP bridge and the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransportRecord {
    /// The settings, opaque to the store.
    pub settings: RawJson,
    /// Grows by one with each change, from 1.
    pub version: u64,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// Who changed it.
    pub updated_by: String,
}

/// A choice to store.
#[derive(Debug, Clone)]
pub struct SetTransport {
    /// Where.
    pub namespace: Namespace,
    /// The settings, opaque to the store.
    pub settings: RawJson,
    /// The version that is replaced; 0 where none was ever set, any where absent.
    pub expected: Option<u64>,
    /// Who changes it.
    pub by: String,
    /// The present.
    pub now: Timestamp,
}

/// Whether a record could be replaced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransportOutcome {
    /// It has this version now.
    Stored(u64),
    /// It has another version than was expected.
    Conflict {
        /// The version it has; 0 where it was never set.
        current: u64,
    },
}

/// How publishers choose their transport, in a store. The choice of a namespace is one aggregate.
#[async_trait]
pub trait TransportStore: Send + Sync {
    /// How the publishers of a namespace choose their transport, where it was ever set.
    async fn transport(&self, namespace: &Namespace) -> Result<Option<TransportRecord>>;

    /// Replaces that, where it has the expected version, in one atomic step. Wakes its readers.
    async fn set_transport(&self, set: SetTransport) -> Result<TransportOutcome>;
}
