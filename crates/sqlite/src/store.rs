//! One open store: its writer, its readers, its wake-ups.

use crate::connection::{open_memory, open_writer};
use crate::errors::Outcome;
use crate::files;
use crate::options::{Location, SqliteOptions};
use crate::readers::Readers;
use crate::schema::Schema;
use crate::wakeups::{Wakes, Wakeups};
use crate::writer::Writer;
use async_trait::async_trait;
use futures::stream::BoxStream;
use mainstay_core::api::Timestamp;
use mainstay_core::{Clock, Error, Hint, HintSource, Result, StoreActivity, StoreInfo, StoreProbe, SystemClock};
use rusqlite::Connection;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// An open store.
pub(crate) struct Store {
    writer: Arc<Writer>,
    /// Absent for a database in memory, which has a single connection.
    readers: Option<Arc<Readers>>,
    wakeups: Arc<Wakeups>,
    asked: AtomicU64,
    failed: AtomicU64,
    opened_at: Timestamp,
}

impl Store {
    /// Opens a store. Blocks.
    pub(crate) fn open(options: &SqliteOptions, schema: Schema) -> Result<Self> {
        options.validate()?;
        let (path, connection) = match &options.location {
            Location::Memory => (None, open_memory(schema)?),
            Location::File(path) => {
                files::ensure_database(path)?;
                (Some(path.clone()), open_writer(path, options, schema)?)
            }
        };
        let wakeups = Arc::new(Wakeups::new(path.as_deref()));
        let writer = Arc::new(Writer::start(connection, options, Arc::clone(&wakeups))?);
        let readers = path.map(|path| Arc::new(Readers::new(path, options.clone())));
        Ok(Self {
            writer,
            readers,
            wakeups,
            asked: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            opened_at: SystemClock.now(),
        })
    }

    /// Runs work in the next commit.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&Connection, &mut Wakes) -> Outcome<T> + Send + 'static,
    {
        self.counted(self.writer.write(work).await)
    }

    fn counted<T>(&self, answer: Result<T>) -> Result<T> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if answer.as_ref().is_err_and(|error| error.problem.retryable) {
            self.failed.fetch_add(1, Ordering::Relaxed);
        }
        answer
    }

    /// Runs work that reads one moment of the store.
    pub(crate) async fn read<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&Connection) -> Outcome<T> + Send + 'static,
    {
        self.counted(match &self.readers {
            Some(readers) => readers.read(work).await,
            None => self.writer.write(move |connection, _| work(connection)).await,
        })
    }
}

#[async_trait]
impl StoreProbe for Store {
    async fn ping(&self) -> Result<()> {
        self.read(|connection| Ok(connection.prepare_cached("SELECT epoch FROM store")?.query_row([], |_| Ok(()))?))
            .await
    }

    fn activity(&self) -> StoreActivity {
        StoreActivity {
            commands: self.asked.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            first_connected_at: Some(self.opened_at),
            connected_at: Some(self.opened_at),
            ..StoreActivity::default()
        }
    }

    async fn close(&self) {
        if let Some(readers) = &self.readers {
            readers.close().await;
        }
        let writer = Arc::clone(&self.writer);
        tokio::task::spawn_blocking(move || writer.close()).await.unwrap_or_else(|error| {
            tracing::error!(%error, "the store was not closed in order");
        });
    }
}

impl HintSource for Store {
    fn subscribe(&self) -> BoxStream<'static, Hint> {
        self.wakeups.subscribe(&self.writer)
    }
}

/// What the store is, for people.
pub(crate) fn info(location: &Location) -> StoreInfo {
    let in_memory = matches!(location, Location::Memory);
    let warning = "the store is in memory: everything is gone when the process ends".to_owned();
    StoreInfo {
        kind: "sqlite",
        location: location.to_url(),
        durable: !in_memory,
        shared: false,
        warnings: in_memory.then_some(warning).into_iter().collect(),
    }
}

/// An error for a thread of the runtime that ended early.
pub(crate) fn ended_early(error: &tokio::task::JoinError) -> Error {
    Error::bug(format!("opening the store ended early: {error}"))
}
