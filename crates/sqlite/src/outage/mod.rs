//! What a node keeps on its own disk while its store is away: writes that wait, and the last known copies. A file of its
//! own beside the owner key, with the same writer as a store: acknowledged means synced to the disk.

mod journal;
mod snapshots;

use crate::options::{Location, SqliteOptions};
use crate::schema;
use crate::store::{Store, ended_early};
use mainstay_core::{Result, StoreProbe};
use std::path::PathBuf;
use std::sync::Arc;

/// The open file of a node.
#[derive(Clone)]
pub struct OutageFile {
    store: Arc<Store>,
}

impl OutageFile {
    /// Opens the file; makes it and its folder where they are missing.
    ///
    /// # Errors
    /// Those of [`open`](crate::open).
    pub async fn open(path: PathBuf) -> Result<Self> {
        let options = SqliteOptions::new(Location::File(path));
        let opened = tokio::task::spawn_blocking(move || Store::open(&options, schema::OUTAGE)).await;
        let store = opened.map_err(|error| ended_early(&error))??;
        Ok(Self { store: Arc::new(store) })
    }

    /// Finishes what was accepted and closes the file. Calling it twice does no harm.
    pub async fn close(&self) {
        self.store.close().await;
    }
}
