//! Opening, holding and ending.

use crate::errors::Outcome;
use crate::wakeups::Wakes;
use mainstay_core::Topic;
use mainstay_core::api::Timestamp;
use mainstay_core::events::{Claim, ClaimOutcome, ConnectionRecord};
use rusqlite::{Connection, OptionalExtension, named_params};
use std::time::Duration;

/// A connection to keep.
pub(super) struct Opening {
    pub token: String,
    pub record: ConnectionRecord,
    pub ttl: Duration,
    pub now: Timestamp,
}

/// See [`mainstay_core::events::ConnectionStore::open`].
pub(super) fn open(connection: &Connection, opening: &Opening) -> Outcome<()> {
    if find(connection, &opening.token, opening.now)?.is_some() {
        return Ok(());
    }
    remove(connection, &opening.token)?;
    let record = &opening.record;
    connection.prepare_cached(include_str!("connections_put.sql"))?.execute(named_params! {
        ":token": opening.token,
        ":id": record.id,
        ":principal": record.principal,
        ":details": record.details,
        ":node": record.node,
        ":ends_ms": opening.now.after(opening.ttl).as_millis(),
    })?;
    Ok(())
}

/// See [`mainstay_core::events::ConnectionStore::claim`].
pub(super) fn claim(connection: &Connection, claim: &Claim, wakes: &mut Wakes) -> Outcome<ClaimOutcome> {
    let Some(found) = find(connection, &claim.token, claim.now)? else { return Ok(ClaimOutcome::Unknown) };
    let free = found.node.is_none() || found.node == claim.over;
    let own = found.node.as_ref() == Some(&claim.node);
    if !free && !own {
        return Ok(ClaimOutcome::Elsewhere(found));
    }
    let sql = "UPDATE connections SET node = ?2, ends_ms = ?3 WHERE token = ?1";
    connection.prepare_cached(sql)?.execute((&claim.token, &claim.node, claim.now.after(claim.ttl).as_millis()))?;
    if !own {
        wakes.topic(Topic::Connection(claim.token.clone()));
    }
    Ok(ClaimOutcome::Held(ConnectionRecord { node: Some(claim.node.clone()), ..found }))
}

/// See [`mainstay_core::events::ConnectionStore::find`].
pub(super) fn find(connection: &Connection, token: &str, now: Timestamp) -> Outcome<Option<ConnectionRecord>> {
    let sql = "SELECT id, principal, details, node FROM connections WHERE token = ?1 AND ends_ms > ?2";
    let read = |row: &rusqlite::Row<'_>| {
        Ok(ConnectionRecord { id: row.get(0)?, principal: row.get(1)?, details: row.get(2)?, node: row.get(3)? })
    };
    Ok(connection.prepare_cached(sql)?.query_row((token, now.as_millis()), read).optional()?)
}

/// See [`mainstay_core::events::ConnectionStore::let_go`].
pub(super) fn let_go(connection: &Connection, token: &str, node: &str, now: Timestamp) -> Outcome<bool> {
    let sql = "UPDATE connections SET node = NULL WHERE token = ?1 AND node = ?2 AND ends_ms > ?3";
    Ok(connection.prepare_cached(sql)?.execute((token, node, now.as_millis()))? > 0)
}

/// See [`mainstay_core::events::ConnectionStore::close`].
pub(super) fn close(connection: &Connection, token: &str, now: Timestamp, wakes: &mut Wakes) -> Outcome<bool> {
    let was_there = find(connection, token, now)?.is_some();
    remove(connection, token)?;
    wakes.topic(Topic::Connection(token.to_owned()));
    Ok(was_there)
}

/// See [`mainstay_core::events::ConnectionStore::purge`].
pub(super) fn purge(connection: &Connection, now: Timestamp, limit: u32) -> Outcome<u32> {
    let sql = "SELECT token FROM connections WHERE ends_ms <= ?1 LIMIT ?2";
    let over: Vec<String> = connection
        .prepare_cached(sql)?
        .query_map((now.as_millis(), limit), |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    for token in &over {
        remove(connection, token)?;
    }
    Ok(u32::try_from(over.len()).unwrap_or(u32::MAX))
}

fn remove(connection: &Connection, token: &str) -> Outcome<()> {
    for sql in [
        "DELETE FROM connection_bytes WHERE token = ?1",
        "DELETE FROM connection_ways WHERE token = ?1",
        "DELETE FROM connections WHERE token = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([token])?;
    }
    Ok(())
}
