//! What a store brings: the ports, and what it is.

use crate::HintSource;
use crate::audit::AuditStore;
use crate::conversations::ConversationStore;
use crate::documents::DocumentStore;
use crate::error::Result;
use crate::events::{ConnectionStore, EventStore, GroupStore, RoomStore, TransportStore};
use crate::identity::IdentityStore;
use crate::mail::MailStore;
use crate::presence::PresenceStore;
use crate::providers::ProviderStore;
use crate::providers::credentials::CredentialStore;
use crate::providers::keys::KeyStore;
use async_trait::async_trait;
use mainstay_api::Timestamp;
use std::sync::Arc;

/// What a store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreInfo {
    /// `sqlite`, `redis`, `redis+sentinel` or `redis+cluster`.
    pub kind: &'static str,
    /// Where it is, without any secret.
    pub location: String,
    /// Whether what was acknowledged survives a crash of the store's machine.
    pub durable: bool,
    /// Whether nodes on other machines can use it.
    pub shared: bool,
    /// Settings of the store that put data at risk.
    pub warnings: Vec<String>,
}

/// What a process has asked of a store, and how that went.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreActivity {
    /// Commands that were sent, each attempt for itself.
    pub commands: u64,
    /// Those that failed.
    pub failed: u64,
    /// How often it connected anew.
    pub reconnects: u64,
    /// When it connected first.
    pub first_connected_at: Option<Timestamp>,
    /// When it connected last.
    pub connected_at: Option<Timestamp>,
    /// When a command, or a connection, failed last.
    pub failed_at: Option<Timestamp>,
    /// Why it did, without any secret.
    pub failure: Option<String>,
    /// What keys begin with, where the store has keys.
    pub key_prefix: Option<String>,
}

/// Asks a store whether it is there.
#[async_trait]
pub trait StoreProbe: Send + Sync {
    /// One round trip to the store, bounded in time.
    async fn ping(&self) -> Result<()>;

    /// What this process has asked of the store.
    fn activity(&self) -> StoreActivity {
        StoreActivity::default()
    }

    /// Ends the use of the store: what was accepted is finished, then connections and files are closed.
    /// Calling it twice does no harm.
    async fn close(&self);
}

/// The ports of one store.
#[derive(Clone)]
pub struct Stores {
    /// What the store is.
    pub info: StoreInfo,
    /// Whether it is there.
    pub probe: Arc<dyn StoreProbe>,
    /// Its wake-ups.
    pub hints: Arc<dyn HintSource>,
    /// The audit trail.
    pub audit: Arc<dyn AuditStore>,
    /// Connections that span requests.
    pub connections: Arc<dyn ConnectionStore>,
    /// Conversations.
    pub conversations: Arc<dyn ConversationStore>,
    /// Credentials of providers.
    pub credentials: Arc<dyn CredentialStore>,
    /// Documents.
    pub documents: Arc<dyn DocumentStore>,
    /// Logs of events.
    pub events: Arc<dyn EventStore>,
    /// Keys of the gateway, and usage.
    pub gateway_keys: Arc<dyn KeyStore>,
    /// Consumer groups on logs of events.
    pub groups: Arc<dyn GroupStore>,
    /// Users, API keys and sessions.
    pub identity: Arc<dyn IdentityStore>,
    /// Mail.
    pub mail: Arc<dyn MailStore>,
    /// Presence.
    pub presence: Arc<dyn PresenceStore>,
    /// Pools of providers.
    pub providers: Arc<dyn ProviderStore>,
    /// Rooms of streams.
    pub rooms: Arc<dyn RoomStore>,
    /// How publishers choose their transport.
    pub transport: Arc<dyn TransportStore>,
}
