//! What leaves a log.

use super::log::{self, Log};
use crate::errors::Outcome;
use mainstay_core::api::Timestamp;
use mainstay_core::api::events::EventOffset;
use mainstay_core::events::{LogName, Publish};
use rusqlite::{Connection, OptionalExtension};

/// Remembered ids that one publication forgets at most.
const FORGOTTEN: u32 = 200;

/// Removes what exceeds the bounds of a log.
pub(super) fn to_bounds(connection: &Connection, log: &mut Log, publish: &Publish) -> Outcome<()> {
    let excess = log.length.saturating_sub(u64::from(publish.max_len));
    if excess > 0 {
        let sql = "SELECT ms, seq FROM events WHERE log = ?1 ORDER BY ms, seq LIMIT 1 OFFSET ?2";
        let mut statement = connection.prepare_cached(sql)?;
        let last = statement.query_row((log.id, excess - 1), |row| log::offset(row, 0)).optional()?;
        if let Some(last) = last {
            remove_up_to(connection, log, last)?;
        }
    }
    if let Some(age) = publish.max_age {
        let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        let oldest = Timestamp::from_millis(publish.now.as_millis().saturating_sub(age));
        remove_before(connection, log, oldest)?;
    }
    let sql = "DELETE FROM event_ids WHERE log = ?1 AND event_id IN \
               (SELECT event_id FROM event_ids WHERE log = ?1 AND until_ms <= ?2 LIMIT ?3)";
    connection.prepare_cached(sql)?.execute((log.id, publish.now.as_millis(), FORGOTTEN))?;
    Ok(())
}

/// See [`mainstay_core::events::EventStore::purge`].
pub(super) fn purge(
    connection: &Connection,
    name: &LogName,
    older_than: Option<Timestamp>,
    now: Timestamp,
) -> Outcome<u64> {
    let Some(mut log) = log::find(connection, name)? else { return Ok(0) };
    let sql = "DELETE FROM event_ids WHERE log = ?1 AND until_ms <= ?2";
    connection.prepare_cached(sql)?.execute((log.id, now.as_millis()))?;
    let Some(oldest) = older_than else { return Ok(0) };
    let before = log.length;
    remove_before(connection, &mut log, oldest)?;
    if log.length != before {
        log::save(connection, &log)?;
    }
    Ok(before - log.length)
}

fn remove_before(connection: &Connection, log: &mut Log, oldest: Timestamp) -> Outcome<()> {
    let sql = "SELECT ms, seq FROM events WHERE log = ?1 AND ms < ?2 ORDER BY ms DESC, seq DESC LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    let last = statement.query_row((log.id, oldest.as_millis()), |row| log::offset(row, 0)).optional()?;
    match last {
        Some(last) => remove_up_to(connection, log, last),
        None => Ok(()),
    }
}

fn remove_up_to(connection: &Connection, log: &mut Log, last: EventOffset) -> Outcome<()> {
    let sql = "DELETE FROM events WHERE log = ?1 AND (ms, seq) <= (?2, ?3)";
    let removed = connection.prepare_cached(sql)?.execute((log.id, last.ms, last.seq))? as u64;
    log.length = log.length.saturating_sub(removed);
    log.trimmed = log.trimmed.max(last);
    Ok(())
}
