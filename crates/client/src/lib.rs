//! The Rust client of Mainstay: typed calls over one Tower service, which is a server over the network or a
//! server's own router in the same process.
//!
//! Every write carries a request id, made here when the caller gives none, and every retry repeats it: a call that
//! is repeated after a lost answer is never done twice.

mod audit;
mod call;
mod conversations;
mod documents;
mod error;
mod events;
mod gateway;
mod health;
mod identity;
mod lines;
mod mail;
mod options;
mod presence;
mod providers;
pub mod publisher;
mod retry;
mod rooms;
mod store;
mod transport;
mod workers;

pub use audit::AuditClient;
pub use conversations::Conversations;
pub use documents::Documents;
pub use error::ClientError;
pub use events::{
    ConversationEvent, ConversationEvents, Events, EventsClient, InboxEvent, InboxEvents, LiveSocket, PresenceChange,
    PresenceChanges, SocketEnd,
};
pub use gateway::GatewayKeys;
pub use identity::{Account, Keys, UsersClient};
pub use mail::Mail;
pub use options::{ClientOptions, Credential};
pub use presence::PresenceClient;
pub use providers::{CredentialClient, ProviderClient, Providers};
pub use rooms::RoomClient;
pub use transport::{Body, BoxError};
pub use workers::GroupClient;

use bytes::Bytes;
use http::{Request, Response};
use mainstay_api::providers::{PoolType, ProviderId};
use std::sync::{Arc, OnceLock};
use tower::Service;
use transport::Transport;

/// The result of every call.
pub type Result<T, E = ClientError> = std::result::Result<T, E>;

/// A client. Cheap to clone; clones share their connections.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

struct Inner {
    transport: Transport,
    /// The transport of requests that become sockets, made with the first of them.
    sockets: OnceLock<Transport>,
    /// What stands before every path: scheme, authority and prefix; empty in process.
    base: String,
    options: ClientOptions,
}

impl Client {
    /// A client of the server at an `http` or `https` URL. Connects with the first call.
    ///
    /// # Errors
    /// `settings.invalid` where the URL is not one, or the roots of trust cannot be loaded.
    pub fn connect(url: &str, options: ClientOptions) -> Result<Self> {
        let (transport, base) = transport::network(url, &options)?;
        Ok(Self { inner: Arc::new(Inner { transport, sockets: OnceLock::new(), base, options }) })
    }

    /// A client of a server in the same process: its router is called directly.
    pub fn in_process<S, B>(service: S, options: ClientOptions) -> Self
    where
        S: Service<Request<Body>, Response = Response<B>> + Clone + Send + Sync + 'static,
        S::Future: Send + 'static,
        S::Error: Into<BoxError>,
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let transport = transport::boxed(service);
        Self { inner: Arc::new(Inner { transport, sockets: OnceLock::new(), base: String::new(), options }) }
    }

    /// Calls about the own account: logging in, the second factor, sessions.
    #[must_use]
    pub fn account(&self) -> Account<'_> {
        Account(self)
    }

    /// Calls about the audit trail.
    #[must_use]
    pub fn audit(&self) -> AuditClient<'_> {
        AuditClient(self)
    }

    /// Calls about conversations.
    #[must_use]
    pub fn conversations(&self) -> Conversations<'_> {
        Conversations(self)
    }

    /// Calls about documents, such as settings.
    #[must_use]
    pub fn documents(&self) -> Documents<'_> {
        Documents(self)
    }

    /// Calls about events: publishing, reading, and how publishers choose their transport.
    #[must_use]
    pub fn events(&self) -> EventsClient<'_> {
        EventsClient(self)
    }

    /// Calls about the credential of a provider.
    #[must_use]
    pub fn credential<'a>(&'a self, pool: &'a PoolType, provider: &'a ProviderId) -> CredentialClient<'a> {
        CredentialClient { client: self, pool, provider }
    }

    /// Calls about pools of providers.
    #[must_use]
    pub fn providers(&self) -> Providers<'_> {
        Providers(self)
    }

    /// Calls about API keys.
    #[must_use]
    pub fn keys(&self) -> Keys<'_> {
        Keys(self)
    }

    /// Calls about keys of the gateway.
    #[must_use]
    pub fn gateway_keys(&self) -> GatewayKeys<'_> {
        GatewayKeys(self)
    }

    /// Calls about mail.
    #[must_use]
    pub fn mail(&self) -> Mail<'_> {
        Mail(self)
    }

    /// Calls about presence.
    #[must_use]
    pub fn presence(&self) -> PresenceClient<'_> {
        PresenceClient(self)
    }

    /// Calls about users.
    #[must_use]
    pub fn users(&self) -> UsersClient<'_> {
        UsersClient(self)
    }

    /// The choices that this client was made with.
    #[must_use]
    pub fn options(&self) -> &ClientOptions {
        &self.inner.options
    }
}
