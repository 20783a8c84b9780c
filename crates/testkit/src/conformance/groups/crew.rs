//! What the cases of groups work with: a log, a group on it, and short words for long structures.

use crate::conformance::Bed;
use crate::conformance::events::feed::Feed;
use mainstay_core::api::Timestamp;
use mainstay_core::api::events::{ConsumerName, EventOffset, GroupName};
use mainstay_core::events::{
    Bury, DeadEvent, GroupKey, GroupOutcome, GroupStart, GroupState, GroupStore, Release, TakeEvents, TakeOutcome,
    Taken,
};
use mainstay_core::{Clock, SystemClock};
use std::sync::Arc;
use std::time::Duration;

/// How long nobody leaves an event alone in a test.
pub(super) const NEVER: Duration = Duration::from_secs(3_600);
pub(super) const AT_ONCE: Duration = Duration::ZERO;

/// A group on a log that nobody else uses.
#[derive(Clone)]
pub(super) struct Crew {
    pub feed: Feed,
    pub groups: Arc<dyn GroupStore>,
    pub key: GroupKey,
    pub max_groups: u32,
}

impl Crew {
    /// A log without a group.
    pub fn without_group(bed: &Bed) -> Self {
        let feed = Feed::new(bed);
        let key = GroupKey { log: feed.log.clone(), group: group("billing") };
        Self { feed, groups: bed.stores().groups.clone(), key, max_groups: 10 }
    }

    /// A group that begins with the oldest event.
    pub async fn new(bed: &Bed) -> Self {
        let crew = Self::without_group(bed);
        assert_eq!(crew.create(GroupStart::Oldest).await, GroupOutcome::Created);
        crew
    }

    /// Another group of the same log.
    pub fn named(&self, name: &str) -> Self {
        let key = GroupKey { group: group(name), ..self.key.clone() };
        Self { key, ..self.clone() }
    }

    pub async fn create(&self, start: GroupStart) -> GroupOutcome {
        self.groups.create_group(&self.key, start, self.max_groups).await.expect("create")
    }

    pub async fn publish(&self, ids: &[&str]) -> Vec<EventOffset> {
        self.feed.publish(ids).await.events.into_iter().map(|placed| placed.offset).collect()
    }

    /// Trims everything, also what is in somebody's hands.
    pub async fn trim_all(&self) {
        self.feed.purge(self.feed.later(60_000).now).await;
        assert_eq!(self.feed.state().await.length, 0);
    }

    /// Asks for everything, and for what others have left alone for so long.
    pub fn request(&self, name: &str, min_idle: Duration) -> TakeEvents {
        let (group, consumer) = (self.key.clone(), consumer(name));
        TakeEvents { group, consumer, limit: 1_000, min_idle, max_deliveries: 100, now: now() }
    }

    pub async fn try_take(&self, take: TakeEvents) -> Taken {
        match self.groups.take(take).await.expect("take") {
            TakeOutcome::Taken(taken) => taken,
            TakeOutcome::NoGroup => panic!("there is no group {}", self.key.group),
        }
    }

    /// Takes what there is, and what others have left alone for so long.
    pub async fn take_from(&self, name: &str, min_idle: Duration) -> Vec<(String, u32)> {
        words(&self.try_take(self.request(name, min_idle)).await)
    }

    /// Takes what nobody has.
    pub async fn take(&self, name: &str) -> Vec<(String, u32)> {
        self.take_from(name, NEVER).await
    }

    /// Publishes events and takes them, so that this consumer has them.
    pub async fn held_by(&self, name: &str, ids: &[&str]) -> Vec<EventOffset> {
        let offsets = self.publish(ids).await;
        assert_eq!(self.take(name).await, first(ids));
        offsets
    }

    pub async fn keep(&self, name: &str, offsets: &[EventOffset]) -> Vec<EventOffset> {
        self.groups.keep(&self.key, &consumer(name), offsets, now()).await.expect("keep")
    }

    pub async fn acknowledge(&self, offsets: &[EventOffset]) -> u64 {
        self.groups.acknowledge(&self.key, offsets).await.expect("acknowledge")
    }

    /// Gives an event back, for those who take after [`NEVER`].
    pub async fn release(&self, name: &str, offset: EventOffset, delay: Duration) -> bool {
        let (group, consumer) = (self.key.clone(), consumer(name));
        let release = Release { group, consumer, offset, delay, min_idle: NEVER, now: now() };
        self.groups.release(release).await.expect("release")
    }

    pub async fn bury(&self, name: &str, offset: EventOffset, reason: &str) -> bool {
        let (group, consumer) = (self.key.clone(), consumer(name));
        self.groups.bury(Bury { group, consumer, offset, reason: reason.into(), now: now() }).await.expect("bury")
    }

    pub async fn dead(&self) -> Vec<DeadEvent> {
        self.dead_after(EventOffset::ZERO, 1_000).await
    }

    pub async fn dead_after(&self, after: EventOffset, limit: u32) -> Vec<DeadEvent> {
        self.groups.dead(&self.key, after, limit).await.expect("dead")
    }

    pub async fn revive(&self, offset: EventOffset) -> bool {
        self.groups.revive(&self.key, offset).await.expect("revive")
    }

    pub async fn forget(&self, offset: EventOffset) -> bool {
        self.groups.forget(&self.key, offset).await.expect("forget")
    }

    pub async fn remove(&self) -> bool {
        self.groups.remove_group(&self.key).await.expect("remove")
    }

    pub async fn states(&self) -> Vec<GroupState> {
        self.groups.groups(&self.key.log, now()).await.expect("groups")
    }

    pub async fn state(&self) -> GroupState {
        let states = self.states().await;
        states.into_iter().find(|state| state.group == self.key.group).expect("the group is there")
    }
}

/// The present: the real one, because a store may go by its own clock.
pub(super) fn now() -> Timestamp {
    SystemClock.now()
}

pub(super) fn consumer(name: &str) -> ConsumerName {
    ConsumerName::parse(name).expect("a consumer")
}

fn group(name: &str) -> GroupName {
    GroupName::parse(name).expect("a group")
}

/// Ids, and which delivery each was.
pub(super) fn words(taken: &Taken) -> Vec<(String, u32)> {
    taken.events.iter().map(|taken| (taken.event.event.id.to_string(), taken.delivery)).collect()
}

/// First deliveries of these.
pub(super) fn first(ids: &[&str]) -> Vec<(String, u32)> {
    nth(1, ids)
}

pub(super) fn nth(delivery: u32, ids: &[&str]) -> Vec<(String, u32)> {
    ids.iter().map(|id| ((*id).to_owned(), delivery)).collect()
}
