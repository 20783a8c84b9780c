//! Events in the hands of consumers.

use super::group::{self, Group};
use crate::errors::Outcome;
use crate::events::{log, read};
use mainstay_core::Error;
use mainstay_core::api::Timestamp;
use mainstay_core::api::events::{ConsumerName, EventOffset};
use mainstay_core::events::{GroupKey, Release, StoredEvent};
use rusqlite::{Connection, OptionalExtension, Row};

/// Since when an event counts as left alone that was given back at once: longer than anybody asks.
pub(super) const GIVEN_BACK_MS: i64 = 0;

/// An event that was delivered and not acknowledged.
pub(super) struct Hold {
    pub offset: EventOffset,
    /// Nobody where it was revived and not taken since.
    pub consumer: Option<String>,
    pub deliveries: u32,
    pub since_ms: i64,
    /// Whether it is a copy, and not an event of the log.
    pub revived: bool,
}

/// The columns of a hold, in the order of its fields.
pub(super) const COLUMNS: &str = "ms, seq, consumer, deliveries, since_ms, revived";

impl Hold {
    pub fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            offset: log::offset(row, 0)?,
            consumer: row.get(2)?,
            deliveries: row.get(3)?,
            since_ms: row.get(4)?,
            revived: row.get(5)?,
        })
    }

    /// Whether it has left the log.
    pub fn is_trimmed(&self, group: &Group) -> bool {
        !self.revived && self.offset <= group.trimmed
    }
}

/// Which events a consumer still works on.
pub(super) struct Keep {
    pub key: GroupKey,
    pub consumer: ConsumerName,
    pub offsets: Vec<EventOffset>,
    pub now: Timestamp,
}

/// See [`mainstay_core::events::GroupStore::keep`].
pub(super) fn keep(connection: &Connection, keep: &Keep) -> Outcome<Vec<EventOffset>> {
    let Some(group) = group::find(connection, &keep.key)? else { return Ok(Vec::new()) };
    let mut kept = Vec::new();
    for offset in &keep.offsets {
        if let Some(hold) = held_by(connection, &group, &keep.consumer, *offset)? {
            put(connection, &group, &Hold { since_ms: keep.now.as_millis(), ..hold })?;
            kept.push(*offset);
        }
    }
    Ok(kept)
}

/// See [`mainstay_core::events::GroupStore::acknowledge`].
pub(super) fn acknowledge(connection: &Connection, key: &GroupKey, offsets: &[EventOffset]) -> Outcome<u64> {
    let Some(group) = group::find(connection, key)? else { return Ok(0) };
    let mut count = 0;
    for offset in offsets {
        count += u64::from(remove(connection, &group, *offset)?);
        let sql = "DELETE FROM event_copies WHERE owner = ?1 AND ms = ?2 AND seq = ?3 AND died_ms IS NULL";
        connection.prepare_cached(sql)?.execute((group.id, offset.ms, offset.seq))?;
    }
    Ok(count)
}

/// See [`mainstay_core::events::GroupStore::release`].
pub(super) fn release(connection: &Connection, release: &Release) -> Outcome<bool> {
    let Some(group) = group::find(connection, &release.group)? else { return Ok(false) };
    let Some(hold) = held_by(connection, &group, &release.consumer, release.offset)? else { return Ok(false) };
    let alone_for = release.min_idle.saturating_sub(release.delay);
    let since_ms = if release.delay.is_zero() { GIVEN_BACK_MS } else { before_ms(release.now, alone_for) };
    put(connection, &group, &Hold { since_ms, ..hold })?;
    Ok(true)
}

/// The moment so long before another.
pub(super) fn before_ms(now: Timestamp, by: std::time::Duration) -> i64 {
    now.as_millis().saturating_sub(i64::try_from(by.as_millis()).unwrap_or(i64::MAX))
}

/// An event in the hands of this consumer. One that has been trimmed is lost.
pub(super) fn held_by(
    connection: &Connection,
    group: &Group,
    consumer: &ConsumerName,
    offset: EventOffset,
) -> Outcome<Option<Hold>> {
    let sql = format!("SELECT {COLUMNS} FROM event_holds WHERE owner = ?1 AND ms = ?2 AND seq = ?3");
    let mut statement = connection.prepare_cached(&sql)?;
    let hold = statement.query_row((group.id, offset.ms, offset.seq), Hold::of).optional()?;
    let Some(hold) = hold.filter(|hold| hold.consumer.as_deref() == Some(consumer.as_str())) else { return Ok(None) };
    if hold.is_trimmed(group) {
        lose(connection, group, &hold)?;
        return Ok(None);
    }
    Ok(Some(hold))
}

/// The event that somebody holds.
pub(super) fn event(connection: &Connection, group: &Group, hold: &Hold) -> Outcome<StoredEvent> {
    let (table, owner, of) =
        if hold.revived { ("event_copies", "owner", group.id) } else { ("events", "log", group.log) };
    let sql = format!(
        "SELECT ms, seq, event_id, type, room, timestamp_ms, payload, metadata FROM {table} \
         WHERE {owner} = ?1 AND ms = ?2 AND seq = ?3"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let mut rows = statement.query((of, hold.offset.ms, hold.offset.seq))?;
    match rows.next()? {
        Some(row) => read::event(row),
        None => Err(Error::inconsistent(format!("{} is held and not there", hold.offset)).into()),
    }
}

/// Puts an event into somebody's hands.
pub(super) fn put(connection: &Connection, group: &Group, hold: &Hold) -> Outcome<()> {
    let sql = "INSERT OR REPLACE INTO event_holds (owner, ms, seq, consumer, deliveries, since_ms, revived) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let Hold { offset, consumer, deliveries, since_ms, revived } = hold;
    let row = (group.id, offset.ms, offset.seq, consumer, deliveries, since_ms, revived);
    connection.prepare_cached(sql)?.execute(row)?;
    Ok(())
}

/// Takes an event out of whoever's hands; whether anybody had it.
pub(super) fn remove(connection: &Connection, group: &Group, offset: EventOffset) -> Outcome<bool> {
    let sql = "DELETE FROM event_holds WHERE owner = ?1 AND ms = ?2 AND seq = ?3";
    Ok(connection.prepare_cached(sql)?.execute((group.id, offset.ms, offset.seq))? > 0)
}

/// Takes out of whoever's hands what has been trimmed.
pub(super) fn lose(connection: &Connection, group: &Group, hold: &Hold) -> Outcome<()> {
    remove(connection, group, hold.offset)?;
    group::count_lost(connection, group)
}
