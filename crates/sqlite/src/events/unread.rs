//! What consumer groups have not acknowledged, for those who remove events.

use super::log::{self, Log};
use crate::errors::Outcome;
use mainstay_core::api::events::EventOffset;
use rusqlite::{Connection, OptionalExtension};

/// The oldest event that a group has not acknowledged.
pub(super) struct Unread {
    /// No event before this one is missing to any group.
    pub from: EventOffset,
    /// The group that lacks it.
    pub group: String,
}

/// The oldest event that some group of a log has not acknowledged, or the place where the next one will be; none where
/// there are no groups.
pub(super) fn oldest(connection: &Connection, log: &Log) -> Outcome<Option<Unread>> {
    let sql = "SELECT id, name, delivered_ms, delivered_seq FROM event_groups WHERE log = ?1 ORDER BY name";
    let mut statement = connection.prepare_cached(sql)?;
    let mut groups = statement.query([log.id])?;
    let mut oldest: Option<Unread> = None;
    while let Some(row) = groups.next()? {
        let delivered = log::offset(row, 2)?;
        let next = EventOffset { seq: delivered.seq + 1, ..delivered };
        let held = first_held(connection, row.get(0)?, log.trimmed)?;
        let from = held.map_or(next, |held| held.min(next));
        if oldest.as_ref().is_none_or(|oldest| from < oldest.from) {
            oldest = Some(Unread { from, group: row.get(1)? });
        }
    }
    Ok(oldest)
}

/// The oldest event that consumers of a group hold and that the log still has. A revived one is a copy, which the log need
/// not keep.
fn first_held(connection: &Connection, group: i64, trimmed: EventOffset) -> Outcome<Option<EventOffset>> {
    let sql = "SELECT ms, seq FROM event_holds WHERE owner = ?1 AND (ms, seq) > (?2, ?3) AND NOT revived \
               ORDER BY ms, seq LIMIT 1";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row((group, trimmed.ms, trimmed.seq), |row| log::offset(row, 0)).optional()?)
}

/// How many events, up to one of them, some group of a log has not acknowledged.
pub(super) fn count(connection: &Connection, log: &Log, up_to: EventOffset) -> Outcome<u64> {
    let mut statement = connection.prepare_cached(include_str!("unread_count.sql"))?;
    Ok(statement.query_row((log.id, up_to.ms, up_to.seq), |row| row.get(0))?)
}
