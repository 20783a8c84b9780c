//! Bytes on their way.

use super::holding::find;
use crate::errors::Outcome;
use crate::wakeups::Wakes;
use bytes::Bytes;
use mainstay_core::Topic;
use mainstay_core::events::{Direction, Receive, Relay, RelayOutcome, Relayed};
use rusqlite::{Connection, OptionalExtension};

/// See [`mainstay_core::events::ConnectionStore::send`].
pub(super) fn send(connection: &Connection, relay: &Relay, wakes: &mut Wakes) -> Outcome<RelayOutcome> {
    if find(connection, &relay.token, relay.now)?.is_none() {
        return Ok(RelayOutcome::Unknown);
    }
    let direction = column(relay.direction);
    let sql = "SELECT last, waiting, waiting_bytes FROM connection_ways WHERE token = ?1 AND direction = ?2";
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let way = connection.prepare_cached(sql)?.query_row((&relay.token, direction), read).optional()?;
    let (last, waiting, waiting_bytes): (u64, u64, usize) = way.unwrap_or_default();
    if waiting > 0 && waiting_bytes + relay.bytes.len() > relay.max_bytes {
        return Ok(RelayOutcome::Full);
    }
    let sql = "INSERT INTO connection_bytes (token, direction, number, bytes) VALUES (?1, ?2, ?3, ?4)";
    connection.prepare_cached(sql)?.execute((&relay.token, direction, last + 1, relay.bytes.as_ref()))?;
    let way = Way { last: last + 1, waiting: waiting + 1, waiting_bytes: waiting_bytes + relay.bytes.len() };
    put_way(connection, (&relay.token, direction), &way)?;
    wakes.topic(Topic::Connection(relay.token.clone()));
    Ok(RelayOutcome::Waiting(last + 1))
}

/// See [`mainstay_core::events::ConnectionStore::receive`].
pub(super) fn receive(connection: &Connection, receive: &Receive) -> Outcome<Option<Vec<Relayed>>> {
    if find(connection, &receive.token, receive.now)?.is_none() {
        return Ok(None);
    }
    let key = (&receive.token, column(receive.direction));
    let after = i64::try_from(receive.after).unwrap_or(i64::MAX);
    let sql = "DELETE FROM connection_bytes WHERE token = ?1 AND direction = ?2 AND number <= ?3";
    if connection.prepare_cached(sql)?.execute((key.0, key.1, after))? > 0 {
        let sql = include_str!("ways_count.sql");
        connection.prepare_cached(sql)?.execute(key)?;
    }
    waiting(connection, receive)
}

/// What waits behind a number, where there is such a connection.
pub(super) fn waiting(connection: &Connection, receive: &Receive) -> Outcome<Option<Vec<Relayed>>> {
    if find(connection, &receive.token, receive.now)?.is_none() {
        return Ok(None);
    }
    let sql = "SELECT number, bytes FROM connection_bytes WHERE token = ?1 AND direction = ?2 ORDER BY number";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((&receive.token, column(receive.direction)))?;
    let (mut relayed, mut total) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let bytes = Bytes::from(row.get::<_, Vec<u8>>(1)?);
        total += bytes.len();
        if total > receive.max_bytes && !relayed.is_empty() {
            break;
        }
        relayed.push(Relayed { number: row.get(0)?, bytes });
    }
    Ok(Some(relayed))
}

/// What is known of a direction.
struct Way {
    last: u64,
    waiting: u64,
    waiting_bytes: usize,
}

fn put_way(connection: &Connection, (token, direction): (&str, i64), way: &Way) -> Outcome<()> {
    let sql = "INSERT OR REPLACE INTO connection_ways (token, direction, last, waiting, waiting_bytes)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(sql)?.execute((token, direction, way.last, way.waiting, way.waiting_bytes))?;
    Ok(())
}

fn column(direction: Direction) -> i64 {
    match direction {
        Direction::In => 0,
        Direction::Out => 1,
    }
}
