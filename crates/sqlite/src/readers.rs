//! A small pool of connections for reads. Each read sees one moment of the store.

use crate::connection::open_reader;
use crate::errors::{Outcome, busy, closed};
use crate::options::SqliteOptions;
use mainstay_core::{Error, Result};
use rusqlite::Connection;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Semaphore;

/// Connections for reads, opened when they are first needed.
pub(crate) struct Readers {
    path: PathBuf,
    options: SqliteOptions,
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
    waiting: AtomicUsize,
}

impl Readers {
    /// A pool for a database file.
    pub(crate) fn new(path: PathBuf, options: SqliteOptions) -> Self {
        let permits = Arc::new(Semaphore::new(options.readers));
        Self { path, options, idle: Mutex::default(), permits, waiting: AtomicUsize::new(0) }
    }

    /// Runs work that reads in one transaction.
    pub(crate) async fn read<T, F>(self: &Arc<Self>, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Outcome<T> + Send + 'static,
    {
        let permit = self.permit().await?;
        let this = Arc::clone(self);
        let read = move || {
            let answer = this.run(work);
            drop(permit);
            answer
        };
        let finished = tokio::task::spawn_blocking(read).await;
        finished.unwrap_or_else(|error| Err(Error::bug(format!("a read of the store ended early: {error}"))))
    }

    /// Closes what is idle and lets no read begin any more; waits for those under way.
    pub(crate) async fn close(&self) {
        let all = u32::try_from(self.options.readers).unwrap_or(u32::MAX);
        let idle = self.permits.acquire_many(all).await;
        self.permits.close();
        drop(idle);
        self.idle().clear();
    }

    async fn permit(&self) -> Result<tokio::sync::OwnedSemaphorePermit> {
        let _queued = Queued::enter(&self.waiting, self.options.max_queue)?;
        let timeout = Duration::from_millis(self.options.busy_timeout_ms);
        match tokio::time::timeout(timeout, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(permit) => permit.map_err(|_| closed()),
            Err(_) => Err(busy("every connection for reads was in use for too long")),
        }
    }

    fn run<T>(&self, work: impl FnOnce(&Connection) -> Outcome<T>) -> Result<T> {
        let idle = self.idle().pop();
        let connection = idle.map_or_else(|| open_reader(&self.path, &self.options), Ok)?;
        let answer = in_transaction(&connection, work);
        // One that is stuck in a transaction would see the past for ever.
        if connection.is_autocommit() {
            self.idle().push(connection);
        }
        answer.map_err(Error::from)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn in_transaction<T>(connection: &Connection, work: impl FnOnce(&Connection) -> Outcome<T>) -> Outcome<T> {
    connection.prepare_cached("BEGIN")?.execute([])?;
    let answer = work(connection);
    let ended = connection.prepare_cached("COMMIT")?.execute([]);
    let answer = answer?;
    ended?;
    Ok(answer)
}

/// A place among those that wait for a connection.
struct Queued<'a>(&'a AtomicUsize);

impl<'a> Queued<'a> {
    fn enter(waiting: &'a AtomicUsize, limit: usize) -> Result<Self> {
        let place = Self(waiting);
        if waiting.fetch_add(1, Ordering::Relaxed) >= limit {
            drop(place);
            return Err(busy("more reads wait for the store than may"));
        }
        Ok(place)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
