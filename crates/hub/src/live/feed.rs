//! What a node knows of one log: its last events, and who subscribed to its rooms.

use super::LiveOptions;
use super::burst::Burst;
use super::counts::{Counts, LiveHeld};
use super::event::{LiveEvent, Notice};
use super::outlet::{Outlet, Wakes};
use super::ring::{Ring, Seen};
use mainstay_core::api::Epoch;
use mainstay_core::api::events::{EventGap, EventOffset, EventPosition, RoomId};
use mainstay_core::events::{LogName, Overflow, StoredEvent};
use std::collections::HashMap;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::OnceCell;

/// Ids that a feed remembers at most.
pub(super) const MAX_SEEN: usize = 65_536;

/// What a node knows of one log.
pub(super) struct Feed {
    pub log: LogName,
    pub overflow: Overflow,
    /// Set once its end is known.
    pub begun: OnceCell<()>,
    counts: Arc<Counts>,
    state: Mutex<State>,
}

struct State {
    epoch: Option<Epoch>,
    /// Up to where it has been read.
    head: EventOffset,
    ring: Ring,
    seen: Seen,
    rooms: HashMap<RoomId, Vec<Subscriber>>,
    /// Subscriptions and attempts at one: it is followed for as long as there are any.
    leases: usize,
}

struct Subscriber {
    ticket: Arc<Ticket>,
    /// What it has, or is not to get.
    after: EventOffset,
}

/// One subscription.
pub(super) struct Ticket {
    pub outlet: Outlet,
    pub room: RoomId,
    /// Whether it gets what is new, which it does not while it catches up.
    pub attached: AtomicBool,
    /// Whether it was given up.
    pub gone: AtomicBool,
}

/// What became of an attempt to go over to live delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attach {
    /// From now on it gets what is new.
    Attached,
    /// Its queue is too full for what is missing.
    Full,
    /// The last events do not reach back to its place: read the store.
    Behind,
    /// It was given up.
    Gone,
}

impl Feed {
    pub(super) fn new(log: LogName, options: &FeedOptions, counts: Arc<Counts>) -> Self {
        let state = State {
            epoch: None,
            head: EventOffset::ZERO,
            ring: Ring::new(options.live.ring_events, options.live.ring_bytes),
            seen: Seen::new(options.dedupe_ms, MAX_SEEN),
            rooms: HashMap::new(),
            leases: 0,
        };
        Self { log, overflow: options.overflow, begun: OnceCell::new(), counts, state: Mutex::new(state) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Every critical section leaves the state whole, so a panic elsewhere cannot have broken it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn lease(&self) {
        self.lock().leases += 1;
    }

    pub(super) fn release(&self) {
        self.lock().leases -= 1;
    }

    pub(super) fn is_leased(&self) -> bool {
        self.lock().leases > 0
    }

    pub(super) fn held(&self) -> LiveHeld {
        let state = self.lock();
        LiveHeld { rooms: state.rooms.len(), ids: state.seen.len() }
    }

    /// Where it has been read up to, once it has begun.
    pub(super) fn head(&self) -> Option<EventPosition> {
        let state = self.lock();
        let epoch = state.epoch.clone()?;
        Some(EventPosition { epoch, offset: state.head })
    }

    /// Whether everything behind a place can be served from memory.
    pub(super) fn covers(&self, position: &EventPosition) -> bool {
        let state = self.lock();
        state.epoch.as_ref() == Some(&position.epoch)
            && position.offset <= state.head
            && state.ring.covers(position.offset)
    }

    /// Begins, or begins anew, behind a place. Whoever is subscribed is told of the gap.
    pub(super) fn restart(&self, position: EventPosition, gap: Option<EventGap>) {
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        state.ring.restart(position.offset);
        state.head = position.offset;
        state.epoch = Some(position.epoch.clone());
        let Some(gap) = gap else { return };
        for (room, subscribers) in &mut state.rooms {
            let (stream, room, position) = (self.log.stream.clone(), room.clone(), position.clone());
            let notice = Notice::Gap { stream, room, gap, position };
            for subscriber in subscribers {
                subscriber.after = EventOffset::ZERO;
                self.counts.gaps.fetch_add(1, Relaxed);
                subscriber.ticket.outlet.tell(&notice, &mut wakes);
            }
        }
    }

    /// Delivers what was read behind the head, in order.
    pub(super) fn deliver(&self, events: Vec<StoredEvent>, next: EventOffset) {
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        let Some(epoch) = state.epoch.clone() else { return };
        let mut burst: Option<Burst> = None;
        for stored in events {
            state.head = stored.offset;
            if !state.seen.insert(&stored.event.id, stored.offset.ms) {
                self.counts.repeats.fetch_add(1, Relaxed);
                continue;
            }
            let event = Arc::new(LiveEvent::new(stored.into_event(self.log.stream.clone(), epoch.clone())));
            state.ring.push(Arc::clone(&event));
            let unlike = match &mut burst {
                Some(burst) => burst.add(event),
                None => Some(event),
            };
            if let Some(event) = unlike
                && let Some(whole) = burst.replace(Burst::new(event))
            {
                state.fan_out(whole, self.overflow, &mut wakes);
            }
        }
        if let Some(last) = burst {
            state.fan_out(last, self.overflow, &mut wakes);
        }
        // What could not be read as an event is passed over as well.
        state.head = state.head.max(next);
        // Whoever is woken looks at the feed: it must not wait for it.
        drop(state);
    }

    /// Goes over to live delivery from a position, where that is possible without a hole: what is missing is put into
    /// the queue, as much as fits, and the position moves with it. `checked`: the store says that nothing is behind it.
    pub(super) fn attach(&self, ticket: &Arc<Ticket>, position: &mut EventPosition, checked: bool) -> Attach {
        let mut wakes = Wakes::default();
        let mut state = self.lock();
        if ticket.gone.load(SeqCst) || ticket.outlet.closed().is_some() {
            return Attach::Gone;
        }
        let ahead = position.offset > state.head;
        if state.epoch.as_ref() != Some(&position.epoch) || (ahead && !checked) || !state.ring.covers(position.offset) {
            return Attach::Behind;
        }
        for event in state.ring.after(position.offset).filter(|event| event.event.room == ticket.room) {
            if !ticket.outlet.is_roomy() {
                return Attach::Full;
            }
            ticket.outlet.offer(event, self.overflow, &mut wakes);
            position.offset = event.offset();
        }
        position.offset = position.offset.max(state.head);
        ticket.attached.store(true, SeqCst);
        let subscriber = Subscriber { ticket: Arc::clone(ticket), after: position.offset };
        state.rooms.entry(ticket.room.clone()).or_default().push(subscriber);
        Attach::Attached
    }

    /// Takes a subscription away.
    pub(super) fn detach(&self, ticket: &Arc<Ticket>) {
        let mut state = self.lock();
        ticket.gone.store(true, SeqCst);
        if let Some(subscribers) = state.rooms.get_mut(&ticket.room) {
            subscribers.retain(|subscriber| !Arc::ptr_eq(&subscriber.ticket, ticket));
            if subscribers.is_empty() {
                state.rooms.remove(&ticket.room);
            }
        }
    }

    /// Up to where a subscription has everything in its queue; none while it catches up.
    pub(super) fn position_of(&self, ticket: &Ticket) -> Option<EventPosition> {
        let state = self.lock();
        let attached = ticket.attached.load(SeqCst);
        let epoch = state.epoch.clone().filter(|_| attached)?;
        Some(EventPosition { epoch, offset: state.head })
    }
}

impl State {
    fn fan_out(&mut self, mut burst: Burst, overflow: Overflow, wakes: &mut Wakes) {
        let Some(subscribers) = self.rooms.get_mut(burst.room()) else { return };
        subscribers.retain(|subscriber| {
            let outlet = &subscriber.ticket.outlet;
            match burst.is_behind(subscriber.after) {
                true => outlet.offer_all(&mut burst, overflow, wakes),
                false => burst.after(subscriber.after).iter().all(|event| outlet.offer(event, overflow, wakes)),
            }
        });
        if subscribers.is_empty() {
            self.rooms.remove(burst.room());
        }
    }
}

/// What a feed is made with.
pub(super) struct FeedOptions {
    pub live: LiveOptions,
    pub overflow: Overflow,
    pub dedupe_ms: u64,
}
