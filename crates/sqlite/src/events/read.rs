//! Reading behind a position.

use super::log;
use crate::errors::Outcome;
use mainstay_core::Error;
use mainstay_core::api::events::{EventGap, EventId, EventMetadata, EventOffset, EventType, RoomId};
use mainstay_core::api::{InvalidText, RawJson, Timestamp};
use mainstay_core::events::{LogPage, MAX_PAGE_BYTES, NewEvent, ReadLog, StoredEvent};
use rusqlite::{Connection, Row};

/// See [`mainstay_core::events::EventStore::read`].
pub(super) fn read(connection: &Connection, read: &ReadLog) -> Outcome<LogPage> {
    let epoch = log::epoch(connection, &read.log)?;
    let log = log::find(connection, &read.log)?;
    let (last, trimmed) = log.as_ref().map_or((EventOffset::ZERO, EventOffset::ZERO), |log| (log.last, log.trimmed));
    let gap = read.after.as_ref().and_then(|(of, after)| {
        if *of != epoch {
            return Some(EventGap::NewEpoch);
        }
        // Behind the end there is a place only in a file that was restored from a copy.
        (*after < trimmed || *after > last).then_some(EventGap::Trimmed)
    });
    let from = match &read.after {
        Some((_, after)) if gap.is_none() => *after,
        _ => EventOffset::ZERO,
    };
    let mut page = LogPage { epoch, events: Vec::new(), next: from, more: false, gap, unreadable: 0 };
    let Some(log) = log else { return Ok(page) };
    let sql = "SELECT ms, seq, event_id, type, room, timestamp_ms, payload, metadata FROM events \
               WHERE log = ?1 AND (ms, seq) > (?2, ?3) ORDER BY ms, seq LIMIT ?4";
    let mut statement = connection.prepare_cached(sql)?;
    let mut bytes = 0;
    let mut rows = statement.query((log.id, from.ms, from.seq, u64::from(read.limit) + 1))?;
    while let Some(row) = rows.next()? {
        let event = event(row)?;
        bytes += event.event.payload.as_str().len();
        if page.events.len() >= read.limit as usize || (bytes > MAX_PAGE_BYTES && !page.events.is_empty()) {
            page.more = true;
            break;
        }
        page.next = event.offset;
        page.events.push(event);
    }
    // Who begins with the oldest goes on where the log ends.
    if page.events.is_empty() && (page.gap.is_some() || read.after.is_none()) {
        page.next = log.last;
    }
    Ok(page)
}

/// The event in the first eight columns of a row: place, id, type, room, time, payload, metadata.
pub(super) fn event(row: &Row<'_>) -> Outcome<StoredEvent> {
    let broken = |rule: InvalidText| Error::inconsistent(format!("a stored event: {rule}"));
    let no_json = |error: serde_json::Error| Error::inconsistent(format!("a stored event: {error}"));
    let metadata: Option<String> = row.get(7)?;
    let metadata = match metadata {
        Some(text) => serde_json::from_str(&text).map_err(no_json)?,
        None => EventMetadata::default(),
    };
    Ok(StoredEvent {
        offset: log::offset(row, 0)?,
        event: NewEvent {
            id: EventId::parse(row.get::<_, String>(2)?).map_err(broken)?,
            kind: EventType::parse(row.get::<_, String>(3)?).map_err(broken)?,
            room: RoomId::parse(row.get::<_, String>(4)?).map_err(broken)?,
            timestamp: Timestamp::from_millis(row.get(5)?),
            payload: RawJson::parse(&row.get::<_, String>(6)?).map_err(no_json)?,
            metadata,
        },
    })
}
