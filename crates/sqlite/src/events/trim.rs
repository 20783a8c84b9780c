//! Removing the oldest events.

use super::log::{self, Log};
use super::unread::{self, Unread};
use crate::errors::Outcome;
use mainstay_core::api::Timestamp;
use mainstay_core::api::events::EventOffset;
use mainstay_core::events::{Publish, PurgeLog, Purged, Trimming};
use rusqlite::{Connection, OptionalExtension};

/// Ids that one purge forgets at a time, and how often it does so: a log holds no more than what was published within
/// the longest window.
const IDS_AT_ONCE: u32 = 10_000;
const MAX_ROUNDS: u32 = 1_000;

/// Ids whose window has passed that one publication forgets: more than it adds, so that they do not pile up.
const MAX_FORGOTTEN: u32 = 200;

/// Whether there is room for what was published.
pub(super) enum Room {
    /// There is, after the oldest were removed.
    Made {
        /// How many of them some group had not acknowledged.
        unread: u64,
    },
    /// This group has not acknowledged what would have to go.
    Refused { group: String },
}

/// Removes what exceeds the bounds of a publication.
pub(super) fn make_room(connection: &Connection, log: &mut Log, publish: &Publish) -> Outcome<Room> {
    forget_ids(connection, log.id, publish.now, MAX_FORGOTTEN)?;
    let surplus = log.length.saturating_sub(u64::from(publish.max_len));
    let full = if surplus > 0 { nth(connection, log.id, surplus)? } else { None };
    let moment = publish.max_age.map(|age| {
        let age_ms = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
        Timestamp::from_millis(publish.now.as_millis().saturating_sub(age_ms))
    });
    let aged = moment.map(|moment| newest_before(connection, log.id, moment)).transpose()?.flatten();
    let Some(up_to) = full.max(aged) else { return Ok(Room::Made { unread: 0 }) };
    let behind = unread::oldest(connection, log)?.filter(|unread| unread.from <= up_to);
    let Some(Unread { from, group }) = behind else {
        remove(connection, log, up_to)?;
        return Ok(Room::Made { unread: 0 });
    };
    if publish.trimming == Trimming::Refuse {
        if full.is_some_and(|full| from <= full) {
            return Ok(Room::Refused { group });
        }
        // What is only old stays as long as it is not read.
        remove_before(connection, log, from)?;
        return Ok(Room::Made { unread: 0 });
    }
    let unread = unread::count(connection, log, up_to)?;
    remove(connection, log, up_to)?;
    Ok(Room::Made { unread })
}

/// See [`mainstay_core::events::EventStore::purge`].
pub(super) fn purge(connection: &Connection, purge: &PurgeLog) -> Outcome<Purged> {
    let Some(mut log) = log::find(connection, &purge.log)? else { return Ok(Purged::default()) };
    for _ in 0..MAX_ROUNDS {
        if forget_ids(connection, log.id, purge.now, IDS_AT_ONCE)? < IDS_AT_ONCE as usize {
            break;
        }
    }
    let aged = purge.older_than.map(|moment| newest_before(connection, log.id, moment)).transpose()?.flatten();
    let Some(up_to) = aged else { return Ok(Purged::default()) };
    let behind = unread::oldest(connection, &log)?.filter(|unread| unread.from <= up_to);
    let (events, unread) = match behind {
        Some(Unread { from, .. }) if purge.trimming == Trimming::Refuse => {
            (remove_before(connection, &mut log, from)?, 0)
        }
        Some(_) => {
            let unread = unread::count(connection, &log, up_to)?;
            (remove(connection, &mut log, up_to)?, unread)
        }
        None => (remove(connection, &mut log, up_to)?, 0),
    };
    log::save(connection, &log)?;
    Ok(Purged { events, unread })
}

/// The nth event of a log, from 1.
fn nth(connection: &Connection, log: i64, number: u64) -> Outcome<Option<EventOffset>> {
    let sql = "SELECT ms, seq FROM events WHERE log = ?1 ORDER BY ms, seq LIMIT 1 OFFSET ?2";
    Ok(connection.prepare_cached(sql)?.query_row((log, number - 1), |row| log::offset(row, 0)).optional()?)
}

fn newest_before(connection: &Connection, log: i64, moment: Timestamp) -> Outcome<Option<EventOffset>> {
    let sql = "SELECT ms, seq FROM events WHERE log = ?1 AND ms < ?2 ORDER BY ms DESC, seq DESC LIMIT 1";
    Ok(connection.prepare_cached(sql)?.query_row((log, moment.as_millis()), |row| log::offset(row, 0)).optional()?)
}

fn remove_before(connection: &Connection, log: &mut Log, end: EventOffset) -> Outcome<u64> {
    let sql = "SELECT ms, seq FROM events WHERE log = ?1 AND (ms, seq) < (?2, ?3) ORDER BY ms DESC, seq DESC LIMIT 1";
    let newest =
        connection.prepare_cached(sql)?.query_row((log.id, end.ms, end.seq), |row| log::offset(row, 0)).optional()?;
    newest.map_or(Ok(0), |newest| remove(connection, log, newest))
}

/// Removes every event up to one; says how many.
fn remove(connection: &Connection, log: &mut Log, up_to: EventOffset) -> Outcome<u64> {
    let sql = "DELETE FROM events WHERE log = ?1 AND (ms, seq) <= (?2, ?3)";
    let removed = connection.prepare_cached(sql)?.execute((log.id, up_to.ms, up_to.seq))? as u64;
    log.trimmed = log.trimmed.max(up_to);
    log.length = log.length.saturating_sub(removed);
    Ok(removed)
}

/// Forgets ids whose window has passed, so many of them at most.
fn forget_ids(connection: &Connection, log: i64, now: Timestamp, limit: u32) -> Outcome<usize> {
    let sql = "DELETE FROM event_ids WHERE log = ?1 AND event_id IN \
               (SELECT event_id FROM event_ids WHERE log = ?1 AND until_ms <= ?2 ORDER BY until_ms LIMIT ?3)";
    Ok(connection.prepare_cached(sql)?.execute((log, now.as_millis(), limit))?)
}
