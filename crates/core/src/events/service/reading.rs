//! Reading what is stored.

use super::EventService;
use crate::error::{Error, Result};
use crate::events::port::{LogName, ReadLog};
use crate::events::standing::{ASKED_AT_ONCE, logs};
use crate::events::streams::StreamOptions;
use crate::{Caller, Scope};
use futures::{StreamExt, TryStreamExt, stream};
use mainstay_api::events::{
    DEFAULT_EVENTS_PAGE, EventPage, EventPosition, MAX_EVENTS_PAGE, PartitionState, ReadEvents, StreamList, StreamName,
    StreamState,
};

impl EventService {
    /// Reads events of one partition of a stream, oldest first: those of a room, or, for whoever may consume the stream,
    /// all of them.
    ///
    /// # Errors
    /// `events.stream_unknown`, `events.room_forbidden`, `auth.forbidden`, broken bounds.
    pub async fn read(&self, caller: &Caller, stream: &StreamName, read: ReadEvents) -> Result<EventPage> {
        caller.require(Scope::EventsRead)?;
        let options = self.stream(stream)?;
        let limit = read.limit.unwrap_or(DEFAULT_EVENTS_PAGE);
        if !(1..=MAX_EVENTS_PAGE).contains(&limit) {
            return Err(Error::invalid(format!("limit: {limit}; ask for 1 to {MAX_EVENTS_PAGE}, and page on")));
        }
        match &read.room {
            Some(room) => drop(self.admit(caller, stream, room).await?),
            None if caller.scopes.contains(Scope::EventsAdmin) => {}
            // A stream has the rooms of everybody.
            None => caller.require(Scope::EventsConsume)?,
        }
        let partition = partition(options, &read)?;
        let log = LogName { namespace: caller.namespace.clone(), stream: stream.clone(), partition };
        let after = read.from.map(|position| (position.epoch, position.offset));
        let page = self.events.read(ReadLog { log, after, limit }).await?;
        let (epoch, room) = (page.epoch, read.room);
        let wanted =
            page.events.into_iter().filter(|stored| room.as_ref().is_none_or(|room| *room == stored.event.room));
        Ok(EventPage {
            partition,
            events: wanted.map(|stored| stored.into_event(stream.clone(), epoch.clone())).collect(),
            position: EventPosition { epoch, offset: page.next },
            more: page.more,
            gap: page.gap,
            unreadable: page.unreadable,
        })
    }

    /// Every stream, and what it holds in the caller's namespace.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn list(&self, caller: &Caller) -> Result<StreamList> {
        caller.require(Scope::EventsRead)?;
        let mut streams = Vec::new();
        for (name, options) in self.streams.iter() {
            streams.push(self.held(caller, name, options).await?);
        }
        Ok(StreamList { streams })
    }

    /// One stream, and what it holds in the caller's namespace.
    ///
    /// # Errors
    /// `events.stream_unknown`.
    pub async fn state(&self, caller: &Caller, name: &StreamName) -> Result<StreamState> {
        caller.require(Scope::EventsRead)?;
        self.held(caller, name, self.stream(name)?).await
    }

    async fn held(&self, caller: &Caller, name: &StreamName, options: &StreamOptions) -> Result<StreamState> {
        let asked = logs(&caller.namespace, name, options).map(|log| async move {
            let state = self.events.state(&log).await?;
            let position = EventPosition { epoch: state.epoch, offset: state.last };
            let (first, length) = (state.first, state.length);
            Ok::<_, Error>(PartitionState { partition: log.partition, position, first, length })
        });
        let partitions: Vec<_> = stream::iter(asked).buffered(ASKED_AT_ONCE).try_collect().await?;
        Ok(StreamState {
            name: name.clone(),
            max_len: options.max_len,
            max_age_s: options.max_age.map(|age| age.as_secs()),
            dedupe_s: options.dedupe.as_secs(),
            redis_key: options.redis_key.clone(),
            length: partitions.iter().map(|partition| partition.length).sum(),
            partitions,
        })
    }
}

/// The partition to read: that of the room, the one that is named, or the only one.
fn partition(options: &StreamOptions, read: &ReadEvents) -> Result<u16> {
    let of_room = read.room.as_ref().map(|room| options.partition_of(room));
    match (of_room, read.partition) {
        (Some(own), Some(named)) if own != named => {
            Err(Error::invalid(format!("partition: events of this room are in {own}; leave it out")))
        }
        (Some(own), _) => Ok(own),
        (None, Some(named)) if named < options.partitions => Ok(named),
        (None, Some(named)) => {
            let last = options.partitions - 1;
            Err(Error::invalid(format!("partition: {named}; the stream has partitions 0 to {last}")))
        }
        (None, None) if options.partitions == 1 => Ok(0),
        (None, None) => {
            let last = options.partitions - 1;
            Err(Error::invalid(format!("partition: it is missing; the stream has partitions 0 to {last}")))
        }
    }
}
