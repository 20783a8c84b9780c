//! Logs: where each begins and ends.

use crate::errors::Outcome;
use crate::names;
use mainstay_core::Error;
use mainstay_core::api::Epoch;
use mainstay_core::api::events::EventOffset;
use mainstay_core::events::{LogName, LogState};
use rusqlite::{Connection, OptionalExtension, Row};

/// A log, and the number that stands for it.
pub(super) struct Log {
    pub id: i64,
    pub last: EventOffset,
    pub trimmed: EventOffset,
    pub length: u64,
}

/// The log of this name, where there is one.
pub(super) fn find(connection: &Connection, name: &LogName) -> Outcome<Option<Log>> {
    let Some(namespace) = names::namespace(connection, &name.namespace)? else { return Ok(None) };
    let sql = "SELECT id, last_ms, last_seq, trimmed_ms, trimmed_seq, length FROM event_logs \
               WHERE namespace = ?1 AND stream = ?2 AND partition = ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let read = |row: &Row<'_>| {
        Ok(Log { id: row.get(0)?, last: offset(row, 1)?, trimmed: offset(row, 3)?, length: row.get(5)? })
    };
    Ok(statement.query_row((namespace, name.stream.as_str(), name.partition), read).optional()?)
}

/// The log of this name; a new one where there is none.
pub(super) fn find_or_make(connection: &Connection, name: &LogName) -> Outcome<Log> {
    if let Some(log) = find(connection, name)? {
        return Ok(log);
    }
    let namespace = names::intern_namespace(connection, &name.namespace)?;
    let sql = "INSERT INTO event_logs (namespace, stream, partition) VALUES (?1, ?2, ?3)";
    connection.prepare_cached(sql)?.execute((namespace, name.stream.as_str(), name.partition))?;
    Ok(Log { id: connection.last_insert_rowid(), last: EventOffset::ZERO, trimmed: EventOffset::ZERO, length: 0 })
}

/// Writes where a log begins and ends.
pub(super) fn save(connection: &Connection, log: &Log) -> Outcome<()> {
    let sql = "UPDATE event_logs SET last_ms = ?2, last_seq = ?3, trimmed_ms = ?4, trimmed_seq = ?5, length = ?6 \
               WHERE id = ?1";
    let places = (log.last.ms, log.last.seq, log.trimmed.ms, log.trimmed.seq);
    let row = (log.id, places.0, places.1, places.2, places.3, log.length);
    connection.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// See [`mainstay_core::events::EventStore::state`].
pub(super) fn state(connection: &Connection, name: &LogName) -> Outcome<LogState> {
    let epoch = epoch(connection, name)?;
    let Some(log) = find(connection, name)? else {
        return Ok(LogState { epoch, last: EventOffset::ZERO, first: None, length: 0 });
    };
    let sql = "SELECT ms, seq FROM events WHERE log = ?1 ORDER BY ms, seq LIMIT 1";
    let first = connection.prepare_cached(sql)?.query_row([log.id], |row| offset(row, 0)).optional()?;
    Ok(LogState { epoch, last: log.last, first, length: log.length })
}

/// The life of a log: that of the file, and the partition, so that a room that moves to another one is noticed.
pub(super) fn epoch(connection: &Connection, name: &LogName) -> Outcome<Epoch> {
    let mut statement = connection.prepare_cached("SELECT epoch FROM store")?;
    let epoch: String = statement.query_row([], |row| row.get(0))?;
    let parsed = Epoch::parse(format!("{epoch}p{}", name.partition));
    Ok(parsed.map_err(|broken| Error::inconsistent(format!("a stored {broken}")))?)
}

/// The offset in two columns from this one on.
pub(super) fn offset(row: &Row<'_>, column: usize) -> rusqlite::Result<EventOffset> {
    Ok(EventOffset { ms: row.get(column)?, seq: row.get(column + 1)? })
}
