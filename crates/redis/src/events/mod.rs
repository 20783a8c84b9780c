//! Events on Redis: each log is a stream in the wire format that other backends write and read as well.

mod entry;
mod groups;
mod tail;

pub(crate) use groups::RedisGroups;

use crate::connection::{Connection, Repeat, read};
use crate::keys::{Keys, encode};
use crate::mail::new_epoch;
use crate::scripts;
use crate::wakeups::RedisHints;
use async_trait::async_trait;
use entry::Entry;
use mainstay_core::api::events::{EventGap, EventOffset};
use mainstay_core::api::{Epoch, InvalidText};
use mainstay_core::events::{
    EventStore, LogName, LogPage, LogState, MAX_PAGE_BYTES, Placed, Publish, PublishOutcome, Published, PurgeLog,
    Purged, ReadLog, Streams, Tail, Trimming, wait_by_hints,
};
use mainstay_core::{Error, Result};
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use tail::Tails;

/// In a cluster, where no command waits for the streams of several masters: how often to look for what others wrote.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Entries that one step examines at most, to say which of those that go were not read.
const MAX_COUNTED: u32 = 1_000;

/// Logs of events in Redis.
pub(crate) struct RedisEvents {
    connection: Arc<Connection>,
    keys: Keys,
    streams: Arc<Streams>,
    tails: Tails,
    hints: Arc<RedisHints>,
}

impl RedisEvents {
    /// Events over a connection.
    pub fn new(connection: Arc<Connection>, keys: Keys, streams: Arc<Streams>, hints: Arc<RedisHints>) -> Self {
        Self { tails: Tails::new(Arc::clone(&connection)), connection, keys, streams, hints }
    }

    /// The stream that is a log.
    fn stream_of(&self, log: &LogName) -> String {
        self.keys.stream(&self.streams, log)
    }

    /// The key that stands for a log.
    fn key_of(&self, log: &LogName) -> String {
        self.keys.beside_stream(&self.stream_of(log))
    }
}

#[async_trait]
impl EventStore for RedisEvents {
    async fn publish(&self, publish: Publish) -> Result<PublishOutcome> {
        let key = self.key_of(&publish.log);
        let no_json = |error: serde_json::Error| Error::bug(format!("a publication is not JSON: {error}"));
        let parameters = serde_json::to_vec(&json!({
            "epoch": new_epoch(),
            "max_len": publish.max_len,
            "min_ms": publish.max_age.map_or(0, |age| publish.now.before(age).as_millis().max(1)),
            "dedupe_ms": u64::try_from(publish.dedupe.as_millis()).unwrap_or(u64::MAX),
            "refuse": publish.trimming == Trimming::Refuse,
            "max_counted": MAX_COUNTED,
            "channel": self.keys.channel(),
            "namespace": encode(publish.log.namespace.as_str()),
            "stream": publish.log.stream.as_str(),
        }))
        .map_err(no_json)?;
        let mut texts = Vec::with_capacity(publish.events.len() * 7);
        for event in &publish.events {
            texts.push(encode(event.id.as_str()));
            texts.push(event.id.to_string());
            texts.push(event.kind.to_string());
            texts.push(entry::time(event.timestamp));
            texts.push(event.room.to_string());
            texts.push(event.payload.as_str().to_owned());
            texts.push(entry::metadata(&event.metadata).map_err(no_json)?);
        }
        let args: Vec<&[u8]> =
            std::iter::once(&parameters[..]).chain(texts.iter().map(|text| text.as_bytes())).collect();
        let script = &scripts::EVENTS_PUBLISH;
        let answer = self.connection.script(script, &key, &args, Repeat::Safe).await?;
        let mut words: std::vec::IntoIter<String> = read::<Vec<String>>(answer, script.name)?.into_iter();
        let mut word =
            || words.next().ok_or_else(|| Error::inconsistent(format!("{} answered too little", script.name)));
        match word()?.as_str() {
            "backlog" => Ok(PublishOutcome::Backlog { group: word()? }),
            _ => {
                let epoch = Epoch::parse(word()?).map_err(broken)?;
                let trimmed_unread = word()?.parse().unwrap_or(0);
                let mut events = Vec::with_capacity(publish.events.len());
                for _ in &publish.events {
                    events.push(Placed { offset: word()?.parse().map_err(broken)?, duplicate: word()? == "1" });
                }
                Ok(PublishOutcome::Published(Published { epoch, events, trimmed_unread }))
            }
        }
    }

    async fn read(&self, wanted: ReadLog) -> Result<LogPage> {
        let key = self.key_of(&wanted.log);
        let (of, after) = match &wanted.after {
            Some((epoch, offset)) => (epoch.as_str(), *offset),
            None => ("", EventOffset::ZERO),
        };
        let (fresh, place) = (new_epoch(), after.to_string());
        let (limit, most) = (wanted.limit.to_string(), MAX_PAGE_BYTES.to_string());
        let args = [&fresh, of, &place, &limit, &most].map(str::as_bytes);
        let script = &scripts::EVENTS_READ;
        let answer = self.connection.script(script, &key, &args, Repeat::Safe).await?;
        let (epoch, gap, next, more, entries): (String, String, String, u8, Vec<Entry>) = read(answer, script.name)?;
        let gap = match gap.as_str() {
            "trimmed" => Some(EventGap::Trimmed),
            "new_epoch" => Some(EventGap::NewEpoch),
            _ => None,
        };
        let found = entries.len();
        let events: Vec<_> = entries.into_iter().filter_map(entry::event).collect();
        let unreadable = u32::try_from(found - events.len()).unwrap_or(u32::MAX);
        let (epoch, next) = (Epoch::parse(epoch).map_err(broken)?, next.parse().map_err(broken)?);
        Ok(LogPage { epoch, events, next, more: more == 1, gap, unreadable })
    }

    async fn state(&self, log: &LogName) -> Result<LogState> {
        let key = self.key_of(log);
        let script = &scripts::EVENTS_STATE;
        let answer = self.connection.script(script, &key, &[new_epoch().as_bytes()], Repeat::Safe).await?;
        let (epoch, last, first, length): (String, String, String, u64) = read(answer, script.name)?;
        Ok(LogState {
            epoch: Epoch::parse(epoch).map_err(broken)?,
            last: last.parse().map_err(broken)?,
            first: if first.is_empty() { None } else { Some(first.parse().map_err(broken)?) },
            length,
        })
    }

    async fn wait(&self, tails: &[Tail], at_most: Duration) -> Result<Vec<LogName>> {
        if self.connection.topology().is_cluster() {
            return wait_by_hints(self, &*self.hints, tails, at_most, Some(LOOK_EVERY)).await;
        }
        let streams: Vec<String> = tails.iter().map(|tail| self.stream_of(&tail.log)).collect();
        let places = tails.iter().map(|tail| tail.after.to_string());
        let named = self.tails.wait(&streams.iter().cloned().zip(places).collect(), at_most).await?;
        let behind = tails.iter().zip(&streams).filter(|(_, stream)| named.contains(stream));
        Ok(behind.map(|(tail, _)| tail.log.clone()).collect())
    }

    async fn purge(&self, purge: PurgeLog) -> Result<Purged> {
        // The remembered ids end by themselves.
        let Some(moment) = purge.older_than else { return Ok(Purged::default()) };
        let (moment, fresh, most) = (moment.as_millis().max(0).to_string(), new_epoch(), MAX_COUNTED.to_string());
        let keep = if purge.trimming == Trimming::Refuse { "1" } else { "0" };
        let args = [moment.as_str(), keep, &most, &fresh].map(str::as_bytes);
        let (script, key) = (&scripts::EVENTS_PURGE, self.key_of(&purge.log));
        let answer = self.connection.script(script, &key, &args, Repeat::Safe).await?;
        let (events, unread): (u64, u64) = read(answer, script.name)?;
        Ok(Purged { events, unread })
    }
}

fn broken(rule: InvalidText) -> Error {
    Error::inconsistent(format!("a stored {rule}"))
}

impl Drop for RedisEvents {
    fn drop(&mut self) {
        self.tails.close();
    }
}
