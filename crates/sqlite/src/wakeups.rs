//! Hints. Within the process they name their topic; another process only learns that something changed, from a
//! counter in a small file beside the database that is watched while somebody waits.

use crate::files;
use crate::writer::Writer;
use futures::stream::{BoxStream, StreamExt};
use mainstay_core::{Hint, Result, Topic};
use notify::{RecursiveMode, Watcher};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::broadcast::{self, error::RecvError};

/// Hints that a reader may be behind before they collapse into [`Hint::Everything`].
const CAPACITY: usize = 1_024;
/// How often the database itself is asked whether another process wrote, while somebody waits: the file of the
/// counter may have been removed, or a process may have died between its commit and its counting.
const POLL: Duration = Duration::from_millis(250);

/// What a write changed, told to readers once it is committed.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    topics: Vec<Topic>,
}

impl Wakes {
    /// Wakes the readers of a topic.
    pub(crate) fn topic(&mut self, topic: Topic) {
        self.topics.push(topic);
    }

    /// Takes over what another part of the same commit changed.
    pub(crate) fn absorb(&mut self, mut other: Self) {
        self.topics.append(&mut other.topics);
    }

    fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }
}

/// The wake-ups of one open store.
pub(crate) struct Wakeups {
    hints: broadcast::Sender<Hint>,
    counter: Option<Counter>,
    watch: Mutex<Option<Watch>>,
}

/// A watch that lasts while there are subscribers; the watcher works as long as it is kept.
struct Watch {
    _watcher: Option<notify::RecommendedWatcher>,
}

impl Wakeups {
    /// The wake-ups of a database file, or of a database in memory.
    pub(crate) fn new(database: Option<&Path>) -> Self {
        let counter = database.map(|path| Counter::new(files::beside(path, "-wake")));
        Self { hints: broadcast::channel(CAPACITY).0, counter, watch: Mutex::default() }
    }

    /// Tells the readers of this process and of others what a commit changed. Called after the commit, so that who
    /// is woken sees it.
    pub(crate) fn wake(&self, wakes: Wakes) {
        if wakes.is_empty() {
            return;
        }
        if let Some(counter) = &self.counter
            && let Err(error) = counter.count_own()
        {
            tracing::warn!(%error, "other processes are not told of a write; they find it by polling");
        }
        if wakes.topics.len() > CAPACITY / 2 {
            self.everything();
            return;
        }
        for topic in wakes.topics {
            // Fails where nobody listens.
            self.hints.send(Hint::Topic(topic)).ok();
        }
    }

    /// Wakes all readers of this process.
    pub(crate) fn everything(&self) {
        self.hints.send(Hint::Everything).ok();
    }

    /// Subscribes, and begins to watch for other processes where this is the first subscription.
    pub(crate) fn subscribe(self: &Arc<Self>, writer: &Arc<Writer>) -> BoxStream<'static, Hint> {
        let mut watch = locked(&self.watch);
        let receiver = self.hints.subscribe();
        if let Some(counter) = &self.counter
            && watch.is_none()
        {
            *watch = Some(Watch { _watcher: self.watch_file(counter) });
            self.start_polling(Arc::downgrade(writer));
        }
        drop(watch);
        futures::stream::unfold(receiver, next).boxed()
    }

    fn watch_file(self: &Arc<Self>, counter: &Counter) -> Option<notify::RecommendedWatcher> {
        let this = Arc::downgrade(self);
        let on_event = move |event: notify::Result<notify::Event>| {
            let changed = event.map_or(true, |event| event.kind.is_modify());
            if let Some(this) = this.upgrade()
                && changed
            {
                this.look();
            }
        };
        let watch = || {
            counter.foreign_news().map_err(|error| notify::Error::io(std::io::Error::other(error.to_string())))?;
            let mut watcher = notify::recommended_watcher(on_event)?;
            watcher.watch(&counter.path, RecursiveMode::NonRecursive)?;
            Ok::<_, notify::Error>(watcher)
        };
        match watch() {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                tracing::warn!(%error, "the store cannot be watched; writes of other processes are found by polling");
                None
            }
        }
    }

    fn look(&self) {
        let Some(counter) = &self.counter else { return };
        match counter.foreign_news() {
            Ok(false) => {}
            Ok(true) => self.everything(),
            Err(error) => {
                tracing::warn!(%error, "the counter of writes cannot be read");
                self.everything();
            }
        }
    }

    fn start_polling(self: &Arc<Self>, writer: Weak<Writer>) {
        let this = Arc::downgrade(self);
        let poll = move || {
            loop {
                std::thread::sleep(POLL);
                let (Some(this), Some(writer)) = (this.upgrade(), writer.upgrade()) else { return };
                let mut watch = locked(&this.watch);
                if this.hints.receiver_count() == 0 {
                    *watch = None;
                    return;
                }
                drop(watch);
                writer.poll();
            }
        };
        if let Err(error) = std::thread::Builder::new().name("mainstay-sqlite-wake".into()).spawn(poll) {
            tracing::warn!(%error, "no thread can be started to poll the store for writes of other processes");
        }
    }
}

async fn next(mut receiver: broadcast::Receiver<Hint>) -> Option<(Hint, broadcast::Receiver<Hint>)> {
    match receiver.recv().await {
        Ok(hint) => Some((hint, receiver)),
        Err(RecvError::Lagged(_)) => Some((Hint::Everything, receiver)),
        Err(RecvError::Closed) => None,
    }
}

/// A count of the commits of all processes, eight bytes in a file. It is only changed under the commit lock. What
/// this process did not count itself is news from others.
struct Counter {
    path: PathBuf,
    state: Mutex<Counted>,
}

#[derive(Default)]
struct Counted {
    file: Option<File>,
    own: u64,
    foreign: Option<u64>,
}

impl Counter {
    fn new(path: PathBuf) -> Self {
        Self { path, state: Mutex::default() }
    }

    /// Counts a commit of this process. The state stays locked over both steps, so that no reader takes it for
    /// another process's.
    fn count_own(&self) -> Result<()> {
        let mut state = locked(&self.state);
        let count = self.read(&mut state)?;
        state.own = state.own.wrapping_add(1);
        let file = self.file(&mut state)?;
        let write = |file: &mut File| {
            file.seek(SeekFrom::Start(0))?;
            file.write_all(&count.wrapping_add(1).to_le_bytes())
        };
        write(file).map_err(crate::errors::io("the counter of writes cannot be written"))
    }

    /// Whether another process has counted a commit since the last call; `false` for the first.
    fn foreign_news(&self) -> Result<bool> {
        let mut state = locked(&self.state);
        let foreign = self.read(&mut state)?.wrapping_sub(state.own);
        let before = state.foreign.replace(foreign);
        Ok(before.is_some_and(|before| before != foreign))
    }

    fn read(&self, state: &mut Counted) -> Result<u64> {
        let file = self.file(state)?;
        let mut bytes = [0; 8];
        let read = |file: &mut File, bytes: &mut [u8; 8]| {
            file.seek(SeekFrom::Start(0))?;
            file.read_exact(bytes)
        };
        match read(file, &mut bytes) {
            Ok(()) => Ok(u64::from_le_bytes(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(0),
            Err(error) => Err(crate::errors::io("the counter of writes cannot be read")(error)),
        }
    }

    fn file<'a>(&self, state: &'a mut Counted) -> Result<&'a mut File> {
        match &mut state.file {
            Some(file) => Ok(file),
            empty => Ok(empty.insert(files::open_private(&self.path)?)),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
