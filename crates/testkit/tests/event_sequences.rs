//! Sequences of events find what is broken, in a log and in its groups.

use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::Timestamp;
use mainstay_core::api::events::{ConsumerName, EventOffset};
use mainstay_core::events::{
    Bury, DeadEvent, EventStore, GroupKey, GroupOutcome, GroupStart, GroupState, GroupStore, LogName, LogPage,
    LogState, Publish, PublishOutcome, PurgeLog, Purged, ReadLog, Release, Tail, TakeEvents, TakeOutcome, Trimming,
};
use mainstay_testkit::conformance::Bed;
use mainstay_testkit::model;
use mainstay_testkit::sequences::{self, EventProfile, Plan};
use std::sync::Arc;
use std::time::Duration;

/// A promise to break.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Broken {
    Repeats,
    Refusal,
    UnreadCount,
    Acknowledgement,
    Delay,
    Idleness,
    MaxDeliveries,
    Revival,
    Gaps,
}

/// A store that breaks one promise and keeps the others.
struct Breaking {
    events: Arc<dyn EventStore>,
    groups: Arc<dyn GroupStore>,
    broken: Broken,
}

#[async_trait]
impl EventStore for Breaking {
    async fn publish(&self, mut publish: Publish) -> Result<PublishOutcome> {
        match self.broken {
            Broken::Repeats => publish.dedupe = Duration::ZERO,
            Broken::Refusal => publish.trimming = Trimming::Count,
            _ => {}
        }
        let mut outcome = self.events.publish(publish).await?;
        if let PublishOutcome::Published(published) = &mut outcome
            && self.broken == Broken::UnreadCount
        {
            published.trimmed_unread = 0;
        }
        Ok(outcome)
    }

    async fn read(&self, read: ReadLog) -> Result<LogPage> {
        let mut page = self.events.read(read).await?;
        page.gap = page.gap.filter(|_| self.broken != Broken::Gaps);
        Ok(page)
    }

    async fn state(&self, log: &LogName) -> Result<LogState> {
        self.events.state(log).await
    }

    async fn wait(&self, tails: &[Tail], at_most: Duration) -> Result<Vec<LogName>> {
        self.events.wait(tails, at_most).await
    }

    async fn purge(&self, purge: PurgeLog) -> Result<Purged> {
        self.events.purge(purge).await
    }
}

#[async_trait]
impl GroupStore for Breaking {
    async fn create_group(&self, group: &GroupKey, start: GroupStart, max_groups: u32) -> Result<GroupOutcome> {
        self.groups.create_group(group, start, max_groups).await
    }

    async fn remove_group(&self, group: &GroupKey) -> Result<bool> {
        self.groups.remove_group(group).await
    }

    async fn groups(&self, log: &LogName, now: Timestamp) -> Result<Vec<GroupState>> {
        self.groups.groups(log, now).await
    }

    async fn take(&self, mut take: TakeEvents) -> Result<TakeOutcome> {
        match self.broken {
            Broken::Idleness => take.min_idle = Duration::ZERO,
            Broken::MaxDeliveries => take.max_deliveries += 1,
            _ => {}
        }
        self.groups.take(take).await
    }

    async fn keep(
        &self,
        group: &GroupKey,
        consumer: &ConsumerName,
        offsets: &[EventOffset],
        now: Timestamp,
    ) -> Result<Vec<EventOffset>> {
        self.groups.keep(group, consumer, offsets, now).await
    }

    async fn acknowledge(&self, group: &GroupKey, offsets: &[EventOffset]) -> Result<u64> {
        let left_out = usize::from(self.broken == Broken::Acknowledgement && offsets.len() > 1);
        self.groups.acknowledge(group, &offsets[left_out..]).await
    }

    async fn release(&self, mut release: Release) -> Result<bool> {
        if self.broken == Broken::Delay {
            release.delay = Duration::ZERO;
        }
        self.groups.release(release).await
    }

    async fn bury(&self, bury: Bury) -> Result<bool> {
        self.groups.bury(bury).await
    }

    async fn dead(&self, group: &GroupKey, after: EventOffset, limit: u32) -> Result<Vec<DeadEvent>> {
        self.groups.dead(group, after, limit).await
    }

    async fn revive(&self, group: &GroupKey, offset: EventOffset) -> Result<bool> {
        if self.broken == Broken::Revival {
            return self.groups.forget(group, offset).await;
        }
        self.groups.revive(group, offset).await
    }

    async fn forget(&self, group: &GroupKey, offset: EventOffset) -> Result<bool> {
        self.groups.forget(group, offset).await
    }
}

/// Enough of them to meet every promise that is broken here.
const PLAN: Plan = Plan { sequences: 64, seed: 0 };

async fn difference(profile: EventProfile, broken: Broken) -> String {
    let stores = model::stores();
    let breaking = Arc::new(Breaking { events: stores.events.clone(), groups: stores.groups.clone(), broken });
    let broken_stores = mainstay_core::Stores { events: breaking.clone(), groups: breaking, ..stores };
    match sequences::events(PLAN, profile, Bed::new(broken_stores, ())).await {
        Ok(()) => panic!("nobody noticed that {broken:?} was broken"),
        Err(difference) => difference,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broken_promise_is_found() {
    for (profile, broken) in [
        (EventProfile::Log, Broken::Repeats),
        (EventProfile::Log, Broken::Gaps),
        (EventProfile::Groups, Broken::Refusal),
        (EventProfile::Groups, Broken::UnreadCount),
        (EventProfile::Groups, Broken::Acknowledgement),
        (EventProfile::Groups, Broken::Delay),
        (EventProfile::Groups, Broken::Idleness),
        (EventProfile::Groups, Broken::MaxDeliveries),
        (EventProfile::Groups, Broken::Revival),
    ] {
        let difference = difference(profile, broken).await;
        assert!(difference.contains("the store:") && difference.contains("the model:"), "{difference}");
    }
}
