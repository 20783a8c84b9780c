//! The ports of Mainstay on Redis 6.2 and later, and Valkey: single server, Sentinel and Cluster, with and without TLS.
//!
//! *Invariant:* one operation is one script on one aggregate, whose keys share one hash tag. No command is sent twice
//! unless running it twice is the same as running it once.

mod activity;
mod answer;
mod audit;
#[doc(hidden)]
pub mod bench;
mod check;
mod connection;
mod connections;
mod conversations;
pub mod credentials;
mod documents;
mod events;
mod failure;
mod gateway_keys;
mod identity;
mod keys;
pub mod legacy;
pub mod legacy_keys;
mod mail;
mod options;
mod presence;
mod providers;
mod rooms;
mod scripts;
mod tls;
mod tokens;
mod topology;
mod transport;
mod wakeups;

pub use options::{RedisOptions, TlsFiles};

use connection::Connection;
use mainstay_core::api::Code;
use mainstay_core::{Result, StoreActivity, StoreInfo, StoreProbe, Stores};
use std::sync::Arc;

/// Connects to Redis, checks that it can serve, and returns its ports. A server that is not there is an error at
/// once.
///
/// # Errors
/// `store.unavailable` where no server answers, `store.incompatible` where it is too old.
pub async fn open(options: RedisOptions) -> Result<Stores> {
    let connection = Arc::new(Connection::new(options.clone())?);
    connection.ready().await?;
    let report = match check::server(&connection).await {
        Err(error) if options.may_be_away && error.code() == Code::StoreUnavailable => {
            check::Report::of_the_away(&error)
        }
        report => report?,
    };
    let keys = keys::Keys::new(&options.prefix)?;
    let hints = Arc::new(wakeups::RedisHints::new(Arc::clone(&connection), keys.clone()));
    Ok(Stores {
        info: StoreInfo {
            kind: options.kind(),
            location: options.location(),
            durable: report.durable,
            shared: true,
            warnings: report.warnings,
        },
        probe: Arc::new(Probe {
            connection: Arc::clone(&connection),
            hints: Arc::clone(&hints),
            prefix: options.prefix.clone(),
        }),
        hints: Arc::clone(&hints) as Arc<_>,
        audit: Arc::new(audit::RedisAudit::new(Arc::clone(&connection), keys.clone())),
        connections: Arc::new(connections::RedisConnections::new(Arc::clone(&connection), keys.clone())),
        conversations: Arc::new(conversations::RedisConversations::new(Arc::clone(&connection), keys.clone())),
        credentials: Arc::new(tokens::RedisTokens::new(Arc::clone(&connection), keys.clone())),
        documents: Arc::new(documents::RedisDocuments::new(Arc::clone(&connection), keys.clone())),
        events: Arc::new(events::RedisEvents::new(
            Arc::clone(&connection),
            keys.clone(),
            Arc::clone(&options.streams),
            Arc::clone(&hints),
        )),
        gateway_keys: Arc::new(gateway_keys::RedisKeys::new(Arc::clone(&connection), keys.clone())),
        groups: Arc::new(events::RedisGroups::new(Arc::clone(&connection), keys.clone(), Arc::clone(&options.streams))),
        identity: Arc::new(identity::RedisIdentity::new(Arc::clone(&connection), &keys)),
        mail: Arc::new(mail::RedisMail::new(Arc::clone(&connection), keys.clone())),
        presence: Arc::new(presence::RedisPresence::new(Arc::clone(&connection), keys.clone())),
        providers: Arc::new(providers::RedisProviders::new(Arc::clone(&connection), keys.clone())),
        rooms: Arc::new(rooms::RedisRooms::new(Arc::clone(&connection), keys.clone())),
        transport: Arc::new(transport::RedisTransport::new(connection, keys)),
    })
}

struct Probe {
    connection: Arc<Connection>,
    hints: Arc<wakeups::RedisHints>,
    prefix: String,
}

#[async_trait::async_trait]
impl StoreProbe for Probe {
    async fn ping(&self) -> Result<()> {
        self.connection.ping().await
    }

    fn activity(&self) -> StoreActivity {
        self.connection.activity().told(&self.prefix)
    }

    async fn close(&self) {
        self.hints.close();
        self.connection.close().await;
    }
}
