//! The way out to one connection: a queue of frames that are written already, bounded in bytes.

use super::burst::{Burst, Joined};
use super::counts::Counts;
use super::event::{Encode, LiveEvent, Notice};
use super::meter::Meter;
use super::queue::{Of, Queue, Taken};
use bytes::Bytes;
use mainstay_core::api::events::EventOffset;
use mainstay_core::events::Overflow;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use tokio::sync::Notify;

/// What an outlet is made of.
pub struct OutletParts {
    /// The id of the connection, which `metadata.origin` of events names.
    pub connection: String,
    /// Writes its frames.
    pub encoder: Arc<dyn Encode>,
    /// Most bytes that may wait; a single frame may be longer.
    pub limit_bytes: usize,
    /// Told what becomes of it.
    pub meter: Arc<dyn Meter>,
}

/// Where frames for a connection are put. Clones put them into the same queue.
#[derive(Clone)]
pub struct Outlet {
    shared: Arc<Shared>,
}

/// Where whoever writes to the connection takes them from. Dropping it closes the outlet.
pub struct Drain {
    shared: Arc<Shared>,
}

/// Why an outlet takes nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Closed {
    /// The connection read too slowly; what waited was dropped. Its client comes back from its position.
    Slow,
    /// Events were missed, and the protocol has no word for that.
    Gap,
    /// The node stops. Another node, or the next run, takes over.
    Stopping,
    /// Whoever has the connection ended it, and knows why.
    Ended,
}

struct Shared {
    parts: OutletParts,
    counts: Arc<Counts>,
    state: Mutex<State>,
    /// Told when there is room again, and when the outlet closes.
    moved: Notify,
}

#[derive(Default)]
struct State {
    queue: Queue,
    closed: Option<Closed>,
    drain: Option<Waker>,
}

/// Whoever is to be woken once everything is in the queues: one wake-up for many frames.
#[derive(Default)]
pub(crate) struct Wakes(Vec<Waker>);

impl Drop for Wakes {
    fn drop(&mut self) {
        self.0.drain(..).for_each(Waker::wake);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Every critical section leaves the queue whole, so a panic elsewhere cannot have broken it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet {
    /// An outlet and its reading end.
    pub(crate) fn open(parts: OutletParts, counts: Arc<Counts>) -> (Self, Drain) {
        counts.connections.fetch_add(1, Relaxed);
        parts.meter.opened();
        let shared = Arc::new(Shared { parts, counts, state: Mutex::default(), moved: Notify::new() });
        (Self { shared: Arc::clone(&shared) }, Drain { shared })
    }

    /// The id of the connection.
    #[must_use]
    pub fn connection(&self) -> &str {
        &self.shared.parts.connection
    }

    /// Adds a frame of the protocol itself, which is never left out.
    pub fn push(&self, frame: Bytes) {
        let mut wakes = Wakes::default();
        self.enqueue(frame, Of::Message, Overflow::Close, &mut wakes);
    }

    /// Takes nothing any more; what waits can still be taken. The first reason stands.
    pub fn close(&self, closed: Closed) {
        let waker = {
            let mut state = self.shared.lock();
            state.closed.get_or_insert(closed);
            state.drain.take()
        };
        self.shared.moved.notify_waiters();
        waker.into_iter().for_each(Waker::wake);
    }

    /// Why it takes nothing any more, where that is so.
    #[must_use]
    pub fn closed(&self) -> Option<Closed> {
        self.shared.lock().closed
    }

    /// Returns when the outlet is closed.
    pub async fn wait_closed(&self) -> Closed {
        loop {
            let moved = self.shared.moved.notified();
            if let Some(closed) = self.closed() {
                return closed;
            }
            moved.await;
        }
    }

    /// Returns when at most half of what may wait does, or the outlet is closed: for what can be held back.
    pub async fn roomy(&self) {
        loop {
            let moved = self.shared.moved.notified();
            if self.is_roomy() {
                return;
            }
            moved.await;
        }
    }

    pub(crate) fn is_roomy(&self) -> bool {
        let state = self.shared.lock();
        state.closed.is_some() || state.queue.bytes() <= self.shared.parts.limit_bytes / 2
    }

    /// Adds an event. `false` where the outlet is closed, by this event or before.
    pub(crate) fn offer(&self, event: &Arc<LiveEvent>, overflow: Overflow, wakes: &mut Wakes) -> bool {
        if event.is_from(&self.shared.parts.connection) {
            return true;
        }
        let Some(frame) = event.frame(&*self.shared.parts.encoder) else {
            return true;
        };
        let of = match overflow {
            Overflow::Close => Of::Kept(event.stamp()),
            Overflow::Conflate => Of::Event(Arc::clone(event)),
        };
        let taken = self.enqueue(frame, of, overflow, wakes);
        if taken {
            self.shared.counts.deliveries.fetch_add(1, Relaxed);
        }
        taken
    }

    /// Adds events that follow one another; as one frame, where the protocol allows that. `false` as with one event.
    pub(super) fn offer_all(&self, burst: &mut Burst, overflow: Overflow, wakes: &mut Wakes) -> bool {
        let parts = &self.shared.parts;
        let as_one = overflow == Overflow::Close && parts.encoder.joins() && burst.is_all_for(&parts.connection);
        if !as_one {
            return burst.after(EventOffset::ZERO).iter().all(|event| self.offer(event, overflow, wakes));
        }
        let Some(Joined { bytes, stamps }) = burst.joined(&*parts.encoder) else { return true };
        let count = stamps.len() as u64;
        let taken = self.enqueue(bytes, Of::Joined(stamps), overflow, wakes);
        if taken {
            self.shared.counts.deliveries.fetch_add(count, Relaxed);
        }
        taken
    }

    /// Tells the connection something about a room. One that has no word for a gap is closed at it.
    pub(crate) fn tell(&self, notice: &Notice, wakes: &mut Wakes) {
        match self.shared.parts.encoder.notice(notice) {
            Some(frame) => drop(self.enqueue(frame, Of::Message, Overflow::Close, wakes)),
            None if matches!(notice, Notice::Gap { .. }) => self.close(Closed::Gap),
            None => {}
        }
    }

    fn enqueue(&self, frame: Bytes, of: Of, overflow: Overflow, wakes: &mut Wakes) -> bool {
        let shared = &self.shared;
        let mut state = shared.lock();
        if state.closed.is_some() {
            return false;
        }
        let before = state.queue.bytes();
        let empty = state.queue.is_empty();
        let over = !empty && state.queue.bytes() + frame.len() > shared.parts.limit_bytes;
        state.queue.push(frame, of);
        if over {
            self.relieve(&mut state, overflow);
        }
        shared.counts.queued(before, state.queue.bytes());
        wakes.0.extend(state.drain.take());
        state.closed.is_none()
    }

    /// Makes room where more waits than may: what is left must be so little that this is not needed again at once.
    fn relieve(&self, state: &mut State, overflow: Overflow) {
        let Shared { parts, counts, moved, .. } = &*self.shared;
        if overflow == Overflow::Conflate {
            let dropped = state.queue.conflate(&*parts.encoder);
            counts.conflated.fetch_add(dropped, Relaxed);
            if state.queue.bytes() <= parts.limit_bytes / 2 {
                return;
            }
        }
        state.queue = Queue::default();
        state.closed = Some(Closed::Slow);
        counts.slow.fetch_add(1, Relaxed);
        moved.notify_waiters();
    }
}

impl Drain {
    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shared.lock().queue.is_empty()
    }

    /// Waits until something is there, and takes as much of it as fits, one frame at least; or says why the outlet is
    /// closed, once nothing waits any more. Given up half-way, it has taken nothing.
    ///
    /// # Errors
    /// Why nothing will come any more.
    pub async fn batch(&mut self, max_frames: usize, max_bytes: usize) -> Result<Vec<Bytes>, Closed> {
        let Taken { frames, stamps } = std::future::poll_fn(|context| {
            let mut state = self.shared.lock();
            if !state.queue.is_empty() {
                let before = state.queue.bytes();
                let taken = state.queue.take(max_frames, max_bytes);
                self.shared.counts.queued(before, state.queue.bytes());
                return Poll::Ready(Ok(taken));
            }
            if let Some(closed) = state.closed {
                return Poll::Ready(Err(closed));
            }
            state.drain = Some(context.waker().clone());
            Poll::Pending
        })
        .await?;
        self.shared.moved.notify_waiters();
        if !stamps.is_empty() {
            self.shared.parts.meter.delivered(&stamps);
        }
        Ok(frames)
    }
}

impl Drop for Drain {
    fn drop(&mut self) {
        self.shared.counts.connections.fetch_sub(1, Relaxed);
        let mut state = self.shared.lock();
        let closed = *state.closed.get_or_insert(Closed::Ended);
        let waiting = std::mem::take(&mut state.queue).bytes();
        drop(state);
        self.shared.counts.queued(waiting, 0);
        self.shared.parts.meter.ended(closed);
        self.shared.moved.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::meter::Stamp;
    use crate::live::test_log::{Plain, event, text};

    fn outlet(limit_bytes: usize) -> (Outlet, Drain) {
        let parts = OutletParts { connection: "me".into(), encoder: Arc::new(Plain), limit_bytes, meter: Arc::new(()) };
        Outlet::open(parts, Arc::default())
    }

    async fn drained(drain: &mut Drain) -> Vec<String> {
        text(drain.batch(1_000, 1_000_000).await.unwrap())
    }

    #[tokio::test]
    async fn what_waits_is_taken_in_order_and_before_the_end() {
        let (outlet, mut drain) = outlet(100);
        ["a", "b", "c"].into_iter().for_each(|text| outlet.push(Bytes::from_static(text.as_bytes())));
        outlet.close(Closed::Stopping);
        outlet.close(Closed::Ended);
        outlet.push(Bytes::from_static(b"late"));
        assert_eq!(text(drain.batch(2, 0).await.unwrap()), ["a"], "one at least, and what does not fit stays");
        assert_eq!(text(drain.batch(2, 100).await.unwrap()), ["b", "c"]);
        assert_eq!(drain.batch(2, 100).await, Err(Closed::Stopping));
    }

    #[tokio::test]
    async fn what_does_not_fit_into_one_write_comes_with_the_next() {
        let (outlet, mut drain) = outlet(100);
        ["abc", "de", "fghi"].into_iter().for_each(|text| outlet.push(Bytes::from_static(text.as_bytes())));
        assert_eq!(text(drain.batch(10, 4).await.unwrap()), ["abc"]);
        assert_eq!(text(drain.batch(10, 6).await.unwrap()), ["de", "fghi"]);
    }

    #[tokio::test]
    async fn a_connection_that_reads_too_slowly_is_closed_and_holds_nothing() {
        let (outlet, mut drain) = outlet(100);
        let mut wakes = Wakes::default();
        let taken =
            (1..=20).take_while(|n| outlet.offer(&event("room", "said", *n), Overflow::Close, &mut wakes)).count();
        assert!((2..20).contains(&taken), "{taken}");
        assert_eq!(drain.batch(100, 100).await, Err(Closed::Slow));
    }

    #[tokio::test]
    async fn a_conflated_connection_keeps_the_last_event_of_each_type_and_is_told() {
        let (outlet, mut drain) = outlet(200);
        outlet.push(Bytes::from_static(b"answer"));
        let mut wakes = Wakes::default();
        for n in 1..=100 {
            let kind = if n % 2 == 0 { "even" } else { "odd" };
            assert!(outlet.offer(&event("room", kind, n), Overflow::Conflate, &mut wakes));
        }
        let got = drained(&mut drain).await;
        assert_eq!(got[0], "answer");
        let dropped: u64 = got[1].strip_prefix("conflated room ").expect("told first").parse().unwrap();
        assert_eq!(got.len() as u64 - 2 + dropped, 100, "{got:?}");
        assert_eq!(&got[got.len() - 2..], ["room odd 99", "room even 100"]);
    }

    #[derive(Default)]
    struct Told(Mutex<Vec<String>>);

    impl Meter for Told {
        fn opened(&self) {
            self.0.lock().unwrap().push("opened".into());
        }

        fn ended(&self, closed: Closed) {
            self.0.lock().unwrap().push(format!("ended {closed:?}"));
        }

        fn delivered(&self, stamps: &[Stamp]) {
            self.0.lock().unwrap().push(format!("{:?}", stamps.iter().map(|s| s.stored_ms).collect::<Vec<_>>()));
        }
    }

    #[tokio::test]
    async fn what_is_written_is_measured_once_and_the_queue_is_counted_until_then() {
        let (told, counts) = (Arc::<Told>::default(), Arc::<Counts>::default());
        let meter = Arc::clone(&told) as Arc<dyn Meter>;
        let parts = OutletParts { connection: "me".into(), encoder: Arc::new(Plain), limit_bytes: 100, meter };
        let (outlet, mut drain) = Outlet::open(parts, Arc::clone(&counts));
        let mut wakes = Wakes::default();
        outlet.push(Bytes::from_static(b"answer"));
        assert!(outlet.offer(&event("room", "said", 7), Overflow::Close, &mut wakes));
        assert!(outlet.offer(&event("room", "said", 8), Overflow::Conflate, &mut wakes));
        assert_eq!(counts.now().queued_bytes, 6 + 2 * 11);
        assert_eq!(drained(&mut drain).await.len(), 3);
        assert_eq!(counts.now().queued_bytes, 0);
        while outlet.offer(&event("room", "said", 9), Overflow::Close, &mut wakes) {}
        assert_eq!(counts.now().queued_bytes, 0, "what waited for a slow connection is dropped");
        drop(drain);
        assert_eq!(*told.0.lock().unwrap(), ["opened", "[7, 8]", "ended Slow"]);
    }

    #[tokio::test]
    async fn a_connection_does_not_get_its_own_events_back() {
        let (outlet, mut drain) = outlet(200);
        let mut own = Arc::into_inner(event("room", "said", 1)).unwrap();
        own.event.metadata.origin = Some("me".into());
        let mut wakes = Wakes::default();
        assert!(outlet.offer(&Arc::new(own), Overflow::Close, &mut wakes));
        assert!(outlet.offer(&event("room", "said", 2), Overflow::Close, &mut wakes));
        assert_eq!(drained(&mut drain).await, ["room said 2"]);
    }

    #[tokio::test]
    async fn many_frames_are_one_wake_up() {
        let (outlet, mut drain) = outlet(1_000_000);
        let waiting = tokio::spawn(async move { drain.batch(1_000, 1_000_000).await.unwrap().len() });
        tokio::task::yield_now().await;
        {
            let mut wakes = Wakes::default();
            assert!((1..=100).all(|n| outlet.offer(&event("room", "said", n), Overflow::Close, &mut wakes)));
            assert_eq!(wakes.0.len(), 1);
        }
        assert_eq!(waiting.await.unwrap(), 100);
    }
}
