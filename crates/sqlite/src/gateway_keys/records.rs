//! Keys as records.

use crate::errors::Outcome;
use crate::names;
use mainstay_core::Error;
use mainstay_core::api::providers::GatewayKeyId;
use mainstay_core::api::{Namespace, RawJson, Timestamp};
use mainstay_core::providers::keys::{ChangeKey, CreateKey, KeyLimits, KeyOutcome, KeyRecord, Period, Tally};
use rusqlite::{Connection, OptionalExtension, Row, named_params};

/// What every query of a key selects, in the order in which [`read`] takes it.
macro_rules! select {
    ($rest:literal) => {
        concat!(
            "SELECT k.key, n.name, k.id, k.digest, k.version, k.body, k.seal_key, k.requests_per_minute,
             k.tokens_per_minute, k.requests_per_day, k.bonus_requests, k.max_in_flight, k.budget, k.period,
             k.disabled, k.expires_ms, k.created_ms, k.requests, k.requests_today, k.day, k.bonus_used,
             k.tokens, k.spent, k.spent_from_ms, k.used_ms
             FROM gateway_keys k JOIN namespaces n ON n.id = k.namespace ",
            $rest
        )
    };
}

/// A key and the number of its row.
pub(super) struct Found {
    pub key: i64,
    pub record: KeyRecord,
}

/// See [`mainstay_core::providers::keys::KeyStore::create_key`].
pub(super) fn create(connection: &Connection, create: &CreateKey) -> Outcome<KeyOutcome> {
    let record = &create.record;
    if let Some(found) = by_digest(connection, &record.digest)? {
        let known = found.record;
        let same =
            known.id == record.id && known.namespace == record.namespace && known.created_at == record.created_at;
        return Ok(if same { KeyOutcome::Stored(known.version) } else { KeyOutcome::Exists });
    }
    if by_id(connection, &record.namespace, &record.id)?.is_some() {
        return Ok(KeyOutcome::Exists);
    }
    let namespace = names::intern_namespace(connection, &record.namespace)?;
    let sql = "SELECT count(*) FROM gateway_keys WHERE namespace = ?1";
    let count: u64 = connection.prepare_cached(sql)?.query_row([namespace], |row| row.get(0))?;
    if count >= u64::from(create.max_keys) {
        return Ok(KeyOutcome::Full);
    }
    let tally = &record.tally;
    connection.prepare_cached(include_str!("create.sql"))?.execute(named_params! {
        ":namespace": namespace,
        ":id": record.id.as_str(),
        ":digest": record.digest,
        ":version": record.version,
        ":created_ms": record.created_at.as_millis(),
        ":requests": tally.requests,
        ":requests_today": tally.requests_today,
        ":day": tally.day,
        ":bonus_used": tally.bonus_used,
        ":tokens": tally.tokens,
        ":spent": tally.spent,
        ":spent_from_ms": tally.spent_from.as_millis(),
        ":used_ms": tally.used_at.map(Timestamp::as_millis),
        ":body": record.body.as_str(),
        ":bonus_requests": record.limits.bonus_requests,
        ":disabled": record.disabled,
    })?;
    write_settings(connection, connection.last_insert_rowid(), record)?;
    Ok(KeyOutcome::Stored(record.version))
}

/// See [`mainstay_core::providers::keys::KeyStore::change_key`].
pub(super) fn change(connection: &Connection, change: &ChangeKey) -> Outcome<KeyOutcome> {
    let wanted = &change.record;
    let found = by_digest(connection, &wanted.digest)?;
    let Some(found) = found.filter(|found| found.record.id == wanted.id) else { return Ok(KeyOutcome::NotFound) };
    if found.record.version != wanted.version {
        return Ok(KeyOutcome::Conflict(found.record.version));
    }
    let version = wanted.version + 1;
    let sql = "UPDATE gateway_keys SET version = ?2 WHERE key = ?1";
    connection.prepare_cached(sql)?.execute((found.key, version))?;
    write_settings(connection, found.key, wanted)?;
    Ok(KeyOutcome::Stored(version))
}

fn write_settings(connection: &Connection, key: i64, record: &KeyRecord) -> Outcome<()> {
    let limits = &record.limits;
    connection.prepare_cached(include_str!("settings.sql"))?.execute(named_params! {
        ":key": key,
        ":body": record.body.as_str(),
        ":seal_key": record.seal_key,
        ":requests_per_minute": limits.requests_per_minute,
        ":tokens_per_minute": limits.tokens_per_minute,
        ":requests_per_day": limits.requests_per_day,
        ":bonus_requests": limits.bonus_requests,
        ":max_in_flight": limits.in_flight,
        ":budget": limits.budget.map(|(most, _)| most),
        ":period": limits.budget.map(|(_, period)| period.as_str()),
        ":disabled": record.disabled,
        ":expires_ms": record.expires_at.map(Timestamp::as_millis),
    })?;
    Ok(())
}

/// Writes what a key used.
pub(super) fn write_tally(connection: &Connection, key: i64, tally: &Tally) -> Outcome<()> {
    connection.prepare_cached(include_str!("tally.sql"))?.execute(named_params! {
        ":key": key,
        ":requests": tally.requests,
        ":requests_today": tally.requests_today,
        ":day": tally.day,
        ":bonus_used": tally.bonus_used,
        ":tokens": tally.tokens,
        ":spent": tally.spent,
        ":spent_from_ms": tally.spent_from.as_millis(),
        ":used_ms": tally.used_at.map(Timestamp::as_millis),
    })?;
    Ok(())
}

/// See [`mainstay_core::providers::keys::KeyStore::remove_key`].
pub(super) fn remove(connection: &Connection, namespace: &Namespace, id: &GatewayKeyId) -> Outcome<bool> {
    let Some(found) = by_id(connection, namespace, id)? else { return Ok(false) };
    connection.prepare_cached("DELETE FROM gateway_requests WHERE key = ?1")?.execute([found.key])?;
    Ok(connection.prepare_cached("DELETE FROM gateway_keys WHERE key = ?1")?.execute([found.key])? > 0)
}

/// The key of a digest.
pub(super) fn by_digest(connection: &Connection, digest: &str) -> Outcome<Option<Found>> {
    let mut statement = connection.prepare_cached(select!("WHERE k.digest = ?1"))?;
    statement.query_row([digest], |row| Ok(read(row))).optional()?.transpose()
}

/// A key by its id.
pub(super) fn by_id(connection: &Connection, namespace: &Namespace, id: &GatewayKeyId) -> Outcome<Option<Found>> {
    let Some(namespace) = names::namespace(connection, namespace)? else { return Ok(None) };
    let mut statement = connection.prepare_cached(select!("WHERE k.namespace = ?1 AND k.id = ?2"))?;
    statement.query_row((namespace, id.as_str()), |row| Ok(read(row))).optional()?.transpose()
}

/// The keys of a namespace behind one.
pub(super) fn list(
    connection: &Connection,
    namespace: &Namespace,
    after: Option<&GatewayKeyId>,
    limit: u32,
) -> Outcome<Vec<Found>> {
    let Some(namespace) = names::namespace(connection, namespace)? else { return Ok(Vec::new()) };
    let sql = select!("WHERE k.namespace = ?1 AND k.id > ?2 ORDER BY k.id LIMIT ?3");
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((namespace, after.map_or("", GatewayKeyId::as_str), limit))?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(read(row)?);
    }
    Ok(keys)
}

/// See [`mainstay_core::providers::keys::KeyStore::seal_keys`].
pub(super) fn seal_keys(connection: &Connection) -> Outcome<Vec<String>> {
    let sql = "SELECT DISTINCT seal_key FROM gateway_keys WHERE seal_key IS NOT NULL ORDER BY seal_key";
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?)
}

fn read(row: &Row<'_>) -> Outcome<Found> {
    let broken = |what: String| Error::inconsistent(format!("a stored gateway key: {what}"));
    let body = RawJson::parse(&row.get::<_, String>(5)?).map_err(|e| broken(e.to_string()))?;
    let period = row.get::<_, Option<String>>(13)?.as_deref().and_then(Period::find);
    let time = |at: Option<i64>| at.map(Timestamp::from_millis);
    let limits = KeyLimits {
        requests_per_minute: row.get(7)?,
        tokens_per_minute: row.get(8)?,
        requests_per_day: row.get(9)?,
        bonus_requests: row.get(10)?,
        in_flight: row.get(11)?,
        budget: row.get::<_, Option<u64>>(12)?.zip(period),
    };
    let tally = Tally {
        requests: row.get(17)?,
        requests_today: row.get(18)?,
        day: row.get(19)?,
        bonus_used: row.get(20)?,
        tokens: row.get(21)?,
        spent: row.get(22)?,
        spent_from: Timestamp::from_millis(row.get(23)?),
        in_flight: 0,
        used_at: time(row.get(24)?),
    };
    let record = KeyRecord {
        id: GatewayKeyId::parse(row.get::<_, String>(2)?).map_err(|e| broken(e.to_string()))?,
        digest: row.get(3)?,
        namespace: names::parse_namespace(row.get(1)?)?,
        body,
        seal_key: row.get(6)?,
        limits,
        disabled: row.get(14)?,
        expires_at: time(row.get(15)?),
        version: row.get(4)?,
        created_at: Timestamp::from_millis(row.get(16)?),
        tally,
    };
    Ok(Found { key: row.get(0)?, record })
}
