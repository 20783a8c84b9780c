//! Credentials as rows.

use crate::errors::Outcome;
use crate::names;
use crate::providers::topic;
use crate::wakeups::Wakes;
use mainstay_core::Error;
use mainstay_core::api::Timestamp;
use mainstay_core::api::providers::{PoolType, ProviderId};
use mainstay_core::clock::next_revision;
use mainstay_core::providers::PoolName;
use mainstay_core::providers::credentials::{CredentialOutcome, CredentialRecord, PutCredential, RefreshStanding};
use rusqlite::{Connection, OptionalExtension, Row, named_params};

/// See [`mainstay_core::providers::credentials::CredentialStore::credential`].
pub(super) fn find(
    connection: &Connection,
    pool: &PoolName,
    provider: &ProviderId,
) -> Outcome<Option<CredentialRecord>> {
    let key = (pool.namespace.as_str(), pool.pool.as_str(), provider.as_str());
    Ok(connection.prepare_cached(include_str!("find.sql"))?.query_row(key, record).optional()?)
}

/// See [`mainstay_core::providers::credentials::CredentialStore::put_credential`].
pub(super) fn put(connection: &Connection, put: &PutCredential, wakes: &mut Wakes) -> Outcome<CredentialOutcome> {
    let known = find(connection, &put.pool, &put.provider)?;
    if let Some(known) = known.as_ref().filter(|known| known.sealed == put.sealed && known.updated_at == put.now) {
        return Ok(CredentialOutcome::Stored(known.version));
    }
    let current = known.as_ref().map_or(0, |known| known.version);
    if put.expected.is_some_and(|expected| expected != current) {
        let found = known.map(Box::new);
        return Ok(found.map_or(CredentialOutcome::NotFound, CredentialOutcome::Conflict));
    }
    let version = next_version(connection, put.now)?;
    connection.prepare_cached(include_str!("put.sql"))?.execute(named_params! {
        ":namespace": names::intern_namespace(connection, &put.pool.namespace)?,
        ":pool": put.pool.pool.as_str(),
        ":provider": put.provider.as_str(),
        ":version": version,
        ":sealed": put.sealed,
        ":seal_key": put.seal_key,
        ":expires_ms": put.expires_at.map(Timestamp::as_millis),
        ":refresh_ms": put.refresh_at.map(Timestamp::as_millis),
        ":now_ms": put.now.as_millis(),
        ":fence": known.map_or(0, |known| known.refresh.fence),
    })?;
    let sql = "UPDATE providers SET needs_refresh = 0 WHERE id = ?3 AND pool = (SELECT pools.id FROM pools \
               JOIN namespaces ON namespaces.id = pools.namespace WHERE namespaces.name = ?1 AND pool = ?2)";
    let key = (put.pool.namespace.as_str(), put.pool.pool.as_str(), put.provider.as_str());
    connection.prepare_cached(sql)?.execute(key)?;
    wakes.topic(topic(&put.pool));
    Ok(CredentialOutcome::Stored(version))
}

/// See [`mainstay_core::providers::credentials::CredentialStore::remove_credential`].
pub(super) fn remove(
    connection: &Connection,
    pool: &PoolName,
    provider: &ProviderId,
    wakes: &mut Wakes,
) -> Outcome<bool> {
    let Some(namespace) = names::namespace(connection, &pool.namespace)? else { return Ok(false) };
    let sql = "DELETE FROM credentials WHERE namespace = ?1 AND pool = ?2 AND provider = ?3";
    let key = (namespace, pool.pool.as_str(), provider.as_str());
    let removed = connection.prepare_cached(sql)?.execute(key)? > 0;
    if removed {
        wakes.topic(topic(pool));
    }
    Ok(removed)
}

fn next_version(connection: &Connection, now: Timestamp) -> Outcome<u64> {
    let last = connection.prepare_cached("SELECT last FROM credential_versions")?.query_row([], |row| row.get(0))?;
    let version = next_revision(last, now);
    connection.prepare_cached("UPDATE credential_versions SET last = ?1")?.execute([version])?;
    Ok(version)
}

fn record(row: &Row<'_>) -> rusqlite::Result<CredentialRecord> {
    let time = |at: usize| Ok::<_, rusqlite::Error>(row.get::<_, Option<i64>>(at)?.map(Timestamp::from_millis));
    Ok(CredentialRecord {
        version: row.get(0)?,
        sealed: row.get(1)?,
        seal_key: row.get(2)?,
        expires_at: time(3)?,
        refresh_at: time(4)?,
        updated_at: Timestamp::from_millis(row.get(5)?),
        refresh: RefreshStanding {
            fence: row.get(6)?,
            held_until: time(7)?,
            holder: row.get(8)?,
            in_doubt: row.get(9)?,
            failures: row.get(10)?,
            not_before: time(11)?,
            dead: row.get(12)?,
        },
    })
}

/// Whose a credential is, from three columns.
pub(super) fn whose(row: &Row<'_>) -> Outcome<(PoolName, ProviderId)> {
    let broken = |error: mainstay_core::api::InvalidText| Error::inconsistent(format!("a stored {error}"));
    let namespace = names::parse_namespace(row.get(0)?)?;
    let pool = PoolType::parse(row.get::<_, String>(1)?).map_err(broken)?;
    let provider = ProviderId::parse(row.get::<_, String>(2)?).map_err(broken)?;
    Ok((PoolName { namespace, pool }, provider))
}
