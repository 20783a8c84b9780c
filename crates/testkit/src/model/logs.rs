//! Logs of events in memory, and the groups that work on them.

use mainstay_core::api::Timestamp;
use mainstay_core::api::events::{ConsumerName, EventId, EventOffset, GroupName};
use mainstay_core::events::{DeadEvent, LogName, StoredEvent, Trimming};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Every log: one lock around all of them.
#[derive(Default)]
pub(super) struct Logs(Mutex<BTreeMap<LogName, Log>>);

impl Logs {
    pub fn lock(&self) -> MutexGuard<'_, BTreeMap<LogName, Log>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A log.
#[derive(Default)]
pub(super) struct Log {
    pub events: Vec<StoredEvent>,
    pub last: EventOffset,
    pub trimmed: EventOffset,
    pub ids: BTreeMap<EventId, (EventOffset, Timestamp)>,
    pub groups: BTreeMap<GroupName, Group>,
}

/// A group.
#[derive(Default)]
pub(super) struct Group {
    pub delivered: EventOffset,
    pub holds: BTreeMap<EventOffset, Hold>,
    pub dead: BTreeMap<EventOffset, DeadEvent>,
    /// When each last took something.
    pub consumers: BTreeMap<ConsumerName, Timestamp>,
    pub lost: u64,
}

/// An event in somebody's hands.
pub(super) struct Hold {
    /// Whose; nobody's where it was revived and not taken since.
    pub consumer: Option<ConsumerName>,
    pub deliveries: u32,
    /// Since when it is left alone; longer than anybody asks where it was given back.
    pub since: Option<Timestamp>,
    /// A copy of one that was revived.
    pub revived: Option<StoredEvent>,
}

impl Log {
    /// The oldest place at or behind which some group lacks an event, and that group.
    pub fn oldest_unread(&self) -> Option<(EventOffset, GroupName)> {
        let lacks = self.groups.iter().map(|(name, group)| {
            let next = EventOffset { seq: group.delivered.seq + 1, ..group.delivered };
            let held = group.holds.iter().filter(|(offset, hold)| hold.revived.is_none() && **offset > self.trimmed);
            (held.map(|(offset, _)| *offset).next().map_or(next, |held| held.min(next)), name.clone())
        });
        lacks.min()
    }

    /// Whether some group lacks this event.
    pub fn is_unread(&self, offset: EventOffset) -> bool {
        let lacks = |group: &Group| {
            offset > group.delivered || group.holds.get(&offset).is_some_and(|hold| hold.revived.is_none())
        };
        self.groups.values().any(lacks)
    }

    /// Removes the oldest events until what is left may be kept; says how many went, and how many of them some group lacked.
    /// With [`Trimming::Refuse`] those stay.
    pub fn trim(&mut self, trimming: Trimming, keep: impl Fn(&Self) -> bool) -> (u64, u64) {
        let unread = self.oldest_unread().filter(|_| trimming == Trimming::Refuse);
        let (mut removed, mut lacked) = (0, 0);
        while let Some(oldest) = self.events.first().map(|stored| stored.offset)
            && unread.as_ref().is_none_or(|(from, _)| oldest < *from)
            && !keep(self)
        {
            lacked += u64::from(self.is_unread(oldest));
            self.events.remove(0);
            self.trimmed = oldest;
            removed += 1;
        }
        (removed, lacked)
    }
}
