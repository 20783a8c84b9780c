//! The one writer of a store: a thread that commits whatever is queued in one go, so that many writes share one sync
//! of the disk. A write is answered when its commit is on the disk.

use crate::errors::{Failure, Outcome, again, busy, closed, commit_is_undecided, from_sqlite, io};
use crate::files::{self, Anchor};
use crate::lock::{CommitLock, Held};
use crate::options::{Location, SqliteOptions};
use crate::wakeups::{Wakes, Wakeups};
use mainstay_core::{Error, Result};
use rusqlite::Connection;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;

/// Pages in the write-ahead log that make a young writer checkpoint: few, as the next process to open the file has to
/// read and check them all, about 3 us each. A send writes about 18.
const CHECKPOINT_PAGES: u64 = 256;
/// The same for a writer that has proved to be long-lived: more, as pages that change again and again are then
/// copied once.
const CHECKPOINT_PAGES_BUSY: u64 = 4_000;
/// Commits after which a writer counts as long-lived.
const BUSY_COMMITS: u64 = 16;
/// How often the log may exceed its bound because of readers before the writer waits for them to let it start anew.
const OVERDUE_FACTOR: u64 = 4;
/// How long emptying the log waits for readers; it is tried again with the next commit.
const MAX_WAIT_FOR_READERS: Duration = Duration::from_millis(50);

/// The queue of the writer.
pub(crate) struct Writer {
    queue: Mutex<Option<SyncSender<Message>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

enum Message {
    Job(Box<dyn Job>),
    /// Ask whether another process wrote.
    Poll,
}

/// A write in the queue.
trait Job: Send {
    /// Does the work inside the transaction and keeps the result, in place of an earlier one where the transaction
    /// was rolled back. Says whether the work stands.
    fn run(&mut self, connection: &Connection, wakes: &mut Wakes) -> bool;
    /// Why the work does not stand, for the jobs that fell with it.
    fn failure(&self) -> Option<Error>;
    /// Answers the caller, with the error of the commit where it failed.
    fn answer(self: Box<Self>, committed: Result<()>);
}

struct Ticket<T, F> {
    work: F,
    result: Option<Outcome<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<T, F> Job for Ticket<T, F>
where
    T: Send,
    F: Fn(&Connection, &mut Wakes) -> Outcome<T> + Send,
{
    fn run(&mut self, connection: &Connection, wakes: &mut Wakes) -> bool {
        self.result = Some((self.work)(connection, wakes));
        matches!(self.result, Some(Ok(_)))
    }

    fn failure(&self) -> Option<Error> {
        match &self.result {
            Some(Err(Failure::Sqlite(error))) => Some(from_sqlite(error)),
            Some(Err(Failure::Core(error))) => Some(again(error)),
            _ => None,
        }
    }

    fn answer(self: Box<Self>, committed: Result<()>) {
        let answer = match (committed, self.result) {
            // Its own failure says more than that of a commit it was not part of.
            (_, Some(Err(failure))) => Err(failure.into()),
            (Err(error), _) => Err(error),
            (Ok(()), Some(Ok(value))) => Ok(value),
            (Ok(()), None) => Err(Error::bug("a write was committed without having run")),
        };
        // Fails where the caller has gone: the write stands all the same.
        self.reply.send(answer).ok();
    }
}

impl Writer {
    /// Starts the writer on its connection.
    pub(crate) fn start(mut connection: Connection, options: &SqliteOptions, wakeups: Arc<Wakeups>) -> Result<Self> {
        let (sender, messages) = sync_channel(options.max_queue);
        let (lock, anchor) = match &options.location {
            Location::File(path) => (Some(CommitLock::open(&files::beside(path, "-lock"))?), Some(Anchor::of(path))),
            Location::Memory => (None, None),
        };
        let wal_pages = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&wal_pages);
        // Takes the place of SQLite's own checkpoints, which would come before the answers.
        let hook = move |_: &mut rusqlite::hooks::Wal, pages: i32| {
            counted.store(u64::try_from(pages).unwrap_or(0), Ordering::Relaxed);
            Ok(())
        };
        connection.wal_hook(Some(hook)).map_err(|error| from_sqlite(&error))?;
        let thread = Loop {
            wakeups,
            lock,
            anchor,
            lock_timeout: Duration::from_millis(options.busy_timeout_ms),
            max_batch: options.max_batch,
            commits: 0,
            wal_pages,
            data_version: None,
            connection,
        };
        let thread = std::thread::Builder::new()
            .name("mainstay-sqlite-writer".into())
            .spawn(move || thread.run(&messages))
            .map_err(io("no thread can be started to write the store"))?;
        Ok(Self { queue: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)) })
    }

    /// Runs work in the next commit and waits until it is on the disk. The work must leave nothing behind where it
    /// fails: it is rolled back alone.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: Fn(&Connection, &mut Wakes) -> Outcome<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let ticket = Ticket { work, result: None, reply };
        self.send(Message::Job(Box::new(ticket)))?;
        answer.await.unwrap_or_else(|_| Err(closed().maybe_applied()))
    }

    /// Has the writer look for writes of other processes when it next has time.
    pub(crate) fn poll(&self) {
        // A full queue means that commits are under way, and each of them is followed by another poll.
        self.send(Message::Poll).ok();
    }

    /// Finishes what is queued and closes the connection. Blocks; twice does no harm.
    pub(crate) fn close(&self) {
        drop(self.queue.lock().unwrap_or_else(PoisonError::into_inner).take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the writer of the store ended in a panic");
        }
    }

    fn send(&self, message: Message) -> Result<()> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(sender) = queue.as_ref() else { return Err(closed()) };
        sender.try_send(message).map_err(|error| match error {
            TrySendError::Full(_) => busy("more writes wait for the store than its queue may hold"),
            TrySendError::Disconnected(_) => closed(),
        })
    }
}

/// What the thread of the writer owns.
struct Loop {
    wakeups: Arc<Wakeups>,
    lock: Option<CommitLock>,
    anchor: Option<Anchor>,
    lock_timeout: Duration,
    max_batch: usize,
    commits: u64,
    wal_pages: Arc<AtomicU64>,
    data_version: Option<i64>,
    connection: Connection,
}

impl Loop {
    fn run(mut self, messages: &Receiver<Message>) {
        let mut batch: Vec<Box<dyn Job>> = Vec::with_capacity(self.max_batch);
        while let Ok(first) = messages.recv() {
            let mut poll = false;
            let queued = std::iter::once(first).chain(messages.try_iter());
            for message in queued.take(self.max_batch) {
                match message {
                    Message::Job(job) => batch.push(job),
                    Message::Poll => poll = true,
                }
            }
            if !batch.is_empty() {
                self.process(&mut batch);
            }
            if poll {
                self.look_for_others();
            }
        }
    }

    /// Commits a batch, then answers it.
    fn process(&mut self, batch: &mut Vec<Box<dyn Job>>) {
        let committed = self.commit(batch);
        for job in batch.drain(..) {
            job.answer(committed.as_ref().copied().map_err(again));
        }
        self.commits += 1;
        self.checkpoint();
    }

    fn commit(&mut self, batch: &mut [Box<dyn Job>]) -> Result<()> {
        let _held: Option<Held> = self.lock.as_mut().map(|lock| lock.acquire(self.lock_timeout)).transpose()?;
        self.anchor.as_ref().map_or(Ok(()), Anchor::check)?;
        // Savepoints cost about as much as the writes themselves, and hardly any write fails.
        let wakes = match self.attempt(|this| this.work_together(batch))? {
            Some(wakes) => wakes,
            None => self.attempt(|this| this.work_apart(batch))?.unwrap_or_default(),
        };
        // Still under the lock, which keeps processes from counting over each other.
        self.wakeups.wake(wakes);
        Ok(())
    }

    /// Runs a transaction around work, and rolls back where the work does not say what it changed.
    fn attempt(&self, work: impl FnOnce(&Self) -> Result<Option<Wakes>>) -> Result<Option<Wakes>> {
        self.execute("BEGIN IMMEDIATE").map_err(|error| from_sqlite(&error))?;
        let outcome = match work(self) {
            Ok(Some(wakes)) => self.execute("COMMIT").map(|()| Some(wakes)).map_err(|error| commit_failed(&error)),
            unfinished => unfinished,
        };
        // A full disk, for one, makes SQLite itself roll back.
        if !self.connection.is_autocommit() {
            self.execute("ROLLBACK").unwrap_or_else(|error| tracing::error!(%error, "a batch cannot be rolled back"));
        }
        outcome
    }

    /// Runs all jobs; `None` where one fails.
    fn work_together(&self, batch: &mut [Box<dyn Job>]) -> Result<Option<Wakes>> {
        let mut wakes = Wakes::default();
        let stands = batch.iter_mut().all(|job| job.run(&self.connection, &mut wakes));
        Ok(stands.then_some(wakes))
    }

    /// Runs each job in a savepoint of its own, so that one that fails takes no other with it.
    fn work_apart(&self, batch: &mut [Box<dyn Job>]) -> Result<Option<Wakes>> {
        let mut all = Wakes::default();
        let step = |sql| self.execute(sql).map_err(|error| from_sqlite(&error));
        for job in batch {
            step("SAVEPOINT job")?;
            let mut wakes = Wakes::default();
            let stands = job.run(&self.connection, &mut wakes);
            if self.connection.is_autocommit() {
                // SQLite rolled back the transaction, as it may when the disk is full: no job stands.
                return Err(job.failure().unwrap_or_else(|| Error::bug("a write ended its transaction")));
            }
            if stands {
                all.absorb(wakes);
            } else {
                step("ROLLBACK TO job")?;
            }
            step("RELEASE job")?;
        }
        Ok(Some(all))
    }

    fn execute(&self, sql: &str) -> rusqlite::Result<()> {
        self.connection.prepare_cached(sql)?.execute([]).map(drop)
    }

    /// Copies the write-ahead log into the database where it has grown enough, so that it stays bounded.
    ///
    /// A short-lived process has to empty the log too: that it was copied is remembered in memory that goes with the
    /// last process, and the next one would copy and extend the same log again. A long-lived one does so only where
    /// readers have kept the log from starting anew by itself.
    fn checkpoint(&mut self) {
        let young = self.commits < BUSY_COMMITS;
        let limit = if young { CHECKPOINT_PAGES } else { CHECKPOINT_PAGES_BUSY };
        let pages = self.wal_pages.load(Ordering::Relaxed);
        if pages < limit {
            return;
        }
        let copied = if young || pages >= limit * OVERDUE_FACTOR {
            self.empty_log()
        } else {
            self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
        };
        match copied {
            // Counted anew at the next commit.
            Ok(()) => self.wal_pages.store(0, Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, "the write-ahead log cannot be copied into the database"),
        }
    }

    /// Copies the log and cuts it to nothing, unless readers hold on to it for too long.
    fn empty_log(&self) -> rusqlite::Result<()> {
        self.connection.busy_timeout(MAX_WAIT_FOR_READERS)?;
        let emptied = self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        self.connection.busy_timeout(self.lock_timeout)?;
        emptied
    }

    fn look_for_others(&mut self) {
        let version = self.connection.pragma_query_value(None, "data_version", |row| row.get(0));
        match version {
            Ok(version) if self.data_version == Some(version) => {}
            Ok(version) => {
                self.data_version = Some(version);
                self.wakeups.everything();
            }
            Err(error) => tracing::warn!(%error, "the store cannot be polled for writes of other processes"),
        }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        if self.lock.is_none() || self.commits < BUSY_COMMITS {
            return;
        }
        // After long use, leave no log for the next process to read.
        if let Err(error) = self.empty_log() {
            tracing::debug!(%error, "the write-ahead log stays as it is");
        }
    }
}

fn commit_failed(error: &rusqlite::Error) -> Error {
    let failed = from_sqlite(error);
    if commit_is_undecided(error) { failed.maybe_applied() } else { failed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_core::api::Code;
    use mainstay_core::api::errors::Applied;
    use std::sync::mpsc::channel;

    fn writer(max_queue: usize) -> Arc<Writer> {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch("CREATE TABLE numbers (number INTEGER PRIMARY KEY)").unwrap();
        let options = SqliteOptions { max_queue, ..SqliteOptions::new(Location::Memory) };
        Arc::new(Writer::start(connection, &options, Arc::new(Wakeups::new(None))).unwrap())
    }

    fn insert(connection: &Connection, number: i64) -> Outcome<()> {
        connection.execute("INSERT INTO numbers VALUES (?1)", [number])?;
        Ok(())
    }

    async fn numbers(writer: &Writer) -> Vec<i64> {
        let read = |connection: &Connection, _: &mut Wakes| {
            let mut statement = connection.prepare("SELECT number FROM numbers ORDER BY number")?;
            Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
        };
        writer.write(read).await.unwrap()
    }

    /// Keeps the writer in a commit of its own until the sender is dropped, and returns once it is there.
    fn occupy(writer: &Writer) -> std::sync::mpsc::Sender<()> {
        let (release, released) = channel::<()>();
        let (entered, inside) = channel::<()>();
        let released = Mutex::new(released);
        let (reply, _) = oneshot::channel();
        let work = move |_: &Connection, _: &mut Wakes| {
            entered.send(()).ok();
            released.lock().unwrap().recv().ok();
            Ok(())
        };
        writer.send(Message::Job(Box::new(Ticket { work, result: None, reply }))).unwrap();
        inside.recv().unwrap();
        release
    }

    #[tokio::test]
    async fn a_write_that_fails_takes_no_other_of_its_commit_with_it() {
        let writer = writer(16);
        let release = occupy(&writer);
        let good = |number| {
            let writer = Arc::clone(&writer);
            async move { writer.write(move |connection, _| insert(connection, number)).await }
        };
        let bad = writer.write(|connection, _| {
            insert(connection, 2)?;
            Err::<(), _>(Error::invalid("it fails after it wrote").into())
        });
        let release = async move { drop(release) };
        let (first, failed, last, ()) = tokio::join!(good(1), bad, good(3), release);
        first.unwrap();
        last.unwrap();
        assert_eq!(failed.unwrap_err().code(), Code::InvalidRequest);
        assert_eq!(numbers(&writer).await, [1, 3]);
    }

    #[tokio::test]
    async fn a_full_queue_refuses_and_what_it_took_is_written() {
        let writer = writer(2);
        let release = occupy(&writer);
        let write = |number| writer.write(move |connection, _| insert(connection, number));
        let release = async move { drop(release) };
        let (first, second, third, ()) = tokio::join!(write(1), write(2), write(3), release);
        first.unwrap();
        second.unwrap();
        let refused = third.unwrap_err();
        assert_eq!((refused.code(), refused.problem.applied), (Code::StoreBusy, Applied::No));
        assert_eq!(numbers(&writer).await, [1, 2]);
    }

    #[tokio::test]
    async fn closing_finishes_what_is_queued_and_refuses_what_comes_later() {
        let writer = writer(16);
        let release = occupy(&writer);
        let closing = {
            let writer = Arc::clone(&writer);
            async move {
                drop(release);
                writer.close();
                writer.close();
            }
        };
        let (written, ()) = tokio::join!(writer.write(|connection, _| insert(connection, 1)), closing);
        written.unwrap();
        let refused = writer.write(|connection, _| insert(connection, 2)).await.unwrap_err();
        assert_eq!((refused.code(), refused.problem.applied), (Code::StoreUnavailable, Applied::No));
    }
}
