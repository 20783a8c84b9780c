//! The ports of Mainstay on SQLite: one file, several processes, no server.
//!
//! All writes of a process go through one thread (`writer`), which commits what is queued in one transaction:
//! acknowledged means synced to the disk, and many writes share one sync. Commits of several processes queue up at an
//! advisory lock (`lock`). Reads use a few connections of their own (`readers`). Hints reach other processes through a
//! counter in a file that they watch (`wakeups`).
//!
//! Beside `<db>` and SQLite's own `<db>-wal` and `<db>-shm` there are `<db>-lock` and `<db>-wake`. All of them are
//! readable by their user alone. A network file system is no place for them.

mod audit;
mod connection;
mod connections;
mod conversations;
mod credentials;
mod documents;
mod errors;
mod events;
mod files;
mod gateway_keys;
mod identity;
mod lock;
mod mail;
mod names;
mod options;
mod outage;
mod presence;
mod providers;
mod readers;
mod rooms;
mod schema;
mod store;
mod transport;
mod wakeups;
mod writer;

pub use options::{Location, SqliteOptions};
pub use outage::OutageFile;

use mainstay_core::{Result, Stores};
use std::sync::Arc;

/// Opens a store: makes the file and its folder where they are missing, and brings the file to this version.
///
/// # Errors
/// `store.incompatible` where the file is newer or no database of ours, in which case it is left as it is;
/// `store.unavailable`, `store.busy` and `store.full` where it cannot be opened or written; `settings.invalid`.
pub async fn open(options: SqliteOptions) -> Result<Stores> {
    let info = store::info(&options.location);
    let opened = tokio::task::spawn_blocking(move || store::Store::open(&options, schema::STORE)).await;
    let store = Arc::new(opened.map_err(|error| store::ended_early(&error))??);
    Ok(Stores {
        info,
        probe: Arc::clone(&store) as Arc<_>,
        hints: Arc::clone(&store) as Arc<_>,
        audit: Arc::new(audit::SqliteAudit::new(Arc::clone(&store))),
        connections: Arc::new(connections::SqliteConnections::new(Arc::clone(&store))),
        conversations: Arc::new(conversations::SqliteConversations::new(Arc::clone(&store))),
        credentials: Arc::new(credentials::SqliteCredentials::new(Arc::clone(&store))),
        documents: Arc::new(documents::SqliteDocuments::new(Arc::clone(&store))),
        events: Arc::new(events::SqliteEvents::new(Arc::clone(&store))),
        gateway_keys: Arc::new(gateway_keys::SqliteKeys::new(Arc::clone(&store))),
        groups: Arc::new(events::SqliteGroups::new(Arc::clone(&store))),
        identity: Arc::new(identity::SqliteIdentity::new(Arc::clone(&store))),
        mail: Arc::new(mail::SqliteMail::new(Arc::clone(&store))),
        presence: Arc::new(presence::SqlitePresence::new(Arc::clone(&store))),
        providers: Arc::new(providers::SqliteProviders::new(Arc::clone(&store))),
        rooms: Arc::new(rooms::SqliteRooms::new(Arc::clone(&store))),
        transport: Arc::new(transport::SqliteTransport::new(store)),
    })
}
