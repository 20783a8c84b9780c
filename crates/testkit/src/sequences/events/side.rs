//! One of the two stores, and what it has said. Offsets are a store's own: they are compared by the event they stand for.

use super::operation::{By, CONSUMERS, GROUPS, Operation};
use mainstay_core::api::events::{
    ConsumerName, EventGap, EventId, EventMetadata, EventOffset, EventType, GroupName, RoomId, StreamName,
};
use mainstay_core::api::{Epoch, Namespace, RawJson, Timestamp};
use mainstay_core::events::{
    Bury, DeadEvent, EventStore, GroupKey, GroupStart, GroupState, GroupStore, LogName, NewEvent, Publish,
    PublishOutcome, PurgeLog, ReadLog, Release, StoredEvent, TakeEvents, TakeOutcome, Trimming,
};
use mainstay_core::{Clock, Stores, SystemClock};
use std::sync::Arc;
use std::time::Duration;

/// Longer than a sequence takes: who asks for what was left alone for so long is given only what was given back.
const HOUR: Duration = Duration::from_secs(3_600);
/// Groups at most: one fewer than there are names.
const MAX_GROUPS: u32 = 2;
/// When every event is buried: the same burial again is the same.
const BURIED_AT_MS: i64 = 1_800_000_000_000;
/// Publications are so far apart that no two of them share a millisecond, by any clock.
const APART: Duration = Duration::from_millis(2);

/// A store, and what it has said.
pub(super) struct Side {
    events: Arc<dyn EventStore>,
    groups: Arc<dyn GroupStore>,
    log: LogName,
    max_len: u32,
    /// Every place given, in order.
    places: Vec<EventOffset>,
    /// The last place of each publication that added something.
    ends: Vec<EventOffset>,
    epoch: Option<Epoch>,
}

impl Side {
    pub fn new(stores: &Stores, namespace: Namespace, max_len: u32) -> Self {
        let stream = StreamName::parse("chat").expect("a name");
        Self {
            events: stores.events.clone(),
            groups: stores.groups.clone(),
            log: LogName { namespace, stream, partition: 0 },
            max_len,
            places: Vec::new(),
            ends: Vec::new(),
            epoch: None,
        }
    }

    /// Asks the store, and says what it answered.
    pub async fn play(&mut self, operation: &Operation) -> String {
        match operation.clone() {
            Operation::Publish { ids, trimming } => self.publish(&ids, trimming).await,
            Operation::Read { after, limit } => self.read(after, limit).await,
            Operation::Purge { up_to, trimming } => self.purge(up_to, trimming).await,
            Operation::Create { group, start } => self.create(group, start).await,
            Operation::CreateBehind { group, place } => self.create(group, GroupStart::After(self.place(place))).await,
            Operation::Remove { group } => {
                format!("{:?}", self.groups.remove_group(&self.key(group)).await.expect("remove"))
            }
            Operation::Take { by, limit, idle, max_deliveries } => {
                let (group, consumer) = self.of(by);
                let min_idle = if idle { Duration::ZERO } else { HOUR };
                let take = TakeEvents { group, consumer, limit, min_idle, max_deliveries, now: SystemClock.now() };
                self.take(take).await
            }
            Operation::Keep { by, places } => {
                let (group, consumer) = self.of(by);
                let offsets: Vec<_> = places.into_iter().map(|place| self.place(place)).collect();
                let kept = self.groups.keep(&group, &consumer, &offsets, SystemClock.now()).await.expect("keep");
                format!("{:?}", kept.into_iter().map(|offset| self.number(offset)).collect::<Vec<_>>())
            }
            Operation::Acknowledge { group, places } => {
                let offsets: Vec<_> = places.into_iter().map(|place| self.place(place)).collect();
                self.groups.acknowledge(&self.key(group), &offsets).await.expect("acknowledge").to_string()
            }
            Operation::Release { by, place, later } => {
                let ((group, consumer), offset) = (self.of(by), self.place(place));
                let delay = if later { HOUR / 2 } else { Duration::ZERO };
                let release = Release { group, consumer, offset, delay, min_idle: HOUR, now: SystemClock.now() };
                self.groups.release(release).await.expect("release").to_string()
            }
            Operation::Bury { by, place, reason } => {
                let ((group, consumer), offset) = (self.of(by), self.place(place));
                let reason = if reason { "é\n\"x\"".into() } else { String::new() };
                let bury = Bury { group, consumer, offset, reason, now: Timestamp::from_millis(BURIED_AT_MS) };
                self.groups.bury(bury).await.expect("bury").to_string()
            }
            Operation::Dead { group, after, limit } => self.dead(group, self.place(after), limit).await,
            Operation::Revive { group, place } => {
                self.groups.revive(&self.key(group), self.place(place)).await.expect("revive").to_string()
            }
            Operation::Forget { group, place } => {
                self.groups.forget(&self.key(group), self.place(place)).await.expect("forget").to_string()
            }
        }
    }

    /// All that can be seen.
    pub async fn everything(&mut self) -> String {
        let state = self.events.state(&self.log).await.expect("state");
        self.same_epoch(&state.epoch);
        let first = state.first.map(|first| self.number(first));
        let mut seen = format!("{first:?} to {} holds {}", self.number(state.last), state.length);
        for state in self.groups.groups(&self.log, SystemClock.now()).await.expect("groups") {
            seen.push_str(&self.state(&state));
        }
        for group in 0..GROUPS.len() {
            seen.push_str(&self.dead(group, EventOffset::ZERO, 100).await);
        }
        seen
    }

    async fn publish(&mut self, ids: &[u8], trimming: Trimming) -> String {
        tokio::time::sleep(APART).await;
        let events = ids.iter().map(|id| event(*id, self.places.len())).collect();
        let publish = Publish {
            log: self.log.clone(),
            events,
            now: SystemClock.now(),
            max_len: self.max_len,
            max_age: None,
            dedupe: HOUR,
            trimming,
        };
        let published = match self.events.publish(publish).await.expect("publish") {
            PublishOutcome::Published(published) => published,
            PublishOutcome::Backlog { group } => return format!("{group} is behind"),
        };
        self.same_epoch(&published.epoch);
        let before = self.places.len();
        let mut placed = Vec::new();
        for place in published.events {
            if !place.duplicate {
                let last = self.places.last();
                assert!(last.is_none_or(|last| place.offset > *last), "{} is not behind {last:?}", place.offset);
                self.places.push(place.offset);
            }
            placed.push((self.number(place.offset), place.duplicate));
        }
        if self.places.len() > before {
            self.ends.extend(self.places.last());
        }
        format!("{placed:?}, {} unread went", published.trimmed_unread)
    }

    async fn read(&mut self, after: Option<u8>, limit: u32) -> String {
        let epoch = self.events.state(&self.log).await.expect("state").epoch;
        let after = after.map(|place| (epoch, self.place(place)));
        let read = ReadLog { log: self.log.clone(), after: after.clone(), limit };
        let page = self.events.read(read).await.expect("read");
        self.same_epoch(&page.epoch);
        let gap = match page.gap {
            // Nothing behind the place has gone, though the place itself has: a store need not know.
            Some(EventGap::Trimmed) if self.is_just_before_the_oldest(after).await => None,
            gap => gap,
        };
        let next = self.number(page.next);
        let events: Vec<_> = page.events.iter().map(|stored| self.words(stored)).collect();
        format!("{events:?}, {next}, more {}, {gap:?}, {} unreadable", page.more, page.unreadable)
    }

    async fn is_just_before_the_oldest(&self, after: Option<(Epoch, EventOffset)>) -> bool {
        let first = self.events.state(&self.log).await.expect("state").first;
        match (after, first) {
            (Some((_, place)), Some(first)) => place_of(&self.places, place) + 1 == place_of(&self.places, first),
            _ => false,
        }
    }

    async fn purge(&self, up_to: u8, trimming: Trimming) -> String {
        let Some(end) = self.ends.get(usize::from(up_to) % self.ends.len().max(1)) else { return String::new() };
        let older_than = Timestamp::from_millis(i64::try_from(end.ms).expect("a time") + 1);
        let (log, older_than) = (self.log.clone(), Some(older_than));
        let purge = PurgeLog { log, older_than, trimming, now: SystemClock.now() };
        format!("{:?}", self.events.purge(purge).await.expect("purge"))
    }

    async fn create(&self, group: usize, start: GroupStart) -> String {
        format!("{:?}", self.groups.create_group(&self.key(group), start, MAX_GROUPS).await.expect("create"))
    }

    async fn take(&self, take: TakeEvents) -> String {
        let TakeOutcome::Taken(taken) = self.groups.take(take).await.expect("take") else { return "no group".into() };
        let words: Vec<_> = taken.events.iter().map(|taken| (self.words(&taken.event), taken.delivery)).collect();
        let (delivered, unreadable) = (self.number(taken.delivered), taken.unreadable);
        format!("{words:?} up to {delivered}, {} buried, {} lost, {unreadable} unreadable", taken.buried, taken.lost)
    }

    async fn dead(&self, group: usize, after: EventOffset, limit: u32) -> String {
        let dead = self.groups.dead(&self.key(group), after, limit).await.expect("dead");
        let words = |dead: &DeadEvent| format!("{} {} {:?}", self.words(&dead.event), dead.deliveries, dead.reason);
        format!("\ndead of {group}: {:?}", dead.iter().map(words).collect::<Vec<_>>())
    }

    fn state(&self, state: &GroupState) -> String {
        let GroupState { group, lag, lag_at_least, pending, oldest_idle, consumers, dead, lost, .. } = state;
        let delivered = self.number(state.delivered);
        let idle = oldest_idle.map(|idle| if idle < HOUR / 4 { "just now" } else { "for long" });
        format!(
            "\n{group}: {delivered}, lag {lag} {lag_at_least}, {pending} held, {idle:?}, {consumers:?}, {dead} {lost}"
        )
    }

    fn key(&self, group: usize) -> GroupKey {
        GroupKey { log: self.log.clone(), group: GroupName::parse(GROUPS[group]).expect("a group") }
    }

    fn of(&self, by: By) -> (GroupKey, ConsumerName) {
        (self.key(by.group), ConsumerName::parse(CONSUMERS[by.consumer]).expect("a consumer"))
    }

    /// The place that a number stands for: one of the last few given, or before the first.
    fn place(&self, number: u8) -> EventOffset {
        let recent = 12.min(self.places.len());
        let back = usize::from(number) % (recent + 1);
        if back == recent { EventOffset::ZERO } else { self.places[self.places.len() - 1 - back] }
    }

    /// The number of a place, from 1.
    fn number(&self, place: EventOffset) -> usize {
        assert!(place == EventOffset::ZERO || self.places.contains(&place), "{place} was never given");
        place_of(&self.places, place)
    }

    fn words(&self, stored: &StoredEvent) -> String {
        let (id, payload) = (&stored.event.id, stored.event.payload.as_str());
        format!("{} {id} {payload}", self.number(stored.offset))
    }

    fn same_epoch(&mut self, epoch: &Epoch) {
        let known = self.epoch.get_or_insert_with(|| epoch.clone());
        assert_eq!(known, epoch, "the epoch changed");
    }
}

/// How many places there are up to this one.
fn place_of(places: &[EventOffset], place: EventOffset) -> usize {
    places.partition_point(|given| *given <= place)
}

fn event(id: u8, number: usize) -> NewEvent {
    NewEvent {
        id: EventId::parse(format!("id {id}")).expect("an id"),
        kind: EventType::parse("chat_message").expect("a type"),
        room: RoomId::parse("request:42").expect("a room"),
        timestamp: Timestamp::from_millis(BURIED_AT_MS),
        payload: RawJson::parse(&format!("{{\"n\":{number}}}")).expect("JSON"),
        metadata: EventMetadata::default(),
    }
}
