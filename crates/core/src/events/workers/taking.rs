//! Taking events, and waiting for them.

use super::{WorkPlace, WorkerService, token_of, within};
use crate::error::Result;
use crate::events::groups::{GroupKey, MAX_TAKE_BYTES, TakeEvents, TakeOutcome, Taken, TakenEvent};
use crate::events::port::{LogName, Tail};
use crate::events::refusals::unknown_group;
use crate::{Caller, Scope};
use mainstay_api::events::{
    ConsumerName, DEFAULT_DELIVERIES, DEFAULT_IDLE_MS, DEFAULT_WORK, EventOffset, MAX_DELIVERIES, MAX_IDLE_MS,
    MAX_WORK, MAX_WORK_WAIT_MS, MIN_IDLE_MS, TakeWork, TakenWork, WorkEvent,
};
use std::pin::pin;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::time::Instant;

/// Longest time between two looks while nothing is heard: what was given back, or left alone for too long, is there
/// without anybody saying so.
const LOOK_EVERY: Duration = Duration::from_secs(1);

impl WorkerService {
    /// Takes events for a consumer: revived ones, those that consumers left alone, and new ones, from each partition in
    /// turn. Waits where there are none, until the time of the call is over or `stop` is.
    ///
    /// # Errors
    /// `events.stream_unknown`, `events.group_not_found`, broken bounds. Where the store fails after it gave events, they
    /// come back by their idleness.
    pub async fn take(
        &self,
        caller: &Caller,
        place: WorkPlace<'_>,
        take: TakeWork,
        stop: impl Future<Output = ()> + Send,
    ) -> Result<TakenWork> {
        caller.require(Scope::EventsConsume)?;
        let wanted = Wanted::parse(take)?;
        let mut sources: Vec<Source> = self.keys(caller, place)?.into_iter().map(Source::new).collect();
        let (deadline, mut stop) = (Instant::now() + wanted.wait, pin!(stop));
        let mut found = Found::default();
        loop {
            self.round(&mut sources, &wanted, &mut found).await?;
            let left = deadline.saturating_duration_since(Instant::now());
            if !found.events.is_empty() || left.is_zero() {
                return self.told(found).await;
            }
            let tails: Vec<Tail> = sources.iter().map(Source::tail).collect();
            let behind = tokio::select! {
                () = &mut stop => return self.told(found).await,
                behind = self.events.wait(&tails, left.min(LOOK_EVERY)) => behind?,
            };
            for source in sources.iter_mut().filter(|source| behind.contains(&source.key.log)) {
                source.seen = self.events.state(&source.key.log).await?.last;
            }
        }
    }

    /// One look at every partition, until the call has what it asked for.
    async fn round(&self, sources: &mut [Source], wanted: &Wanted, found: &mut Found) -> Result<()> {
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let count = sources.len();
        for nth in 0..count {
            let room = wanted.limit.saturating_sub(u32::try_from(found.events.len()).unwrap_or(u32::MAX));
            if room == 0 || found.bytes >= MAX_TAKE_BYTES {
                break;
            }
            let source = &mut sources[first.wrapping_add(nth) % count];
            match self.groups.take(wanted.of(&source.key, room, self.clock.now())).await {
                Ok(TakeOutcome::Taken(taken)) => {
                    source.delivered = taken.delivered;
                    found.add(&source.key.log, taken);
                }
                Ok(TakeOutcome::NoGroup) if found.events.is_empty() => return Err(unknown_group(&source.key)),
                Err(error) if found.events.is_empty() => return Err(error),
                // What other partitions gave is handed out; the next call begins with another one, and tells.
                Ok(TakeOutcome::NoGroup) => break,
                Err(error) => {
                    tracing::warn!(%error, internal = error.internal, "a partition gave no events");
                    break;
                }
            }
        }
        Ok(())
    }

    async fn told(&self, found: Found) -> Result<TakenWork> {
        let Found { events, buried, lost, unreadable, .. } = found;
        let mut told = TakenWork { events: Vec::with_capacity(events.len()), buried, lost, unreadable };
        let mut life: Option<(LogName, mainstay_api::Epoch)> = None;
        for (log, TakenEvent { event, delivery }) in events {
            let epoch = match &life {
                Some((known, epoch)) if *known == log => epoch.clone(),
                _ => self.events.state(&log).await.map_err(crate::Error::maybe_applied)?.epoch,
            };
            let token = token_of(&log, event.offset);
            told.events.push(WorkEvent { token, delivery, event: event.into_event(log.stream.clone(), epoch.clone()) });
            life = Some((log, epoch));
        }
        Ok(told)
    }
}

/// What a call asks for.
struct Wanted {
    consumer: ConsumerName,
    limit: u32,
    wait: Duration,
    idle: Duration,
    max_deliveries: u32,
}

impl Wanted {
    fn parse(take: TakeWork) -> Result<Self> {
        let limit = within("limit", take.limit.map(u64::from), (DEFAULT_WORK.into(), 1, MAX_WORK.into()))?;
        let wait = within("wait_ms", take.wait_ms, (0, 0, MAX_WORK_WAIT_MS))?;
        let idle = within("idle_ms", take.idle_ms, (DEFAULT_IDLE_MS, MIN_IDLE_MS, MAX_IDLE_MS))?;
        let bounds = (DEFAULT_DELIVERIES.into(), 1, MAX_DELIVERIES.into());
        let deliveries = within("max_deliveries", take.max_deliveries.map(u64::from), bounds)?;
        Ok(Self {
            consumer: take.consumer,
            limit: u32::try_from(limit).unwrap_or(MAX_WORK),
            wait: Duration::from_millis(wait),
            idle: Duration::from_millis(idle),
            max_deliveries: u32::try_from(deliveries).unwrap_or(MAX_DELIVERIES),
        })
    }

    fn of(&self, group: &GroupKey, limit: u32, now: mainstay_api::Timestamp) -> TakeEvents {
        TakeEvents {
            group: group.clone(),
            consumer: self.consumer.clone(),
            limit,
            min_idle: self.idle,
            max_deliveries: self.max_deliveries,
            now,
        }
    }
}

/// A partition that events are taken from.
struct Source {
    key: GroupKey,
    /// Up to where its group was delivered.
    delivered: EventOffset,
    /// Its end, when that was looked at last. What lies between the two and is not to be had has been removed: waiting
    /// behind the first alone would end at once, again and again.
    seen: EventOffset,
}

impl Source {
    fn new(key: GroupKey) -> Self {
        Self { key, delivered: EventOffset::ZERO, seen: EventOffset::ZERO }
    }

    fn tail(&self) -> Tail {
        Tail { log: self.key.log.clone(), after: self.delivered.max(self.seen) }
    }
}

/// What a call has found.
#[derive(Default)]
struct Found {
    events: Vec<(LogName, TakenEvent)>,
    bytes: usize,
    buried: u32,
    lost: u32,
    unreadable: u32,
}

impl Found {
    fn add(&mut self, log: &LogName, taken: Taken) {
        self.buried = self.buried.saturating_add(taken.buried);
        self.lost = self.lost.saturating_add(taken.lost);
        self.unreadable = self.unreadable.saturating_add(taken.unreadable);
        for event in taken.events {
            self.bytes = self.bytes.saturating_add(event.event.event.payload.as_str().len());
            self.events.push((log.clone(), event));
        }
    }
}
