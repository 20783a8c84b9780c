//! How groups stand.

use super::hold::{self, GIVEN_BACK_MS};
use crate::errors::Outcome;
use crate::events::log::{self, Log};
use mainstay_core::api::Timestamp;
use mainstay_core::api::events::{ConsumerName, EventOffset, GroupName};
use mainstay_core::events::{CONSUMER_FORGOTTEN_AFTER, GroupState, LogName};
use mainstay_core::{Error, api::InvalidText};
use rusqlite::{Connection, Row};
use std::time::Duration;

/// Events that are counted at most to say how many nobody has taken yet.
const MAX_COUNTED: u64 = 10_000;

/// See [`mainstay_core::events::GroupStore::groups`].
pub(super) fn list(connection: &Connection, name: &LogName, now: Timestamp) -> Outcome<Vec<GroupState>> {
    let Some(log) = log::find(connection, name)? else { return Ok(Vec::new()) };
    let sql = "SELECT id, name, delivered_ms, delivered_seq, lost, dead FROM event_groups WHERE log = ?1 ORDER BY name";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([log.id])?;
    let mut states = Vec::new();
    while let Some(row) = rows.next()? {
        states.push(state(connection, &log, row, now)?);
    }
    Ok(states)
}

fn state(connection: &Connection, log: &Log, row: &Row<'_>, now: Timestamp) -> Outcome<GroupState> {
    let id: i64 = row.get(0)?;
    let delivered = log::offset(row, 2)?;
    let lag = lag(connection, log, delivered)?;
    let sql = "SELECT count(*), min(since_ms) FILTER (WHERE consumer IS NOT NULL AND since_ms > ?2) \
               FROM event_holds WHERE owner = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let (pending, since_ms): (u64, Option<i64>) =
        statement.query_row((id, GIVEN_BACK_MS), |row| Ok((row.get(0)?, row.get(1)?)))?;
    let idle_ms = since_ms.map(|since_ms| u64::try_from(now.as_millis() - since_ms).unwrap_or(0));
    Ok(GroupState {
        group: GroupName::parse(row.get::<_, String>(1)?).map_err(broken)?,
        delivered,
        lag: lag.min(MAX_COUNTED),
        lag_at_least: lag > MAX_COUNTED,
        pending,
        oldest_idle: idle_ms.map(Duration::from_millis),
        consumers: consumers(connection, id, now)?,
        dead: row.get(5)?,
        lost: row.get(4)?,
    })
}

/// How many events stand behind a place; one more than [`MAX_COUNTED`] where they are more.
fn lag(connection: &Connection, log: &Log, delivered: EventOffset) -> Outcome<u64> {
    if delivered <= log.trimmed {
        return Ok(log.length.min(MAX_COUNTED + 1));
    }
    let sql = "SELECT count(*) FROM \
               (SELECT 1 FROM events WHERE log = ?1 AND (ms, seq) > (?2, ?3) ORDER BY ms, seq LIMIT ?4)";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_row((log.id, delivered.ms, delivered.seq, MAX_COUNTED + 1), |row| row.get(0))?)
}

fn consumers(connection: &Connection, group: i64, now: Timestamp) -> Outcome<Vec<(ConsumerName, u64)>> {
    let mut statement = connection.prepare_cached(include_str!("state_consumers.sql"))?;
    let since_ms = hold::before_ms(now, CONSUMER_FORGOTTEN_AFTER);
    let mut rows = statement.query((group, since_ms))?;
    let mut consumers = Vec::new();
    while let Some(row) = rows.next()? {
        consumers.push((ConsumerName::parse(row.get::<_, String>(0)?).map_err(broken)?, row.get(1)?));
    }
    Ok(consumers)
}

fn broken(rule: InvalidText) -> Error {
    Error::inconsistent(format!("a stored {rule}"))
}
