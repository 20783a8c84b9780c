//! Publishing.

use super::log::{self, Log};
use super::trim::{self, Room};
use crate::errors::Outcome;
use crate::wakeups::Wakes;
use mainstay_core::api::Timestamp;
use mainstay_core::api::events::{EventId, EventMetadata, EventOffset};
use mainstay_core::events::{NewEvent, Placed, Publish, PublishOutcome, Published};
use mainstay_core::{Error, Topic};
use rusqlite::{Connection, OptionalExtension, named_params};

/// See [`mainstay_core::events::EventStore::publish`].
pub(super) fn publish(connection: &Connection, publish: &Publish, wakes: &mut Wakes) -> Outcome<PublishOutcome> {
    let mut log = log::find_or_make(connection, &publish.log)?;
    let epoch = log::epoch(connection, &publish.log)?;
    let until = Timestamp::from_millis(
        publish.now.as_millis().saturating_add(i64::try_from(publish.dedupe.as_millis()).unwrap_or(i64::MAX)),
    );
    let before = log.last;
    let mut placed = Vec::with_capacity(publish.events.len());
    for event in &publish.events {
        if let Some(offset) = remembered(connection, log.id, &event.id, publish.now)? {
            placed.push(Placed { offset, duplicate: true });
            continue;
        }
        let offset = log.last.next(publish.now);
        insert(connection, log.id, offset, event)?;
        remember(connection, log.id, &event.id, offset, until)?;
        log.last = offset;
        log.length += 1;
        placed.push(Placed { offset, duplicate: false });
    }
    let mut trimmed_unread = 0;
    if log.last != before {
        match trim::make_room(connection, &mut log, publish)? {
            Room::Made { unread } => trimmed_unread = unread,
            Room::Refused { group } => {
                undo(connection, &log, before)?;
                return Ok(PublishOutcome::Backlog { group });
            }
        }
        log::save(connection, &log)?;
        wakes.topic(Topic::Events(publish.log.namespace.clone(), publish.log.stream.clone()));
    }
    Ok(PublishOutcome::Published(Published { epoch, events: placed, trimmed_unread }))
}

/// Takes back what a publication added that is refused: everything behind the place where the log ended.
fn undo(connection: &Connection, log: &Log, end: EventOffset) -> Outcome<()> {
    for table in ["events", "event_ids"] {
        let sql = format!("DELETE FROM {table} WHERE log = ?1 AND (ms, seq) > (?2, ?3)");
        connection.prepare_cached(&sql)?.execute((log.id, end.ms, end.seq))?;
    }
    Ok(())
}

/// Where the event of this id stands, where the id is remembered.
fn remembered(connection: &Connection, log: i64, id: &EventId, now: Timestamp) -> Outcome<Option<EventOffset>> {
    let sql = "SELECT ms, seq FROM event_ids WHERE log = ?1 AND event_id = ?2 AND until_ms > ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let place = statement.query_row((log, id.as_str(), now.as_millis()), |row| log::offset(row, 0));
    Ok(place.optional()?)
}

fn remember(connection: &Connection, log: i64, id: &EventId, offset: EventOffset, until: Timestamp) -> Outcome<()> {
    let sql = "INSERT OR REPLACE INTO event_ids (log, event_id, ms, seq, until_ms) VALUES (?1, ?2, ?3, ?4, ?5)";
    let row = (log, id.as_str(), offset.ms, offset.seq, until.as_millis());
    connection.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

fn insert(connection: &Connection, log: i64, offset: EventOffset, event: &NewEvent) -> Outcome<()> {
    let sql = "INSERT INTO events (log, ms, seq, event_id, type, room, timestamp_ms, payload, metadata) \
               VALUES (:log, :ms, :seq, :id, :type, :room, :timestamp_ms, :payload, :metadata)";
    connection.prepare_cached(sql)?.execute(named_params! {
        ":log": log,
        ":ms": offset.ms,
        ":seq": offset.seq,
        ":id": event.id.as_str(),
        ":type": event.kind.as_str(),
        ":room": event.room.as_str(),
        ":timestamp_ms": event.timestamp.as_millis(),
        ":payload": event.payload.as_str(),
        ":metadata": metadata(&event.metadata)?,
    })?;
    Ok(())
}

fn metadata(metadata: &EventMetadata) -> Outcome<Option<String>> {
    if metadata.is_empty() {
        return Ok(None);
    }
    let text = serde_json::to_string(metadata);
    Ok(Some(text.map_err(|error| Error::bug(format!("metadata is not JSON: {error}")))?))
}
