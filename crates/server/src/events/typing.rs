//! Events of which only the last state matters, on their way to the stream.

use super::publishing::{Publisher, Way};
use crate::metrics::Transport;
use futures::stream::{self, StreamExt};
use mainstay_core::api::Timestamp;
use mainstay_core::api::events::{PublishEvent, PublishEvents, PublishedEvents, StreamName};
use mainstay_core::{Caller, Result};
use mainstay_hub::live::{Offered, Typing, coalesced_with, join};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// Shortest pause between two looks at what is due.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
/// How many are published at a time.
const AT_ONCE: usize = 32;

/// Who does what in which room.
type Key = (String, StreamName, String, String, &'static str);

/// An event that is to be published on behalf of its caller.
struct Waiting {
    caller: Caller,
    from: Transport,
    stream: StreamName,
    event: PublishEvent,
}

/// An event of a user.
pub(crate) struct Passing {
    pub stream: StreamName,
    pub user: String,
    pub event: PublishEvent,
}

/// What became of an event that was to be published.
#[derive(Debug)]
pub(crate) enum Coalesced {
    /// It is stored.
    Published(PublishedEvents),
    /// It is published within a tenth of a second, or a later one in its place.
    Held,
}

/// Coalesces, and publishes what is due. Clones share it.
#[derive(Clone)]
pub(crate) struct Coalescer {
    shared: Arc<Shared>,
}

struct Shared {
    publisher: Publisher,
    /// The times of the windows count from here.
    begun: Instant,
    /// How far apart events are; zero where each is published.
    window: Duration,
    state: Mutex<State>,
}

struct State {
    typing: Typing<Key, Waiting>,
    /// Whether a task publishes what is due.
    running: bool,
}

impl Coalescer {
    /// Coalesces within a window; not at all where it is zero.
    pub(crate) fn new(publisher: Publisher, window: Duration) -> Self {
        let state = Mutex::new(State { typing: Typing::new(window), running: false });
        Self { shared: Arc::new(Shared { publisher, begun: Instant::now(), window, state }) }
    }

    /// Publishes an event of a user; one that says how the user is, such as who types, as often as that is of use. Other
    /// events pass as they are.
    ///
    /// # Errors
    /// Those of publishing.
    pub(crate) async fn publish(&self, caller: &Caller, from: Transport, passing: Passing) -> Result<Coalesced> {
        let Passing { stream, user, event } = passing;
        let group = coalesced_with(&event.kind).filter(|_| !self.shared.window.is_zero());
        let Some(group) = group else {
            let waiting = Waiting { caller: caller.clone(), from, stream, event };
            return self.shared.store(waiting).await.map(Coalesced::Published);
        };
        let (namespace, room) = (caller.namespace.to_string(), event.room.to_string());
        let key = (namespace, stream.clone(), room, user, group);
        let waiting = Waiting { caller: caller.clone(), from, stream, event };
        match self.offer(key, waiting) {
            Offered::Now(now) => self.shared.store(now).await.map(Coalesced::Published),
            Offered::Held => Ok(Coalesced::Held),
        }
    }

    /// How many events were left out because a later one stands for them.
    pub(crate) fn coalesced(&self) -> u64 {
        self.shared.lock().typing.coalesced()
    }

    fn offer(&self, key: Key, waiting: Waiting) -> Offered<Waiting> {
        let now = self.shared.now();
        let mut state = self.shared.lock();
        let offered = state.typing.offer(key, waiting, now, |earlier, mut later| {
            self.shared.publisher.coalesced(&earlier.event.kind);
            later.event = join(earlier.event, later.event);
            later
        });
        if !std::mem::replace(&mut state.running, true) {
            tokio::spawn(Arc::clone(&self.shared).run());
        }
        offered
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    /// Publishes what is due for as long as anybody types.
    async fn run(self: Arc<Self>) {
        while let Some(due) = self.due() {
            // Each is of another user or room, so that they need no order among themselves; the next ones wait for all.
            stream::iter(due).for_each_concurrent(AT_ONCE, |waiting| self.store_or_say(waiting)).await;
            tokio::time::sleep(self.pause()).await;
        }
    }

    /// What is to be published now; none where nobody types any more.
    fn due(&self) -> Option<Vec<Waiting>> {
        let now = self.now();
        let mut state = self.lock();
        let due: Vec<Waiting> = state.typing.due(now).into_iter().map(|(_, waiting)| waiting).collect();
        state.running = state.typing.next_due().is_some();
        (state.running || !due.is_empty()).then_some(due)
    }

    fn pause(&self) -> Duration {
        let now = self.now();
        let next = self.lock().typing.next_due();
        let wait_ms = next.map_or(0, |next| next.as_millis() - now.as_millis());
        Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0))
            .clamp(SHORTEST_PAUSE, self.window.max(SHORTEST_PAUSE))
    }

    async fn store_or_say(&self, waiting: Waiting) {
        let stream = waiting.stream.clone();
        if let Err(error) = self.store(waiting).await {
            tracing::debug!(%error, %stream, "a passing state was not published");
        }
    }

    async fn store(&self, waiting: Waiting) -> Result<PublishedEvents> {
        let Waiting { caller, from, stream, event } = waiting;
        let way = Way { stream: &stream, from, request: None };
        self.publisher.publish(&caller, way, PublishEvents { events: vec![event] }).await
    }
}
