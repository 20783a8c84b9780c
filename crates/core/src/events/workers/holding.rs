//! What a consumer does with the events that it has.

use super::{WorkPlace, WorkerService, within};
use crate::error::{Error, Result};
use crate::events::groups::{Bury, GroupKey, Release};
use crate::{Caller, Scope};
use mainstay_api::events::{
    AcknowledgeWork, AcknowledgedWork, BuryWork, DEFAULT_IDLE_MS, EventOffset, EventToken, KeepWork, KeptWork,
    MAX_IDLE_MS, MAX_REASON_BYTES, MAX_WORK, MIN_IDLE_MS, ReleaseWork, WorkBuried, WorkReleased,
};
use std::collections::BTreeMap;
use std::time::Duration;

impl WorkerService {
    /// Says that a consumer still works on events; returns those that are still its own.
    ///
    /// # Errors
    /// `events.stream_unknown`, broken bounds.
    pub async fn keep(&self, caller: &Caller, place: WorkPlace<'_>, keep: KeepWork) -> Result<KeptWork> {
        caller.require(Scope::EventsConsume)?;
        let mut kept = Vec::with_capacity(keep.tokens.len());
        for (key, offsets) in self.by_log(caller, place, &keep.tokens)? {
            let own = self.groups.keep(&key, &keep.consumer, &offsets, self.clock.now()).await?;
            kept.extend(own.into_iter().map(|offset| EventToken { partition: key.log.partition, offset }));
        }
        Ok(KeptWork { kept })
    }

    /// Acknowledges events. Doing it twice is doing it once, and whoever has done the work may say so.
    ///
    /// # Errors
    /// `events.stream_unknown`, broken bounds.
    pub async fn acknowledge(
        &self,
        caller: &Caller,
        place: WorkPlace<'_>,
        done: &AcknowledgeWork,
    ) -> Result<AcknowledgedWork> {
        caller.require(Scope::EventsConsume)?;
        let mut acknowledged = 0_u64;
        for (key, offsets) in self.by_log(caller, place, &done.tokens)? {
            acknowledged = acknowledged.saturating_add(self.groups.acknowledge(&key, &offsets).await?);
        }
        Ok(AcknowledgedWork { acknowledged })
    }

    /// Gives an event back, to be delivered again, at once or after a delay.
    ///
    /// # Errors
    /// `events.stream_unknown`, broken bounds.
    pub async fn release(&self, caller: &Caller, place: WorkPlace<'_>, release: ReleaseWork) -> Result<WorkReleased> {
        caller.require(Scope::EventsConsume)?;
        let idle_ms = within("idle_ms", release.idle_ms, (DEFAULT_IDLE_MS, MIN_IDLE_MS, MAX_IDLE_MS))?;
        let delay_ms = within("delay_ms", release.delay_ms, (0, 0, idle_ms))?;
        let release = Release {
            group: self.key_of(caller, place, release.token)?,
            consumer: release.consumer,
            offset: release.token.offset,
            delay: Duration::from_millis(delay_ms),
            min_idle: Duration::from_millis(idle_ms),
            now: self.clock.now(),
        };
        Ok(WorkReleased { released: self.groups.release(release).await? })
    }

    /// Puts an event among the dead.
    ///
    /// # Errors
    /// `events.stream_unknown`, broken bounds.
    pub async fn bury(&self, caller: &Caller, place: WorkPlace<'_>, bury: BuryWork) -> Result<WorkBuried> {
        caller.require(Scope::EventsConsume)?;
        if bury.reason.len() > MAX_REASON_BYTES {
            let bytes = bury.reason.len();
            return Err(Error::invalid(format!(
                "reason: it has {bytes} bytes, at most {MAX_REASON_BYTES} are allowed"
            )));
        }
        let bury = Bury {
            group: self.key_of(caller, place, bury.token)?,
            consumer: bury.consumer,
            offset: bury.token.offset,
            reason: bury.reason,
            now: self.clock.now(),
        };
        Ok(WorkBuried { buried: self.groups.bury(bury).await? })
    }

    /// Tokens by the log that each names.
    fn by_log(
        &self,
        caller: &Caller,
        place: WorkPlace<'_>,
        tokens: &[EventToken],
    ) -> Result<Vec<(GroupKey, Vec<EventOffset>)>> {
        let count = tokens.len();
        if count == 0 || count > MAX_WORK as usize {
            return Err(Error::invalid(format!("tokens: {count}; name 1 to {MAX_WORK} at a time")));
        }
        let mut by_partition: BTreeMap<u16, (GroupKey, Vec<EventOffset>)> = BTreeMap::new();
        for token in tokens {
            let key = self.key_of(caller, place, *token)?;
            by_partition.entry(token.partition).or_insert_with(|| (key, Vec::new())).1.push(token.offset);
        }
        Ok(by_partition.into_values().collect())
    }
}
