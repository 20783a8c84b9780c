//! Letting requests in, and what they hold.

use super::records::{self, Found};
use crate::errors::Outcome;
use mainstay_core::api::Timestamp;
use mainstay_core::api::providers::LeaseId;
use mainstay_core::providers::keys::{
    Admission, Admit, Full, KeyRecord, Limit, MINUTE_MS, Refusal, Reservation, Reserve, Settle, Standing,
};
use rusqlite::{Connection, OptionalExtension};

/// A key with what is in flight at a moment.
pub(super) fn told(connection: &Connection, found: Found, now: Timestamp) -> Outcome<KeyRecord> {
    let mut record = found.record;
    record.tally.in_flight = u32::try_from(in_flight(connection, found.key, now)?).unwrap_or(u32::MAX);
    Ok(record)
}

/// See [`mainstay_core::providers::keys::KeyStore::admit`].
pub(super) fn admit(connection: &Connection, admit: &Admit) -> Outcome<Admission> {
    let Some(found) = records::by_digest(connection, &admit.digest)? else { return Ok(Admission::Unknown) };
    let key = found.key;
    let minute_ago = admit.now.as_millis() - MINUTE_MS;
    let sql = "SELECT 1 FROM gateway_requests WHERE key = ?1 AND request = ?2 AND (open = 1 OR admitted_ms > ?3)";
    if connection.prepare_cached(sql)?.exists((key, admit.request.as_str(), minute_ago))? {
        return Ok(Admission::Admitted(Box::new(told(connection, found, admit.now)?)));
    }
    let (requests, tokens) = minute(connection, key, minute_ago)?;
    let standing = Standing { requests, tokens, in_flight: in_flight(connection, key, admit.now)? };
    let mut record = found.record;
    match record.charge(standing, admit) {
        Ok(reservation) => {
            records::write_tally(connection, key, &record.tally)?;
            reserve(connection, key, &admit.request, &reservation)?;
            Ok(Admission::Admitted(Box::new(record)))
        }
        Err(Full::Said(refusal)) => Ok(Admission::Refused(refusal)),
        Err(Full::Minute(limit)) => {
            let retry_at = room_at(connection, (key, &record), limit, admit)?;
            Ok(Admission::Refused(Refusal::Limited { limit, retry_at }))
        }
    }
}

fn minute(connection: &Connection, key: i64, minute_ago: i64) -> Outcome<(u64, u64)> {
    let sql = "SELECT count(*), coalesce(sum(tokens), 0) FROM gateway_requests WHERE key = ?1 AND admitted_ms > ?2";
    Ok(connection.prepare_cached(sql)?.query_row((key, minute_ago), |row| Ok((row.get(0)?, row.get(1)?)))?)
}

fn in_flight(connection: &Connection, key: i64, now: Timestamp) -> Outcome<u64> {
    let sql = "SELECT count(*) FROM gateway_requests WHERE key = ?1 AND open = 1 AND until_ms > ?2";
    Ok(connection.prepare_cached(sql)?.query_row((key, now.as_millis()), |row| row.get(0))?)
}

/// When enough of the minute is over.
fn room_at(
    connection: &Connection,
    (key, record): (i64, &KeyRecord),
    limit: Limit,
    admit: &Admit,
) -> Outcome<Timestamp> {
    let minute_ago = admit.now.as_millis() - MINUTE_MS;
    let (mut left, mut tokens) = minute(connection, key, minute_ago)?;
    let most = record.limits.tokens_per_minute.unwrap_or(u64::MAX);
    let sql =
        "SELECT admitted_ms, tokens FROM gateway_requests WHERE key = ?1 AND admitted_ms > ?2 ORDER BY admitted_ms";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((key, minute_ago))?;
    while let Some(row) = rows.next()? {
        left -= 1;
        tokens = tokens.saturating_sub(row.get(1)?);
        let fits = match limit {
            Limit::RequestsPerMinute => left < u64::from(record.limits.requests_per_minute.unwrap_or(u32::MAX)),
            _ => tokens.saturating_add(admit.reserve.tokens.min(most)) <= most,
        };
        if fits {
            return Ok(Timestamp::from_millis(row.get::<_, i64>(0)? + MINUTE_MS));
        }
    }
    Ok(Timestamp::from_millis(admit.now.as_millis() + MINUTE_MS))
}

fn reserve(connection: &Connection, key: i64, request: &LeaseId, reservation: &Reservation) -> Outcome<()> {
    let sql = "INSERT OR REPLACE INTO gateway_requests
        (key, request, admitted_ms, until_ms, open, tokens, cost, day, bonus, spent_from_ms)
        VALUES (?1, ?2, ?3, ?4, 1, ?5, ?6, ?7, ?8, ?9)";
    connection.prepare_cached(sql)?.execute((
        key,
        request.as_str(),
        reservation.admitted_at.as_millis(),
        reservation.until.as_millis(),
        reservation.reserve.tokens,
        reservation.reserve.cost,
        reservation.day,
        reservation.bonus,
        reservation.spent_from.as_millis(),
    ))?;
    Ok(())
}

/// What is reserved for a request that is open.
fn reservation(connection: &Connection, key: i64, request: &LeaseId) -> Outcome<Option<Reservation>> {
    let sql = "SELECT tokens, cost, admitted_ms, until_ms, day, bonus, spent_from_ms FROM gateway_requests
        WHERE key = ?1 AND request = ?2 AND open = 1";
    let read = |row: &rusqlite::Row<'_>| {
        Ok(Reservation {
            reserve: Reserve { tokens: row.get(0)?, cost: row.get(1)? },
            admitted_at: Timestamp::from_millis(row.get(2)?),
            until: Timestamp::from_millis(row.get(3)?),
            day: row.get(4)?,
            bonus: row.get(5)?,
            spent_from: Timestamp::from_millis(row.get(6)?),
        })
    };
    Ok(connection.prepare_cached(sql)?.query_row((key, request.as_str()), read).optional()?)
}

/// See [`mainstay_core::providers::keys::KeyStore::withdraw`].
pub(super) fn withdraw(connection: &Connection, digest: &str, request: &LeaseId) -> Outcome<bool> {
    let Some(mut found) = records::by_digest(connection, digest)? else { return Ok(false) };
    let Some(reservation) = reservation(connection, found.key, request)? else { return Ok(false) };
    found.record.tally.withdraw(&reservation);
    records::write_tally(connection, found.key, &found.record.tally)?;
    let sql = "DELETE FROM gateway_requests WHERE key = ?1 AND request = ?2";
    connection.prepare_cached(sql)?.execute((found.key, request.as_str()))?;
    Ok(true)
}

/// Replaces what is reserved for a request by what it used, where something is.
pub(super) fn release(connection: &Connection, digest: &str, settle: &Settle) -> Outcome<()> {
    let Some(mut found) = records::by_digest(connection, digest)? else { return Ok(()) };
    let Some(reservation) = reservation(connection, found.key, &settle.request)? else { return Ok(()) };
    found.record.tally.settle(&reservation, &settle.spent);
    records::write_tally(connection, found.key, &found.record.tally)?;
    let sql = "UPDATE gateway_requests SET open = 0, tokens = ?3 WHERE key = ?1 AND request = ?2";
    connection.prepare_cached(sql)?.execute((found.key, settle.request.as_str(), settle.spent.tokens()))?;
    Ok(())
}
