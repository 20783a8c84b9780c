//! Subscribing: what was missed first, then what is new, without hole or repeat.

use super::LiveShared;
use super::event::LiveEvent;
use super::event::Notice;
use super::feed::{Attach, Feed, Ticket};
use super::follow::read;
use super::outlet::{Outlet, Wakes};
use super::ring::Seen;
use mainstay_core::Error;
use mainstay_core::Result;
use mainstay_core::api::events::{EventGap, EventPosition};
use mainstay_core::events::{LogPage, RoomKey};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

/// Events that are read at a time for somebody who catches up.
const PAGE: u32 = 500;
/// Ids that are remembered while catching up.
const MAX_SEEN: usize = 16_384;
/// Pause where the store says nothing more and the node does not know as much yet.
const SETTLE: Duration = Duration::from_millis(20);
/// Longest pause after a read that failed.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Keeps a log followed.
pub(super) struct Lease(pub Arc<Feed>);

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.release();
    }
}

/// A subscription that is known to be possible and has not begun. The answer to the client, if any, goes into the outlet
/// before it begins.
pub struct Pending {
    /// Where it begins: behind this position.
    pub position: EventPosition,
    /// Set where the position that was asked for cannot be continued: it begins with what is new.
    pub gap: Option<EventGap>,
    live: Arc<LiveShared>,
    lease: Lease,
    ticket: Arc<Ticket>,
    page: Option<LogPage>,
}

/// A subscription to a room, until it is dropped.
pub struct Subscription {
    live: Arc<LiveShared>,
    lease: Lease,
    ticket: Arc<Ticket>,
}

impl Pending {
    pub(super) async fn prepare(
        live: Arc<LiveShared>,
        lease: Lease,
        (outlet, room): (Outlet, RoomKey),
        from: Option<EventPosition>,
    ) -> Result<Self> {
        let feed = &lease.0;
        let unknown = || Error::bug("a log that is followed has no end");
        let (attached, gone) = (AtomicBool::new(false), AtomicBool::new(false));
        let ticket = Arc::new(Ticket { outlet, room: room.room, attached, gone });
        let (position, gap, page) = match from {
            None => (feed.head().ok_or_else(unknown)?, None, None),
            Some(from) if feed.covers(&from) => (from, None, None),
            Some(from) => {
                let page = read(&*live.events, feed, &from, PAGE).await?;
                match page.gap {
                    Some(gap) => (feed.head().ok_or_else(unknown)?, Some(gap), None),
                    None => (from, None, Some(page)),
                }
            }
        };
        if gap.is_some() {
            live.counts.gaps.fetch_add(1, Relaxed);
        }
        Ok(Self { position, gap, live, lease, ticket, page })
    }

    /// Begins: events from the position on go into the outlet.
    #[must_use]
    pub fn begin(self) -> Subscription {
        let Self { position, live, lease, ticket, page, .. } = self;
        let feed = Arc::clone(&lease.0);
        live.counts.subscriptions.fetch_add(1, Relaxed);
        let seen = Seen::new(u64::MAX, MAX_SEEN);
        let mut catching = CatchUp { live: Arc::clone(&live), feed, ticket: Arc::clone(&ticket), position, page, seen };
        if catching.page.is_some() || catching.attach(false) != Attach::Attached {
            let closed = live.closed.clone();
            live.tasks.spawn(async move { closed.run_until_cancelled(catching.run()).await });
        }
        Subscription { live, lease, ticket }
    }
}

impl Subscription {
    /// Up to where everything has been put into the outlet; none while what was missed is still read.
    #[must_use]
    pub fn position(&self) -> Option<EventPosition> {
        self.lease.0.position_of(&self.ticket)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.lease.0.detach(&self.ticket);
        self.live.counts.subscriptions.fetch_sub(1, Relaxed);
    }
}

/// Somebody who catches up.
struct CatchUp {
    live: Arc<LiveShared>,
    feed: Arc<Feed>,
    ticket: Arc<Ticket>,
    position: EventPosition,
    page: Option<LogPage>,
    seen: Seen,
}

impl CatchUp {
    fn attach(&mut self, checked: bool) -> Attach {
        self.feed.attach(&self.ticket, &mut self.position, checked)
    }

    async fn run(mut self) {
        let mut pause = SETTLE;
        let mut checked = false;
        loop {
            if let Some(page) = self.page.take() {
                checked = !page.more && page.gap.is_none();
                self.take(page).await;
            }
            match self.attach(checked) {
                Attach::Attached | Attach::Gone => return,
                Attach::Full => self.ticket.outlet.roomy().await,
                Attach::Behind => {
                    if checked {
                        tokio::time::sleep(SETTLE).await;
                    }
                    match read(&*self.live.events, &self.feed, &self.position, PAGE).await {
                        Ok(page) => {
                            pause = SETTLE;
                            self.page = Some(page);
                        }
                        Err(error) => {
                            tracing::debug!(%error, "somebody who catches up waits for the store");
                            tokio::time::sleep(pause).await;
                            pause = (pause * 2).min(LONGEST_PAUSE);
                        }
                    }
                }
            }
        }
    }

    /// Puts the room's events of a page into the queue, as it empties.
    async fn take(&mut self, page: LogPage) {
        if let Some(gap) = page.gap {
            self.skip(gap);
            return;
        }
        for stored in page.events.into_iter().filter(|stored| stored.event.room == self.ticket.room) {
            if !self.seen.insert(&stored.event.id, 0) {
                continue;
            }
            self.ticket.outlet.roomy().await;
            let event = Arc::new(LiveEvent::new(stored.into_event(self.feed.log.stream.clone(), page.epoch.clone())));
            if !self.ticket.outlet.offer(&event, self.feed.overflow, &mut Wakes::default()) {
                return;
            }
        }
        self.position = EventPosition { epoch: page.epoch, offset: page.next };
    }

    /// What was to be read next has been trimmed meanwhile: the client is told, and goes on with what is new.
    fn skip(&mut self, gap: EventGap) {
        let Some(head) = self.feed.head() else { return };
        self.live.counts.gaps.fetch_add(1, Relaxed);
        let (stream, room) = (self.feed.log.stream.clone(), self.ticket.room.clone());
        let notice = Notice::Gap { stream, room, gap, position: head.clone() };
        self.ticket.outlet.tell(&notice, &mut Wakes::default());
        self.position = head;
    }
}
