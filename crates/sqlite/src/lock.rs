//! The advisory lock around each commit. SQLite's own lock is polled, and of several processes that write all the
//! time one starves; the lock of a file queues them.

use crate::errors::{busy, io};
use mainstay_core::Result;
use std::fs::{File, TryLockError};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The right to commit, of all processes that use one database file.
pub(crate) struct CommitLock {
    file: Arc<File>,
    /// Waits for the lock in place of the writer, so that the writer's wait has an end.
    waiter: Option<Sender<Request>>,
    /// What the waiter still waits for after the writer gave up. Waiter and writer share one lock of one file, which
    /// either would release for both: until this is answered, the writer must not take the lock by itself.
    unanswered: Option<Asked>,
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

/// A request as the waiter knows it.
struct Request {
    grant: Sender<Held>,
    gave_up: Arc<Mutex<bool>>,
}

/// A request as the writer knows it.
struct Asked {
    granted: Receiver<Held>,
    /// Whether the writer waits no more. Locked while a grant is sent or given up, so that no grant is left lying
    /// with nobody to release it.
    gave_up: Arc<Mutex<bool>>,
}

impl CommitLock {
    /// Opens the file of the lock, and makes it where it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let file = crate::files::open_private(path)?;
        Ok(Self { file: Arc::new(file), waiter: None, unanswered: None })
    }

    /// Takes the lock, or fails with `store.busy` after the time-out.
    pub(crate) fn acquire(&mut self, timeout: Duration) -> Result<Held> {
        if let Some(asked) = self.unanswered.take() {
            set(&asked.gave_up, false);
            if let Some(held) = self.await_grant(asked, timeout)? {
                return Ok(held);
            }
        }
        match self.file.try_lock() {
            Ok(()) => return Ok(Held(Arc::clone(&self.file))),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(io("the commit lock cannot be taken")(error)),
        }
        let asked = self.ask()?;
        self.await_grant(asked, timeout)?.ok_or_else(|| busy("the commit lock cannot be waited for"))
    }

    fn ask(&mut self) -> Result<Asked> {
        let (grant, granted) = channel();
        let gave_up = Arc::new(Mutex::new(false));
        if self.waiter()?.send(Request { grant, gave_up: Arc::clone(&gave_up) }).is_err() {
            self.waiter = None;
            return Err(busy("the commit lock cannot be waited for"));
        }
        Ok(Asked { granted, gave_up })
    }

    /// Waits for an answer. `None` where the waiter is done with the request and has not got the lock for it, or has
    /// given it back.
    fn await_grant(&mut self, asked: Asked, timeout: Duration) -> Result<Option<Held>> {
        match asked.granted.recv_timeout(timeout) {
            Ok(held) => return Ok(Some(held)),
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let mut gave_up = asked.gave_up.lock().unwrap_or_else(PoisonError::into_inner);
        if let Ok(held) = asked.granted.try_recv() {
            return Ok(Some(held));
        }
        *gave_up = true;
        drop(gave_up);
        self.unanswered = Some(asked);
        Err(busy("another process keeps the commit lock of the database"))
    }

    fn waiter(&mut self) -> Result<&Sender<Request>> {
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

/// Answers one request after another with the lock. Where the writer has given up meanwhile, the lock is released
/// before the request ends: from its end on, the writer may take the lock by itself.
fn wait(file: &Arc<File>, requests: &Receiver<Request>) {
    for Request { grant, gave_up } in requests {
        if let Err(error) = file.lock() {
            tracing::warn!(%error, "the commit lock cannot be waited for");
            continue;
        }
        let held = Held(Arc::clone(file));
        let gave_up = gave_up.lock().unwrap_or_else(PoisonError::into_inner);
        if *gave_up {
            drop(held);
        } else {
            // Comes back, and is dropped, where the store was closed.
            drop(grant.send(held));
        }
    }
}

fn set(flag: &Mutex<bool>, value: bool) {
    *flag.lock().unwrap_or_else(PoisonError::into_inner) = value;
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_secs(30);

    /// The lock, and the file as another process has it open.
    fn lock() -> (CommitLock, File, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let lock = CommitLock::open(&path).unwrap();
        let other = File::options().read(true).write(true).open(&path).unwrap();
        (lock, other, folder)
    }

    /// Whether the other process gets the lock, in several attempts that give the waiter time to do its harm.
    fn is_free(other: &File) -> bool {
        (0..50).any(|_| {
            std::thread::sleep(SOON);
            other.try_lock().is_ok()
        })
    }

    #[test]
    fn a_grant_that_comes_late_releases_nothing_that_is_held_meanwhile() {
        let (mut lock, other, _folder) = lock();
        for _ in 0..5 {
            other.lock().unwrap();
            assert!(lock.acquire(SOON).is_err());
            assert!(lock.acquire(SOON).is_err(), "and giving up twice does no harm");
            other.unlock().unwrap();
            let held = lock.acquire(LONG).unwrap();
            assert!(!is_free(&other), "the lock is held");
            drop(held);
            assert!(is_free(&other));
            other.unlock().unwrap();
        }
    }

    #[test]
    fn a_grant_that_nobody_waits_for_is_given_back() {
        let (mut lock, other, _folder) = lock();
        other.lock().unwrap();
        assert!(lock.acquire(SOON).is_err());
        other.unlock().unwrap();
        std::thread::sleep(20 * SOON);
        assert!(is_free(&other), "an idle writer keeps no other process from committing");
        other.unlock().unwrap();
        drop(lock.acquire(LONG).unwrap());
    }
}
