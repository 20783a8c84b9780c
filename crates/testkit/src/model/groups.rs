//! The port of consumer groups on the model.

use super::logs::{Group, Hold, Logs};
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::Timestamp;
use mainstay_core::api::events::{ConsumerName, EventOffset, GroupName};
use mainstay_core::events::{
    Bury, CONSUMER_FORGOTTEN_AFTER, DELIVERED_TOO_OFTEN, DeadEvent, GroupKey, GroupOutcome, GroupStart, GroupState,
    GroupStore, LogName, MAX_DEAD, MAX_TAKE_BYTES, Release, StoredEvent, TakeEvents, TakeOutcome, Taken, TakenEvent,
};
use std::sync::Arc;
use std::time::Duration;

/// The groups of the model's logs.
pub(super) struct ModelGroups {
    logs: Arc<Logs>,
}

impl ModelGroups {
    pub fn new(logs: Arc<Logs>) -> Self {
        Self { logs }
    }

    /// What an operation answers of a group that is there, and of the events of its log.
    fn within<T: Default>(&self, key: &GroupKey, step: impl FnOnce(&mut Group, &[StoredEvent]) -> T) -> T {
        let mut logs = self.logs.lock();
        let found = logs.get_mut(&key.log).map(|log| (log.groups.get_mut(&key.group), &log.events));
        found.and_then(|(group, events)| group.map(|group| step(group, events))).unwrap_or_default()
    }
}

fn at(events: &[StoredEvent], offset: EventOffset) -> Option<&StoredEvent> {
    events.iter().find(|stored| stored.offset == offset)
}

fn back(now: Timestamp, by: Duration) -> Timestamp {
    Timestamp::from_millis(now.as_millis().saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX)))
}

/// A take that is under way.
struct Taking<'a> {
    take: &'a TakeEvents,
    taken: Taken,
    bytes: usize,
}

impl Taking<'_> {
    fn has_room(&self) -> bool {
        self.taken.events.len() < self.take.limit as usize && self.bytes < MAX_TAKE_BYTES
    }

    fn add(&mut self, event: StoredEvent, delivery: u32) {
        self.bytes += event.event.payload.as_str().len();
        self.taken.events.push(TakenEvent { event, delivery });
    }
}

impl Group {
    fn take(&mut self, events: &[StoredEvent], take: &TakeEvents) -> Taken {
        let mut taking = Taking { take, taken: Taken::default(), bytes: 0 };
        self.consumers.insert(take.consumer.clone(), take.now);
        let left_alone = |hold: &Hold| hold.since.is_none_or(|since| since <= back(take.now, take.min_idle));
        let idle = self.holds.iter().filter(|(_, hold)| left_alone(hold));
        let mut idle: Vec<_> = idle.map(|(offset, hold)| (hold.revived.is_none(), *offset)).collect();
        idle.sort();
        for (_, offset) in idle {
            if taking.has_room() {
                self.take_again(events, offset, &mut taking);
            }
        }
        for event in events {
            if event.offset > self.delivered && taking.has_room() {
                self.delivered = event.offset;
                self.hold(event.offset, Hold::by(take, 1, None));
                taking.add(event.clone(), 1);
            }
        }
        Taken { delivered: self.delivered, ..taking.taken }
    }

    fn take_again(&mut self, events: &[StoredEvent], offset: EventOffset, taking: &mut Taking<'_>) {
        let Some((hold, event)) = self.let_go(events, offset) else {
            taking.taken.lost += 1;
            return;
        };
        if hold.deliveries >= taking.take.max_deliveries {
            let (deliveries, reason) = (hold.deliveries, DELIVERED_TOO_OFTEN.to_owned());
            self.die(DeadEvent { event, deliveries, reason, died_at: taking.take.now });
            taking.taken.buried += 1;
        } else {
            let delivery = hold.deliveries + 1;
            self.hold(offset, Hold::by(taking.take, delivery, hold.revived));
            taking.add(event, delivery);
        }
    }

    fn hold(&mut self, offset: EventOffset, hold: Hold) {
        self.holds.insert(offset, hold);
    }

    /// Takes an event out of whoever's hands; it is lost where it has been trimmed.
    fn let_go(&mut self, events: &[StoredEvent], offset: EventOffset) -> Option<(Hold, StoredEvent)> {
        let hold = self.holds.remove(&offset)?;
        let event = hold.revived.clone().or_else(|| at(events, offset).cloned());
        if event.is_none() {
            self.lost += 1;
        }
        Some((hold, event?))
    }

    /// The same, where it is in the hands of this consumer.
    fn let_go_of(
        &mut self,
        events: &[StoredEvent],
        consumer: &ConsumerName,
        offset: EventOffset,
    ) -> Option<(Hold, StoredEvent)> {
        let own = self.holds.get(&offset).is_some_and(|hold| hold.consumer.as_ref() == Some(consumer));
        if own { self.let_go(events, offset) } else { None }
    }

    fn die(&mut self, dead: DeadEvent) {
        self.dead.insert(dead.event.offset, dead);
        while self.dead.len() > MAX_DEAD as usize {
            self.dead.pop_first();
        }
    }

    fn state(&self, name: &GroupName, events: &[StoredEvent], now: Timestamp) -> GroupState {
        let holds = |consumer: &ConsumerName| {
            self.holds.values().filter(|hold| hold.consumer.as_ref() == Some(consumer)).count() as u64
        };
        let seen = self.consumers.iter().filter(|(_, seen)| **seen >= back(now, CONSUMER_FORGOTTEN_AFTER));
        let holding = self.holds.values().filter_map(|hold| hold.consumer.as_ref());
        let mut consumers: Vec<_> = seen.map(|(consumer, _)| consumer).chain(holding).cloned().collect();
        consumers.sort();
        consumers.dedup();
        let idle = self.holds.values().filter(|hold| hold.consumer.is_some()).filter_map(|hold| hold.since);
        let idle_ms = |since: Timestamp| u64::try_from(now.as_millis() - since.as_millis()).unwrap_or(0);
        GroupState {
            group: name.clone(),
            delivered: self.delivered,
            lag: events.iter().filter(|stored| stored.offset > self.delivered).count() as u64,
            lag_at_least: false,
            pending: self.holds.len() as u64,
            oldest_idle: idle.min().map(|since| Duration::from_millis(idle_ms(since))),
            consumers: consumers.into_iter().map(|consumer| (consumer.clone(), holds(&consumer))).collect(),
            dead: self.dead.len() as u64,
            lost: self.lost,
        }
    }
}

impl Hold {
    fn by(take: &TakeEvents, deliveries: u32, revived: Option<StoredEvent>) -> Self {
        Self { consumer: Some(take.consumer.clone()), deliveries, since: Some(take.now), revived }
    }
}

#[async_trait]
impl GroupStore for ModelGroups {
    async fn create_group(&self, key: &GroupKey, start: GroupStart, max_groups: u32) -> Result<GroupOutcome> {
        let mut logs = self.logs.lock();
        let log = logs.entry(key.log.clone()).or_default();
        if log.groups.contains_key(&key.group) {
            return Ok(GroupOutcome::Exists);
        }
        if log.groups.len() >= max_groups as usize {
            return Ok(GroupOutcome::TooMany);
        }
        let delivered = match start {
            GroupStart::Oldest => EventOffset::ZERO,
            GroupStart::New => log.last,
            GroupStart::After(offset) => offset,
        };
        log.groups.insert(key.group.clone(), Group { delivered, ..Group::default() });
        Ok(GroupOutcome::Created)
    }

    async fn remove_group(&self, key: &GroupKey) -> Result<bool> {
        let mut logs = self.logs.lock();
        Ok(logs.get_mut(&key.log).is_some_and(|log| log.groups.remove(&key.group).is_some()))
    }

    async fn groups(&self, log: &LogName, now: Timestamp) -> Result<Vec<GroupState>> {
        let logs = self.logs.lock();
        let Some(log) = logs.get(log) else { return Ok(Vec::new()) };
        Ok(log.groups.iter().map(|(name, group)| group.state(name, &log.events, now)).collect())
    }

    async fn take(&self, take: TakeEvents) -> Result<TakeOutcome> {
        let taken = self.within(&take.group, |group, events| Some(group.take(events, &take)));
        Ok(taken.map_or(TakeOutcome::NoGroup, TakeOutcome::Taken))
    }

    async fn keep(
        &self,
        key: &GroupKey,
        consumer: &ConsumerName,
        offsets: &[EventOffset],
        now: Timestamp,
    ) -> Result<Vec<EventOffset>> {
        let keep = |group: &mut Group, events: &[StoredEvent]| {
            let mut kept = Vec::new();
            for offset in offsets {
                if let Some((hold, _)) = group.let_go_of(events, consumer, *offset) {
                    group.hold(*offset, Hold { since: Some(now), ..hold });
                    kept.push(*offset);
                }
            }
            kept
        };
        Ok(self.within(key, keep))
    }

    async fn acknowledge(&self, key: &GroupKey, offsets: &[EventOffset]) -> Result<u64> {
        let acknowledge = |group: &mut Group, _: &[StoredEvent]| {
            offsets.iter().filter(|offset| group.holds.remove(offset).is_some()).count() as u64
        };
        Ok(self.within(key, acknowledge))
    }

    async fn release(&self, release: Release) -> Result<bool> {
        let Release { consumer, offset, delay, min_idle, now, .. } = &release;
        let give_back = |group: &mut Group, events: &[StoredEvent]| {
            let Some((hold, _)) = group.let_go_of(events, consumer, *offset) else { return false };
            let since = (!delay.is_zero()).then(|| back(*now, min_idle.saturating_sub(*delay)));
            group.hold(*offset, Hold { since, ..hold });
            true
        };
        Ok(self.within(&release.group, give_back))
    }

    async fn bury(&self, bury: Bury) -> Result<bool> {
        let Bury { consumer, offset, reason, now, .. } = &bury;
        let put_among_dead = |group: &mut Group, events: &[StoredEvent]| {
            let Some((hold, event)) = group.let_go_of(events, consumer, *offset) else {
                let dead = group.dead.get(offset);
                return dead.is_some_and(|dead| dead.reason == *reason && dead.died_at == *now);
            };
            let deliveries = hold.deliveries;
            group.die(DeadEvent { event, deliveries, reason: reason.clone(), died_at: *now });
            true
        };
        Ok(self.within(&bury.group, put_among_dead))
    }

    async fn dead(&self, key: &GroupKey, after: EventOffset, limit: u32) -> Result<Vec<DeadEvent>> {
        let list = |group: &mut Group, _: &[StoredEvent]| {
            let behind = group.dead.values().filter(|dead| dead.event.offset > after);
            behind.take(limit as usize).cloned().collect()
        };
        Ok(self.within(key, list))
    }

    async fn revive(&self, key: &GroupKey, offset: EventOffset) -> Result<bool> {
        let revive = |group: &mut Group, _: &[StoredEvent]| {
            let Some(dead) = group.dead.remove(&offset) else { return false };
            group.hold(offset, Hold { consumer: None, deliveries: 0, since: None, revived: Some(dead.event) });
            true
        };
        Ok(self.within(key, revive))
    }

    async fn forget(&self, key: &GroupKey, offset: EventOffset) -> Result<bool> {
        Ok(self.within(key, |group, _| group.dead.remove(&offset).is_some()))
    }
}
