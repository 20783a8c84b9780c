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
    /// What a consumer, this one as well, has held for at least as long as this is taken from it first.
    pub min_idle: Duration,
    /// An event that was delivered this often, and is idle, is put among the dead instead of being delivered again.
    pub max_deliveries: u32,
    /// The present. A store with a clock of its own goes by that one, so that nodes whose clocks differ agree.
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
    /// What there was.
    Taken(Taken),
    /// There is no such group.
    NoGroup,
}

/// Events in the hands of a consumer, and what else the step did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taken {
    /// Revived ones first, then those of dead consumers, then new ones, each by their places; none where nothing waits.
    pub events: Vec<TakenEvent>,
    /// Up to which event the group was delivered: behind this one its next work appears.
    pub delivered: EventOffset,
    /// How many were put among the dead by this step.
    pub buried: u32,
    /// How many had been delivered and not acknowledged when they were trimmed, and are gone.
    pub lost: u32,
    /// Entries of others that could not be read as events. They count as acknowledged.
    pub unreadable: u32,
}

/// An event to give back.
#[derive(Debug, Clone)]
pub struct Release {
    /// The group.
    pub group: GroupKey,
    /// Who has it.
    pub consumer: ConsumerName,
    /// The event.
    pub offset: EventOffset,
    /// How long the next take is to leave it: zero, or less than `min_idle`, which it is cut to.
    pub delay: Duration,
    /// The `min_idle` of those who take, by which the delay is counted. A take with another one finds the event at another time.
    pub min_idle: Duration,
    /// The present.
    pub now: Timestamp,
}

/// An event that is not to be tried again.
#[derive(Debug, Clone)]
pub struct Bury {
    /// The group.
    pub group: GroupKey,
    /// Who has it.
    pub consumer: ConsumerName,
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
    /// The event as it was, whether the log still has it or not.
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
    /// Events behind that, which nobody has taken yet. Where they are many, a store may count besides what was trimmed
    /// before anybody took it.
    pub lag: u64,
    /// Whether there may be more of them: a store that does not keep the number counts so far as the cost is bounded.
    pub lag_at_least: bool,
    /// Events taken and not acknowledged, and revived ones.
    pub pending: u64,
    /// For how long the event that was longest left alone has been in the hands of its consumer; those given back are in
    /// nobody's.
    pub oldest_idle: Option<Duration>,
    /// Consumers that hold something or took something in the last hour, with how much they hold, by name.
    pub consumers: Vec<(ConsumerName, u64)>,
    /// Events given up on.
    pub dead: u64,
    /// Events that were trimmed while a consumer held them, since the group was made. Those that were trimmed before
    /// anybody took them are told to who publishes.
    pub lost: u64,
}

/// Bytes of what one take returns, about; at least one event is returned, whatever its size.
pub const MAX_TAKE_BYTES: usize = 1_024 * 1_024;
/// Most dead events kept for a group on a log.
pub const MAX_DEAD: u32 = 10_000;
/// Why an event died that was delivered as often as it may be.
pub const DELIVERED_TOO_OFTEN: &str = "it was delivered as often as it may be, and not acknowledged";
/// After this long without work, a consumer that holds nothing is forgotten.
pub const CONSUMER_FORGOTTEN_AFTER: Duration = Duration::from_secs(3_600);

/// Consumer groups on logs: each event of a log goes to one consumer of each group, until it is acknowledged. In the same
/// aggregate as the log. In Redis they are groups of the stream, which other programs may use as well (`XREADGROUP`).
#[async_trait]
pub trait GroupStore: Send + Sync {
    /// Makes a group, without anything of an earlier one of its name. At most `max_groups` exist on a log.
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
    /// One that it gave back, and that nobody has taken since, is its own again. One that has been trimmed is lost.
    async fn keep(
        &self,
        group: &GroupKey,
        consumer: &ConsumerName,
        offsets: &[EventOffset],
        now: Timestamp,
    ) -> Result<Vec<EventOffset>>;

    /// Acknowledges events; returns how many were waiting for it. Doing it twice is doing it once. Whoever has done the
    /// work may say so, also where another consumer has taken the event since.
    async fn acknowledge(&self, group: &GroupKey, offsets: &[EventOffset]) -> Result<u64>;

    /// Gives an event back, so that a take has it, at once or after a delay; `false` where it is not the consumer's, or has
    /// been trimmed, in which case it is lost.
    async fn release(&self, release: Release) -> Result<bool>;

    /// Puts an event among the dead and acknowledges it, in one step; `false` where it is not the consumer's, or has been
    /// trimmed, in which case it is lost. Doing it twice is doing it once. Past [`MAX_DEAD`], the oldest of them go.
    async fn bury(&self, bury: Bury) -> Result<bool>;

    /// The dead of a group, oldest first, behind an offset.
    async fn dead(&self, group: &GroupKey, after: EventOffset, limit: u32) -> Result<Vec<DeadEvent>>;

    /// Brings a dead event back to be taken again, as if it had never been delivered, whether the log still has it or not.
    /// Whether it was there.
    async fn revive(&self, group: &GroupKey, offset: EventOffset) -> Result<bool>;

    /// Forgets a dead event. Whether it was there.
    async fn forget(&self, group: &GroupKey, offset: EventOffset) -> Result<bool>;
}
