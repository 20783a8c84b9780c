//! The task that reads a log as it grows.

use super::feed::Feed;
use super::{LiveShared, SAFETY_READ};
use mainstay_core::Result;
use mainstay_core::api::events::{EventOffset, EventPosition};
use mainstay_core::events::{EventStore, LogPage, ReadLog, StoredEvent, Tail};
use std::sync::Arc;
use std::time::Duration;

/// Events that are read at a time while following: what is delivered in one go is written in few pieces.
const PAGE: u32 = 256;
/// Events that are read at a time at the beginning.
const WARM_PAGE: u32 = 1_000;
/// Pages that are read at the beginning at most.
const WARM_PAGES: usize = 20;
/// About how much is delivered without a pause, in payloads: connections that read as fast as they can must not be taken
/// for slow because much came at once.
const SLICE_BYTES: usize = 64 * 1_024;
/// First pause after a read that failed; doubles with each one.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// Longest such pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// How long a log is followed on when nobody is subscribed: clients that were cut off come back to it.
const LINGER: Duration = Duration::from_secs(30);

/// Finds the end of a log, with the last events before it: they let clients resume from memory, and repeats of them be
/// recognised.
///
/// # Errors
/// Those of the store.
pub(super) async fn begin(store: &dyn EventStore, feed: &Feed, window: Duration) -> Result<()> {
    let state = store.state(&feed.log).await?;
    let window_ms = u64::try_from(window.as_millis()).unwrap_or(u64::MAX);
    let mut position = EventPosition {
        epoch: state.epoch,
        offset: EventOffset { ms: state.last.ms.saturating_sub(window_ms), seq: 0 },
    };
    feed.restart(position.clone(), None);
    for _ in 0..WARM_PAGES {
        let page = read(store, feed, &position, WARM_PAGE).await?;
        let new_epoch = page.epoch != position.epoch;
        position = EventPosition { epoch: page.epoch.clone(), offset: page.next };
        match page.events.first() {
            // Where something may be missing before the first event, nobody can go on from there.
            Some(first) if page.gap.is_some() || new_epoch => {
                feed.restart(EventPosition { epoch: page.epoch, offset: first.offset }, None);
            }
            None if page.gap.is_some() || new_epoch => break,
            _ => {}
        }
        feed.deliver(page.events, page.next);
        if !page.more {
            return Ok(());
        }
    }
    let state = store.state(&feed.log).await?;
    feed.restart(EventPosition { epoch: state.epoch, offset: state.last }, None);
    Ok(())
}

/// Follows a log until nobody is interested.
pub(super) async fn follow(live: Arc<LiveShared>, feed: Arc<Feed>) {
    let mut pause = FIRST_PAUSE;
    let mut unused = Duration::ZERO;
    while unused < LINGER || !live.forget(&feed) {
        let waited = tokio::time::Instant::now();
        match step(&live, &feed).await {
            Ok(()) if pause == FIRST_PAUSE => {}
            Ok(()) => {
                tracing::info!(log = ?feed.log, "a log of events is followed again");
                pause = FIRST_PAUSE;
            }
            Err(error) => {
                if pause == FIRST_PAUSE {
                    tracing::warn!(%error, log = ?feed.log, "a log of events cannot be read; trying on");
                }
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        unused = if feed.is_leased() { Duration::ZERO } else { unused + waited.elapsed() };
    }
}

/// Reads and delivers what is there, and waits for more.
async fn step(live: &LiveShared, feed: &Feed) -> Result<()> {
    let store = &*live.events;
    let Some(head) = feed.head() else { return Ok(()) };
    let page = read(store, feed, &head, PAGE).await?;
    if let Some(gap) = page.gap {
        let state = store.state(&feed.log).await?;
        tracing::warn!(log = ?feed.log, ?gap, "events were lost to who follows a log");
        feed.restart(EventPosition { epoch: state.epoch, offset: state.last }, Some(gap));
        return Ok(());
    }
    deliver(feed, page.events, page.next).await;
    if !page.more {
        let tail = Tail { log: feed.log.clone(), after: page.next };
        store.wait(&[tail], SAFETY_READ).await?;
    }
    Ok(())
}

/// Delivers in slices, between which the connections are written to.
async fn deliver(feed: &Feed, events: Vec<StoredEvent>, next: EventOffset) {
    let (mut slice, mut bytes) = (Vec::new(), 0);
    for stored in events {
        let offset = stored.offset;
        bytes += stored.event.payload.as_str().len();
        slice.push(stored);
        if bytes >= SLICE_BYTES {
            feed.deliver(std::mem::take(&mut slice), offset);
            bytes = 0;
            tokio::task::yield_now().await;
        }
    }
    feed.deliver(slice, next);
}

pub(super) async fn read(store: &dyn EventStore, feed: &Feed, after: &EventPosition, limit: u32) -> Result<LogPage> {
    let after = Some((after.epoch.clone(), after.offset));
    store.read(ReadLog { log: feed.log.clone(), after, limit }).await
}
