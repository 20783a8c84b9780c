//! The port of events on the model.

use super::logs::{Log, Logs};
use super::wakeups::Wakeups;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::events::{EventGap, EventOffset};
use mainstay_core::api::{Epoch, Timestamp};
use mainstay_core::events::{
    EventStore, LogName, LogPage, LogState, MAX_PAGE_BYTES, Placed, Publish, PublishOutcome, Published, PurgeLog,
    Purged, ReadLog, StoredEvent, Tail, Trimming, wait_by_hints,
};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

/// The logs of the model.
pub(super) struct ModelEvents {
    logs: Arc<Logs>,
    wakeups: Arc<Wakeups>,
}

impl ModelEvents {
    pub fn new(logs: Arc<Logs>, wakeups: Arc<Wakeups>) -> Self {
        Self { logs, wakeups }
    }
}

impl Log {
    fn gap(&self, after: &(Epoch, EventOffset), epoch: &Epoch) -> Option<EventGap> {
        if after.0 != *epoch {
            return Some(EventGap::NewEpoch);
        }
        (after.1 < self.trimmed || after.1 > self.last).then_some(EventGap::Trimmed)
    }

    /// The group that keeps a publication out: what would go to make room, it lacks.
    fn backlog(&self, publish: &Publish) -> Option<String> {
        let (from, group) = self.oldest_unread().filter(|_| publish.trimming == Trimming::Refuse)?;
        let fresh: BTreeSet<_> =
            publish.events.iter().map(|event| &event.id).filter(|id| !self.ids.contains_key(id)).collect();
        let surplus = (self.events.len() + fresh.len()).checked_sub(publish.max_len as usize + 1)?;
        // What goes last is an old event, or a new one, which nobody has.
        let lacked = self.events.get(surplus).is_none_or(|last| last.offset >= from);
        (lacked && !fresh.is_empty()).then(|| group.into())
    }
}

fn epoch(log: &LogName) -> Epoch {
    Epoch::parse(format!("model{}", log.partition)).expect("letters and digits are an epoch")
}

fn ms(time: Timestamp) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(0)
}

/// How many of these fit on a page by their bytes; one at least.
fn fitting(events: &[StoredEvent]) -> usize {
    let mut bytes = 0;
    let fits = events.iter().take_while(|stored| {
        bytes += stored.event.payload.as_str().len();
        bytes <= MAX_PAGE_BYTES
    });
    fits.count().max(1)
}

#[async_trait]
impl EventStore for ModelEvents {
    async fn publish(&self, publish: Publish) -> Result<PublishOutcome> {
        let mut logs = self.logs.lock();
        let log = logs.entry(publish.log.clone()).or_default();
        log.ids.retain(|_, (_, until)| *until > publish.now);
        if let Some(group) = log.backlog(&publish) {
            return Ok(PublishOutcome::Backlog { group });
        }
        let window = i64::try_from(publish.dedupe.as_millis()).unwrap_or(i64::MAX);
        let until = Timestamp::from_millis(publish.now.as_millis().saturating_add(window));
        let mut events = Vec::new();
        for event in publish.events {
            if let Some((offset, _)) = log.ids.get(&event.id) {
                events.push(Placed { offset: *offset, duplicate: true });
                continue;
            }
            log.last = log.last.next(publish.now);
            log.ids.insert(event.id.clone(), (log.last, until));
            log.events.push(StoredEvent { offset: log.last, event });
            events.push(Placed { offset: log.last, duplicate: false });
        }
        let (_, mut trimmed_unread) = log.trim(publish.trimming, |log| log.events.len() <= publish.max_len as usize);
        if let Some(age) = publish.max_age {
            let oldest = ms(publish.now).saturating_sub(u64::try_from(age.as_millis()).unwrap_or(u64::MAX));
            trimmed_unread += log.trim(publish.trimming, |log| log.events[0].offset.ms >= oldest).1;
        }
        self.wakeups.events(&publish.log);
        Ok(PublishOutcome::Published(Published { epoch: epoch(&publish.log), events, trimmed_unread }))
    }

    async fn read(&self, read: ReadLog) -> Result<LogPage> {
        let mut logs = self.logs.lock();
        let log = logs.entry(read.log.clone()).or_default();
        let epoch = epoch(&read.log);
        let gap = read.after.as_ref().and_then(|after| log.gap(after, &epoch));
        let from = match &read.after {
            Some((_, offset)) if gap.is_none() => *offset,
            _ => EventOffset::ZERO,
        };
        let mut events: Vec<_> = log.events.iter().filter(|stored| stored.offset > from).cloned().collect();
        let fits = fitting(&events).min(read.limit as usize);
        let more = events.len() > fits;
        events.truncate(fits);
        // Who begins with the oldest goes on where the log ends.
        let nothing = if gap.is_some() || read.after.is_none() { log.last } else { from };
        let next = events.last().map_or(nothing, |stored| stored.offset);
        Ok(LogPage { epoch, events, next, more, gap, unreadable: 0 })
    }

    async fn state(&self, name: &LogName) -> Result<LogState> {
        let mut logs = self.logs.lock();
        let log = logs.entry(name.clone()).or_default();
        Ok(LogState {
            epoch: epoch(name),
            last: log.last,
            first: log.events.first().map(|stored| stored.offset),
            length: log.events.len() as u64,
        })
    }

    async fn wait(&self, tails: &[Tail], at_most: Duration) -> Result<Vec<LogName>> {
        wait_by_hints(self, &*self.wakeups, tails, at_most, None).await
    }

    async fn purge(&self, purge: PurgeLog) -> Result<Purged> {
        let mut logs = self.logs.lock();
        let log = logs.entry(purge.log).or_default();
        log.ids.retain(|_, (_, until)| *until > purge.now);
        let Some(oldest) = purge.older_than else { return Ok(Purged::default()) };
        let (events, unread) = log.trim(purge.trimming, |log| log.events[0].offset.ms >= ms(oldest));
        Ok(Purged { events, unread })
    }
}
