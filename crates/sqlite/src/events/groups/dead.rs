//! Events that a group gave up on.

use super::group::{self, Group};
use super::hold::{self, GIVEN_BACK_MS, Hold};
use crate::errors::Outcome;
use crate::events::read;
use mainstay_core::api::Timestamp;
use mainstay_core::api::events::EventOffset;
use mainstay_core::events::{Bury, DeadEvent, GroupKey, MAX_DEAD, MAX_TAKE_BYTES};
use rusqlite::{Connection, named_params};

/// How an event dies.
pub(super) struct Death<'a> {
    pub reason: &'a str,
    pub at: Timestamp,
}

/// See [`mainstay_core::events::GroupStore::bury`].
pub(super) fn bury(connection: &Connection, bury: &Bury) -> Outcome<bool> {
    let Some(group) = group::find(connection, &bury.group)? else { return Ok(false) };
    let death = Death { reason: &bury.reason, at: bury.now };
    match hold::held_by(connection, &group, &bury.consumer, bury.offset)? {
        Some(hold) => {
            put(connection, &group, &hold, &death)?;
            Ok(true)
        }
        None => has_died_so(connection, &group, bury.offset, &death),
    }
}

/// Whether an event is among the dead by this very death.
fn has_died_so(connection: &Connection, group: &Group, offset: EventOffset, death: &Death<'_>) -> Outcome<bool> {
    let sql = "SELECT 1 FROM event_copies WHERE owner = ?1 AND ms = ?2 AND seq = ?3 AND reason = ?4 AND died_ms = ?5";
    let key = (group.id, offset.ms, offset.seq, death.reason, death.at.as_millis());
    Ok(connection.prepare_cached(sql)?.exists(key)?)
}

/// Puts an event among the dead, out of whoever's hands. The oldest go where there are too many.
pub(super) fn put(connection: &Connection, group: &Group, hold: &Hold, death: &Death<'_>) -> Outcome<()> {
    if !hold.revived {
        connection.prepare_cached(include_str!("dead_copy.sql"))?.execute(named_params! {
            ":owner": group.id, ":log": group.log, ":ms": hold.offset.ms, ":seq": hold.offset.seq,
        })?;
    }
    let sql = "UPDATE event_copies SET deliveries = ?4, reason = ?5, died_ms = ?6 \
               WHERE owner = ?1 AND ms = ?2 AND seq = ?3";
    let row = (group.id, hold.offset.ms, hold.offset.seq, hold.deliveries, death.reason, death.at.as_millis());
    connection.prepare_cached(sql)?.execute(row)?;
    hold::remove(connection, group, hold.offset)?;
    let surplus = count(connection, group, 1)? - i64::from(MAX_DEAD);
    if surplus > 0 {
        let gone = connection.prepare_cached(include_str!("dead_surplus.sql"))?.execute((group.id, surplus))?;
        count(connection, group, -i64::try_from(gone).unwrap_or(0))?;
    }
    Ok(())
}

/// Counts dead events that came or, where negative, went; says how many there are.
fn count(connection: &Connection, group: &Group, change: i64) -> Outcome<i64> {
    let sql = "UPDATE event_groups SET dead = dead + ?2 WHERE id = ?1 RETURNING dead";
    Ok(connection.prepare_cached(sql)?.query_row((group.id, change), |row| row.get(0))?)
}

/// See [`mainstay_core::events::GroupStore::dead`].
pub(super) fn list(connection: &Connection, key: &GroupKey, after: EventOffset, limit: u32) -> Outcome<Vec<DeadEvent>> {
    let Some(group) = group::find(connection, key)? else { return Ok(Vec::new()) };
    let mut statement = connection.prepare_cached(include_str!("dead_list.sql"))?;
    let mut rows = statement.query((group.id, after.ms, after.seq, limit))?;
    let (mut dead, mut bytes) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let event = read::event(row)?;
        bytes += event.event.payload.as_str().len();
        let died_at = Timestamp::from_millis(row.get(10)?);
        dead.push(DeadEvent { event, deliveries: row.get(8)?, reason: row.get(9)?, died_at });
        if bytes >= MAX_TAKE_BYTES {
            break;
        }
    }
    Ok(dead)
}

/// See [`mainstay_core::events::GroupStore::revive`].
pub(super) fn revive(connection: &Connection, key: &GroupKey, offset: EventOffset) -> Outcome<bool> {
    let Some(group) = group::find(connection, key)? else { return Ok(false) };
    let sql = "UPDATE event_copies SET deliveries = NULL, reason = NULL, died_ms = NULL \
               WHERE owner = ?1 AND ms = ?2 AND seq = ?3 AND died_ms IS NOT NULL";
    if connection.prepare_cached(sql)?.execute((group.id, offset.ms, offset.seq))? == 0 {
        return Ok(false);
    }
    count(connection, &group, -1)?;
    let revived = Hold { offset, consumer: None, deliveries: 0, since_ms: GIVEN_BACK_MS, revived: true };
    hold::put(connection, &group, &revived)?;
    Ok(true)
}

/// See [`mainstay_core::events::GroupStore::forget`].
pub(super) fn forget(connection: &Connection, key: &GroupKey, offset: EventOffset) -> Outcome<bool> {
    let Some(group) = group::find(connection, key)? else { return Ok(false) };
    let sql = "DELETE FROM event_copies WHERE owner = ?1 AND ms = ?2 AND seq = ?3 AND died_ms IS NOT NULL";
    let forgotten = connection.prepare_cached(sql)?.execute((group.id, offset.ms, offset.seq))? > 0;
    if forgotten {
        count(connection, &group, -1)?;
    }
    Ok(forgotten)
}
