//! The advisory lock around each commit. SQLite's own lock is polled, and of several processes that write all the
//! time one starves; the lock of a file queues them.

use crate::errors::{busy, io};
use mainstay_core::Result;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// The right to commit, of all processes that use one database file.
pub(crate) struct CommitLock {
    file: Arc<File>,
    /// Waits for the lock in place of the writer, so that the writer's wait has an end.
    waiter: Option<Sender<Sender<Held>>>,
}

/// The lock, held until dropped.
pub(crate) struct Held(Arc<File>);

impl Drop for Held {
    fn drop(&mut self) {
        if let Err(error) = self.0.unlock() {
            tracing::warn!(%error, "the commit lock cannot be released");
        }
    }
}

impl CommitLock {
    /// Opens the file of the lock, and makes it where it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = crate::files::open_private(path)?;
        Ok(Self { file: Arc::new(file), waiter: None })
    }

    /// Takes the lock, or fails with `store.busy` after the time-out.
    pub(crate) fn acquire(&mut self, timeout: Duration) -> Result<Held> {
        match self.file.try_lock() {
            Ok(()) => return Ok(Held(Arc::clone(&self.file))),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(io("the commit lock cannot be taken")(error)),
        }
        let (grant, granted) = channel();
        if self.waiter()?.send(grant).is_err() {
            self.waiter = None;
            return Err(busy("the commit lock cannot be waited for"));
        }
        granted.recv_timeout(timeout).map_err(|_| busy("another process keeps the commit lock of the database"))
    }

    fn waiter(&mut self) -> Result<&Sender<Sender<Held>>> {
        if self.waiter.is_none() {
            let (requests, inbox) = channel();
            let file = Arc::clone(&self.file);
            std::thread::Builder::new()
                .name("mainstay-sqlite-lock".into())
                .spawn(move || wait(&file, &inbox))
                .map_err(io("no thread can be started to wait for the commit lock"))?;
            self.waiter = Some(requests);
        }
        self.waiter.as_ref().ok_or_else(|| busy("the commit lock cannot be waited for"))
    }
}

/// Answers one request after another with the lock. Where the writer has given up meanwhile, the grant is dropped
/// on its way and the lock released with it.
fn wait(file: &Arc<File>, requests: &Receiver<Sender<Held>>) {
    for grant in requests {
        if let Err(error) = file.lock() {
            tracing::warn!(%error, "the commit lock cannot be waited for");
            continue;
        }
        drop(grant.send(Held(Arc::clone(file))));
    }
}
