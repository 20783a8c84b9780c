//! What consumer groups need from a store.

use super::port::{LogName, StoredEvent};
use crate::error::Result;
use async_trait::async_trait;
use mainstay_api::Timestamp;
use mainstay_api::events::{ConsumerName, EventOffset, GroupName};
use std::time::Duration;

/// Where a new group begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupStart {
    /// With the oldest event kept.
    Oldest,
    /// With what is published from now on.
    New,
    /// Behind an event.
    After(EventOffset),
}

/// A group on a log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct GroupKey {
    /// The log.
    pub log: LogName,
    /// The group.
    pub group: GroupName,
}

/// Whether a group was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GroupOutcome {
    /// It has been made.
    Created,
    /// It was there, and is unchanged.
    Exists,
    /// The log has as many groups as it may.
    TooMany,
}

/// Work to take.
#[derive(Debug, Clone)]
pub struct TakeEvents {
    /// The group.
    pub group: GroupKey,
    /// Who takes.
    pub consumer: ConsumerName,
    /// Most events to take.
    pub limit: u32,
    /// What another consumer has held for longer than this is taken from it first.
    pub min_idle: Duration,
    /// An event that was delivered this often, and is idle, is put among the dead instead of being delivered again.
    pub max_deliveries: u32,
    /// The present.
    pub now: Timestamp,
}

/// An event in the hands of a consumer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenEvent {
    /// The event.
    pub event: StoredEvent,
    /// Which delivery this is, from 1.
    pub delivery: u32,
}

/// What was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TakeOutcome {
    /// The events, those of dead consumers first, then new ones; none where nothing waits.
    Taken {
        /// The events.
        events: Vec<TakenEvent>,
        /// How many were put among the dead by this step.
        buried: u32,
        /// How many had been delivered and not acknowledged when they were trimmed, and are gone.
        lost: u32,
    },
    /// There is no such group.
    NoGroup,
}

/// A failure to record: the event is not tried again.
#[derive(Debug, Clone)]
pub struct Bury {
    /// The group.
    pub group: GroupKey,
    /// The event.
    pub offset: EventOffset,
    /// Why, at most 1,000 bytes.
    pub reason: String,
    /// The present.
    pub now: Timestamp,
}

/// An event that a group gave up on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadEvent {
    /// The event as it was.
    pub event: StoredEvent,
    /// How often it was delivered.
    pub deliveries: u32,
    /// Why it was given up.
    pub reason: String,
    /// When.
    pub died_at: Timestamp,
}

/// How a group stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupState {
    /// Its name.
    pub group: GroupName,
    /// Up to which event it was delivered.
    pub delivered: EventOffset,
    /// Events behind that, which nobody has taken yet.
    pub lag: u64,
    /// Events taken and not acknowledged.
    pub pending: u64,
    /// For how long the oldest of these has been in the hands of its consumer.
    pub oldest_idle: Option<Duration>,
    /// Consumers that hold something or took something in the last hour, with how much they hold.
    pub consumers: Vec<(ConsumerName, u64)>,
    /// Events given up on.
    pub dead: u64,
    /// Events that were trimmed before this group had acknowledged them.
    pub missed: u64,
}

/// Consumer groups on logs: each event of a log goes to one consumer of each group, until it is acknowledged. In the same
/// aggregate as the log. In Redis they are groups of the stream, which other programs may use as well (`XREADGROUP`).
#[async_trait]
pub trait GroupStore: Send + Sync {
    /// Makes a group. At most `max_groups` exist on a log.
    async fn create_group(&self, group: &GroupKey, start: GroupStart, max_groups: u32) -> Result<GroupOutcome>;

    /// Removes a group, with what it held and its dead. Whether it was there.
    async fn remove_group(&self, group: &GroupKey) -> Result<bool>;

    /// The groups of a log, in the order of their names.
    async fn groups(&self, log: &LogName, now: Timestamp) -> Result<Vec<GroupState>>;

    /// Takes events, in one atomic step. Each is the consumer's until it is acknowledged, buried, or idle for so long that
    /// another takes it. A take that is repeated after a lost answer may take more; what the first one took comes back by
    /// its idleness.
    async fn take(&self, take: TakeEvents) -> Result<TakeOutcome>;

    /// Says that the consumer still works on these, so that they do not become idle; returns those that are still its own.
    async fn keep(
        &self,
        group: &GroupKey,
        consumer: &ConsumerName,
        offsets: &[EventOffset],
        now: Timestamp,
    ) -> Result<Vec<EventOffset>>;

    /// Acknowledges events; returns how many were waiting for it. Doing it twice is doing it once.
    async fn acknowledge(&self, group: &GroupKey, offsets: &[EventOffset]) -> Result<u64>;

    /// Gives an event back at once, so that the next take has it; `false` where it is not the consumer's.
    async fn release(&self, group: &GroupKey, consumer: &ConsumerName, offset: EventOffset) -> Result<bool>;

    /// Puts an event among the dead and acknowledges it, in one step. Whether it was waiting.
    async fn bury(&self, bury: Bury) -> Result<bool>;

    /// The dead of a group, oldest first, behind an offset. At most 10,000 are kept for a group; the oldest go first.
    async fn dead(&self, group: &GroupKey, after: EventOffset, limit: u32) -> Result<Vec<DeadEvent>>;

    /// Brings a dead event back to be taken again. Whether it was there.
    async fn revive(&self, group: &GroupKey, offset: EventOffset, now: Timestamp) -> Result<bool>;

    /// Forgets a dead event. Whether it was there.
    async fn forget(&self, group: &GroupKey, offset: EventOffset) -> Result<bool>;
}
