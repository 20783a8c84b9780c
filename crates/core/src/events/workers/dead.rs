//! Events that a group gave up on.

use super::{WorkPlace, WorkerService, token_of, within};
use crate::error::Result;
use crate::events::groups::{DeadEvent, GroupKey};
use crate::events::refusals::unknown_group;
use crate::{Caller, Scope};
use mainstay_api::events::{DEFAULT_DEAD_PAGE, DeadChanged, DeadWork, EventOffset, EventToken, ListDead, MAX_WORK};
use mainstay_api::page::Page;

/// Bytes of payloads after which a page ends.
const MAX_PAGE_BYTES: usize = 4 * 1_024 * 1_024;

impl WorkerService {
    /// The dead of a group, partition by partition, oldest first.
    ///
    /// # Errors
    /// `events.stream_unknown`, `events.group_not_found`, broken bounds.
    pub async fn dead(&self, caller: &Caller, place: WorkPlace<'_>, list: ListDead) -> Result<Page<DeadWork>> {
        caller.require(Scope::EventsConsume)?;
        let limit = within("limit", list.limit.map(u64::from), (DEFAULT_DEAD_PAGE.into(), 1, MAX_WORK.into()))?;
        let limit = usize::try_from(limit).unwrap_or(MAX_WORK as usize);
        let keys = self.keys(caller, place)?;
        let from = list.cursor.map_or((0, EventOffset::ZERO), |cursor| (cursor.partition, cursor.offset));
        let mut page = DeadPage { items: Vec::new(), bytes: 0, limit };
        for key in keys.iter().filter(|key| key.log.partition >= from.0) {
            let after = if key.log.partition == from.0 { from.1 } else { EventOffset::ZERO };
            self.fill(&mut page, key, after).await?;
        }
        if page.items.is_empty() && list.cursor.is_none() {
            self.require_group(&keys).await?;
        }
        Ok(page.cut())
    }

    /// Brings a dead event back, to be delivered as if it never had been, whether the stream still has it or not.
    ///
    /// # Errors
    /// `events.stream_unknown`, `request.invalid` for a token of no partition.
    pub async fn revive(&self, caller: &Caller, place: WorkPlace<'_>, token: EventToken) -> Result<DeadChanged> {
        caller.require(Scope::EventsAdmin)?;
        let key = self.key_of(caller, place, token)?;
        Ok(DeadChanged { changed: self.groups.revive(&key, token.offset).await? })
    }

    /// Forgets a dead event.
    ///
    /// # Errors
    /// `events.stream_unknown`, `request.invalid` for a token of no partition.
    pub async fn forget(&self, caller: &Caller, place: WorkPlace<'_>, token: EventToken) -> Result<DeadChanged> {
        caller.require(Scope::EventsAdmin)?;
        let key = self.key_of(caller, place, token)?;
        Ok(DeadChanged { changed: self.groups.forget(&key, token.offset).await? })
    }

    /// Adds the dead of one partition, until the page is full or there are no more.
    async fn fill(&self, page: &mut DeadPage, key: &GroupKey, mut after: EventOffset) -> Result<()> {
        let mut epoch = None;
        while let Some(room) = page.room() {
            let dead = self.groups.dead(key, after, room).await?;
            let Some(last) = dead.last() else { return Ok(()) };
            after = last.event.offset;
            let epoch = match &epoch {
                Some(epoch) => epoch,
                None => epoch.insert(self.events.state(&key.log).await?.epoch),
            };
            page.add(key, epoch, dead);
        }
        Ok(())
    }

    async fn require_group(&self, keys: &[GroupKey]) -> Result<()> {
        let Some(first) = keys.first() else { return Ok(()) };
        let known = self.groups.groups(&first.log, self.clock.now()).await?;
        let is_known = known.iter().any(|state| state.group == first.group);
        if is_known { Ok(()) } else { Err(unknown_group(first)) }
    }
}

/// A page that is being filled, by one more than it holds: whether more follow is known by that one.
struct DeadPage {
    items: Vec<DeadWork>,
    bytes: usize,
    limit: usize,
}

impl DeadPage {
    /// How many more to ask for; none where the page is full.
    fn room(&self) -> Option<u32> {
        let room = (self.limit + 1).saturating_sub(self.items.len());
        let is_open = room > 0 && self.bytes < MAX_PAGE_BYTES;
        is_open.then(|| u32::try_from(room).unwrap_or(MAX_WORK))
    }

    fn add(&mut self, key: &GroupKey, epoch: &mainstay_api::Epoch, dead: Vec<DeadEvent>) {
        for DeadEvent { event, deliveries, reason, died_at } in dead {
            self.bytes = self.bytes.saturating_add(event.event.payload.as_str().len());
            let token = token_of(&key.log, event.offset);
            let event = event.into_event(key.log.stream.clone(), epoch.clone());
            self.items.push(DeadWork { token, event, deliveries, reason, died_at });
        }
    }

    fn cut(mut self) -> Page<DeadWork> {
        let more = self.items.len() > self.limit || self.bytes >= MAX_PAGE_BYTES;
        self.items.truncate(self.limit);
        let next = self.items.last().filter(|_| more).map(|last| last.token.to_string());
        Page { items: self.items, next }
    }
}
