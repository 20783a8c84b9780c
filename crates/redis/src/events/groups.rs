//! Consumer groups on Redis: they are groups of the stream that is the log, which other programs may use as well.

use super::entry;
use crate::answer::Answer;
use crate::connection::{Connection, Repeat, read};
use crate::keys::{Keys, encode};
use crate::scripts::{self, Script};
use async_trait::async_trait;
use mainstay_core::api::Timestamp;
use mainstay_core::api::events::{ConsumerName, EventOffset, GroupName};
use mainstay_core::events::{
    Bury, CONSUMER_FORGOTTEN_AFTER, DELIVERED_TOO_OFTEN, DeadEvent, GroupKey, GroupOutcome, GroupStart, GroupState,
    GroupStore, LogName, MAX_DEAD, MAX_TAKE_BYTES, Release, Streams, TakeEvents, TakeOutcome, Taken, TakenEvent,
};
use mainstay_core::{Error, Result};
use redis::Value;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;

/// Held events that one step looks through at most.
const MAX_EXAMINED: u32 = 1_000;

/// Bytes of what one step looks at to count what nobody has taken yet, about.
const MAX_COUNTED_BYTES: usize = 512 * 1_024;

/// Consumer groups in Redis.
pub(crate) struct RedisGroups {
    connection: Arc<Connection>,
    keys: Keys,
    streams: Arc<Streams>,
}

impl RedisGroups {
    /// Groups over a connection.
    pub fn new(connection: Arc<Connection>, keys: Keys, streams: Arc<Streams>) -> Self {
        Self { connection, keys, streams }
    }

    /// Runs a script on a log.
    async fn run(&self, script: &Script, log: &LogName, args: &[&[u8]], repeat: Repeat) -> Result<Value> {
        let key = self.keys.beside_stream(&self.keys.stream(&self.streams, log));
        self.connection.script(script, &key, args, repeat).await
    }

    /// Runs a script on a group, where running it twice is running it once.
    async fn run_on<T: redis::FromRedisValue>(&self, script: &Script, key: &GroupKey, args: &[&str]) -> Result<T> {
        let tag = encode(key.group.as_str());
        let all: Vec<&[u8]> = [key.group.as_str(), &tag].iter().chain(args).map(|arg| arg.as_bytes()).collect();
        read(self.run(script, &key.log, &all, Repeat::Safe).await?, script.name)
    }

    async fn state(&self, key: &GroupKey) -> Result<Option<GroupState>> {
        let (most, bytes) = (MAX_EXAMINED.to_string(), MAX_COUNTED_BYTES.to_string());
        let forget_ms = CONSUMER_FORGOTTEN_AFTER.as_millis().to_string();
        let script = &scripts::GROUPS_STATE;
        let answer: Value = self.run_on(script, key, &[&most, &bytes, &forget_ms]).await?;
        let mut answer = Answer::of(answer, script.name)?;
        if answer.is_empty() {
            return Ok(None);
        }
        let delivered = place(&answer.next::<String>()?)?;
        let (lag, more, pending, idle_ms) =
            (answer.next()?, answer.next::<u8>()?, answer.next()?, answer.next::<i64>()?);
        let (dead, lost) = (answer.next()?, answer.next()?);
        // Other programs may call their consumers as they like.
        let consumers = answer.next::<Vec<(String, u64)>>()?.into_iter();
        let named = consumers.filter_map(|(name, holds)| Some((ConsumerName::parse(name).ok()?, holds)));
        let mut consumers: Vec<_> = named.collect();
        consumers.sort();
        Ok(Some(GroupState {
            group: key.group.clone(),
            delivered,
            lag,
            lag_at_least: more == 1,
            pending,
            oldest_idle: u64::try_from(idle_ms).ok().map(Duration::from_millis),
            consumers,
            dead,
            lost,
        }))
    }
}

#[async_trait]
impl GroupStore for RedisGroups {
    async fn create_group(&self, key: &GroupKey, start: GroupStart, max_groups: u32) -> Result<GroupOutcome> {
        let from = match start {
            GroupStart::Oldest => EventOffset::ZERO.to_string(),
            GroupStart::New => "$".to_owned(),
            GroupStart::After(offset) => offset.to_string(),
        };
        let script = &scripts::GROUPS_CREATE;
        match self.run_on::<String>(script, key, &[&from, &max_groups.to_string()]).await?.as_str() {
            "created" => Ok(GroupOutcome::Created),
            "exists" => Ok(GroupOutcome::Exists),
            "too_many" => Ok(GroupOutcome::TooMany),
            other => Err(Error::inconsistent(format!("{} answered {other:?}", script.name))),
        }
    }

    async fn remove_group(&self, key: &GroupKey) -> Result<bool> {
        Ok(self.run_on::<u8>(&scripts::GROUPS_REMOVE, key, &[]).await? == 1)
    }

    async fn groups(&self, log: &LogName, _: Timestamp) -> Result<Vec<GroupState>> {
        let script = &scripts::GROUPS_NAMES;
        let mut names: Vec<String> = read(self.run(script, log, &[], Repeat::Safe).await?, script.name)?;
        names.sort();
        let mut states = Vec::with_capacity(names.len());
        // A group of another program whose name is none of ours cannot be spoken of.
        for group in names.into_iter().filter_map(|name| GroupName::parse(name).ok()) {
            states.extend(self.state(&GroupKey { log: log.clone(), group }).await?);
        }
        Ok(states)
    }

    async fn take(&self, take: TakeEvents) -> Result<TakeOutcome> {
        let (script, key) = (&scripts::GROUPS_TAKE, &take.group);
        let parameters = json!({
            "limit": take.limit,
            "bytes": MAX_TAKE_BYTES,
            "idle_ms": millis(take.min_idle),
            "deliveries": take.max_deliveries,
            "examined": MAX_EXAMINED,
            "reason": DELIVERED_TOO_OFTEN,
            "most_dead": MAX_DEAD,
            "forget_ms": millis(CONSUMER_FORGOTTEN_AFTER),
        })
        .to_string();
        let (group, tag) = (key.group.as_str(), encode(key.group.as_str()));
        let args = [group, &tag, take.consumer.as_str(), &parameters].map(str::as_bytes);
        // A second run takes more. What the first one took would come back late, by its idleness.
        let answer = self.run(script, &key.log, &args, Repeat::Never).await?;
        let mut answer = Answer::of(answer, script.name)?;
        if answer.next::<String>()? == "no_group" {
            return Ok(TakeOutcome::NoGroup);
        }
        let delivered = place(&answer.next::<String>()?)?;
        let mut taken = Taken { delivered, buried: answer.next()?, lost: answer.next()?, ..Taken::default() };
        let mut unreadable = Vec::new();
        for (id, delivery, fields) in answer.next::<Vec<(String, u32, Vec<Vec<u8>>)>>()? {
            let offset = place(&id)?;
            match entry::event((id, fields)) {
                Some(event) => taken.events.push(TakenEvent { event, delivery }),
                None => unreadable.push(offset),
            }
        }
        if !unreadable.is_empty() {
            taken.unreadable = u32::try_from(unreadable.len()).unwrap_or(u32::MAX);
            // Where this fails they come back by their idleness, and are passed over then.
            if let Err(error) = self.acknowledge(key, &unreadable).await {
                tracing::warn!(group, %error, "entries that are no events could not be acknowledged");
            }
        }
        Ok(TakeOutcome::Taken(taken))
    }

    async fn keep(
        &self,
        key: &GroupKey,
        consumer: &ConsumerName,
        offsets: &[EventOffset],
        _: Timestamp,
    ) -> Result<Vec<EventOffset>> {
        let ids: Vec<String> = offsets.iter().map(EventOffset::to_string).collect();
        let args: Vec<&str> = std::iter::once(consumer.as_str()).chain(ids.iter().map(String::as_str)).collect();
        let kept: Vec<String> = self.run_on(&scripts::GROUPS_KEEP, key, &args).await?;
        kept.iter().map(|id| place(id)).collect()
    }

    async fn acknowledge(&self, key: &GroupKey, offsets: &[EventOffset]) -> Result<u64> {
        let ids: Vec<String> = offsets.iter().map(EventOffset::to_string).collect();
        let args: Vec<&str> = ids.iter().map(String::as_str).collect();
        self.run_on(&scripts::GROUPS_ACKNOWLEDGE, key, &args).await
    }

    async fn release(&self, release: Release) -> Result<bool> {
        let alone_ms = if release.delay.is_zero() {
            "-1".to_owned()
        } else {
            millis(release.min_idle.saturating_sub(release.delay)).to_string()
        };
        let args = [release.consumer.as_str(), &release.offset.to_string(), &alone_ms];
        Ok(self.run_on::<u8>(&scripts::GROUPS_RELEASE, &release.group, &args).await? == 1)
    }

    async fn bury(&self, bury: Bury) -> Result<bool> {
        let (offset, now) = (bury.offset.to_string(), bury.now.as_millis().to_string());
        let args = [bury.consumer.as_str(), &offset, &bury.reason, &now, &MAX_DEAD.to_string()];
        Ok(self.run_on::<u8>(&scripts::GROUPS_BURY, &bury.group, &args).await? == 1)
    }

    async fn dead(&self, key: &GroupKey, after: EventOffset, limit: u32) -> Result<Vec<DeadEvent>> {
        let args = [after.to_string(), limit.to_string(), MAX_TAKE_BYTES.to_string()];
        let args = [args[0].as_str(), &args[1], &args[2]];
        let script = &scripts::GROUPS_DEAD;
        let rows: Vec<(String, u32, String, String, Vec<Vec<u8>>)> = self.run_on(script, key, &args).await?;
        let mut dead = Vec::with_capacity(rows.len());
        for (id, deliveries, reason, died_ms, fields) in rows {
            let broken = |_| Error::inconsistent(format!("{died_ms:?} is not when an event died"));
            let died_at = Timestamp::from_millis(died_ms.parse().map_err(broken)?);
            // What others add and take in the same group may be no event.
            let event = entry::event((id, fields));
            dead.extend(event.map(|event| DeadEvent { event, deliveries, reason, died_at }));
        }
        Ok(dead)
    }

    async fn revive(&self, key: &GroupKey, offset: EventOffset) -> Result<bool> {
        Ok(self.run_on::<u8>(&scripts::GROUPS_REVIVE, key, &[&offset.to_string()]).await? == 1)
    }

    async fn forget(&self, key: &GroupKey, offset: EventOffset) -> Result<bool> {
        Ok(self.run_on::<u8>(&scripts::GROUPS_FORGET, key, &[&offset.to_string()]).await? == 1)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn place(id: &str) -> Result<EventOffset> {
    id.parse().map_err(|rule| Error::inconsistent(format!("a stored {rule}")))
}
