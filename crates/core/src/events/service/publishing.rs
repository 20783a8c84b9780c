//! Publishing: parse, bound, stamp, divide among partitions, store.

use super::EventService;
use crate::error::{Error, Result};
use crate::events::port::{LogName, NewEvent, Publish, PublishOutcome};
use crate::events::refusals::backlog;
use crate::events::streams::StreamOptions;
use crate::text::sha256_hex;
use crate::{Caller, Scope};
use mainstay_api::events::{
    EventId, EventPosition, MAX_METADATA_BYTES, MAX_PAYLOAD_BYTES, MAX_PUBLISH, PublishEvent, PublishEvents,
    PublishedEvent, PublishedEvents, StreamName,
};
use mainstay_api::ids::RequestId;
use mainstay_api::{Code, Timestamp};
use std::collections::BTreeMap;

/// What became of a publication.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishReport {
    /// The events.
    pub published: PublishedEvents,
    /// How many events were trimmed to make room that some group had not acknowledged.
    pub trimmed_unread: u64,
}

impl EventService {
    /// Publishes events to a stream of the caller's namespace. Each is stored before this returns. An event without an
    /// id gets one; where the call has a request id, one that a repetition of the call gives it again, so that nothing is
    /// published twice.
    ///
    /// # Errors
    /// `events.stream_unknown`; `events.backlog` where a group is behind and the stream must not be trimmed; broken
    /// bounds. Events of several partitions may be stored in part where the store fails between them: the error then says
    /// that the write may have taken place.
    pub async fn publish(
        &self,
        caller: &Caller,
        stream: &StreamName,
        request: Option<&RequestId>,
        publish: PublishEvents,
    ) -> Result<PublishReport> {
        caller.require(Scope::EventsWrite)?;
        let options = self.stream(stream)?;
        let now = self.clock.now();
        let events = self.parsed(caller, request, publish, now)?;
        let ids: Vec<EventId> = events.iter().map(|event| event.id.clone()).collect();
        let mut partitions: BTreeMap<u16, Vec<(usize, NewEvent)>> = BTreeMap::new();
        for (at, event) in events.into_iter().enumerate() {
            partitions.entry(options.partition_of(&event.room)).or_default().push((at, event));
        }
        let mut placed: Vec<Option<(EventPosition, bool)>> = vec![None; ids.len()];
        let mut trimmed_unread = 0;
        for (nth, (partition, events)) in partitions.into_iter().enumerate() {
            let log = LogName { namespace: caller.namespace.clone(), stream: stream.clone(), partition };
            let (places, events): (Vec<usize>, Vec<NewEvent>) = events.into_iter().unzip();
            let stored = self.store(options, log, events, now).await;
            // What was stored in other partitions before stays.
            let stored = stored.map_err(|error| if nth == 0 { error } else { error.maybe_applied() })?;
            trimmed_unread += stored.trimmed_unread;
            for (at, event) in places.into_iter().zip(stored.events) {
                let position = EventPosition { epoch: stored.epoch.clone(), offset: event.offset };
                placed[at] = Some((position, event.duplicate));
            }
        }
        let events = ids.into_iter().zip(placed).map(|(id, place)| {
            let (position, duplicate) = place.ok_or_else(|| Error::bug("the store did not place every event"))?;
            Ok(PublishedEvent { id, position, duplicate })
        });
        Ok(PublishReport { published: PublishedEvents { events: events.collect::<Result<_>>()? }, trimmed_unread })
    }

    async fn store(
        &self,
        options: &StreamOptions,
        log: LogName,
        events: Vec<NewEvent>,
        now: Timestamp,
    ) -> Result<crate::events::Published> {
        let stream = log.stream.clone();
        let publish = Publish {
            log,
            events,
            now,
            max_len: options.max_len,
            max_age: options.max_age,
            dedupe: options.dedupe,
            trimming: options.trimming,
        };
        match self.events.publish(publish).await? {
            PublishOutcome::Published(stored) => {
                if stored.trimmed_unread > 0 {
                    let trimmed = stored.trimmed_unread;
                    tracing::warn!(%stream, trimmed, "events were trimmed that a consumer group had not read");
                }
                Ok(stored)
            }
            PublishOutcome::Backlog { group } => Err(backlog(&stream, &group)),
        }
    }

    fn parsed(
        &self,
        caller: &Caller,
        request: Option<&RequestId>,
        publish: PublishEvents,
        now: Timestamp,
    ) -> Result<Vec<NewEvent>> {
        let count = publish.events.len();
        if !(1..=MAX_PUBLISH).contains(&count) {
            return Err(Error::invalid(format!("events: {count}; publish 1 to {MAX_PUBLISH} at a time")));
        }
        let one = |(at, event): (usize, PublishEvent)| {
            check(&event).map_err(|(field, rule)| refused(count, at, field, rule))?;
            let id = match (event.id, request) {
                (Some(id), _) => id,
                (None, Some(request)) => id_of(caller, request, at),
                (None, None) => self.mint.event_id(),
            };
            let PublishEvent { kind, room, timestamp, payload, metadata, .. } = event;
            Ok(NewEvent { id, kind, room, timestamp: timestamp.unwrap_or(now), payload, metadata })
        };
        publish.events.into_iter().enumerate().map(one).collect()
    }
}

/// The id of an event that came without one: the same for every repetition of the call, and nobody else's.
fn id_of(caller: &Caller, request: &RequestId, at: usize) -> EventId {
    let digest = sha256_hex(format!("{}\0{request}\0{at}", caller.principal).as_bytes());
    EventId::parse(&digest[..32]).expect("hexadecimal digits are an id")
}

fn check(event: &PublishEvent) -> Result<(), (&'static str, Refused)> {
    if !event.payload.is_object() {
        return Err(("payload", Refused::Invalid("must be a JSON object")));
    }
    if event.payload.as_str().len() > MAX_PAYLOAD_BYTES {
        return Err(("payload", Refused::TooLarge(MAX_PAYLOAD_BYTES)));
    }
    let metadata = serde_json::to_vec(&event.metadata).map_err(|_| ("metadata", Refused::Invalid("is not JSON")))?;
    if metadata.len() > MAX_METADATA_BYTES {
        return Err(("metadata", Refused::TooLarge(MAX_METADATA_BYTES)));
    }
    if event.metadata.coalesced_count == Some(0) {
        return Err(("metadata.coalesced_count", Refused::Invalid("an event stands at least for itself")));
    }
    Ok(())
}

enum Refused {
    Invalid(&'static str),
    TooLarge(usize),
}

fn refused(count: usize, at: usize, field: &str, rule: Refused) -> Error {
    let field = if count == 1 { field.to_owned() } else { format!("events[{at}].{field}") };
    match rule {
        Refused::Invalid(rule) => Error::invalid(format!("{field}: {rule}")),
        Refused::TooLarge(max) => Error::new(
            Code::TooLarge,
            format!("{field}: it has more than {max} bytes"),
            "Publish a reference to what is larger, such as its address; nothing was written.",
        ),
    }
}
