//! API keys.

use crate::errors::Outcome;
use bytes::Bytes;
use mainstay_core::Error;
use mainstay_core::api::{KeyId, Timestamp};
use mainstay_core::identity::{InsertKey, Inserted, KeyRow};
use rusqlite::{Connection, Row};

/// See [`mainstay_core::identity::IdentityStore::insert_key`].
pub(super) fn insert(connection: &Connection, insert: &InsertKey) -> Outcome<Inserted> {
    let sql = "SELECT count(*) FROM api_keys WHERE id = ?1";
    let taken: u64 = connection.prepare_cached(sql)?.query_row([insert.id.as_str()], |row| row.get(0))?;
    if taken > 0 {
        return Ok(Inserted::Taken);
    }
    let sql = "SELECT count(*) FROM api_keys WHERE expires_ms IS NULL OR expires_ms > ?1";
    let count: u64 = connection.prepare_cached(sql)?.query_row([insert.now.as_millis()], |row| row.get(0))?;
    if count >= u64::from(insert.max_keys) {
        return Ok(Inserted::Full);
    }
    let sql = "INSERT INTO api_keys (id, secret, expires_ms, document) VALUES (?1, ?2, ?3, ?4)";
    let expires_ms = insert.expires_at.map(Timestamp::as_millis);
    connection.prepare_cached(sql)?.execute((insert.id.as_str(), &insert.secret, expires_ms, &insert.document[..]))?;
    Ok(Inserted::Inserted)
}

/// A key that has not ended.
pub(super) fn find(connection: &Connection, id: &KeyId, now: Timestamp) -> Outcome<Option<KeyRow>> {
    let sql = "SELECT id, secret, used_ms, document FROM api_keys
               WHERE id = ?1 AND (expires_ms IS NULL OR expires_ms > ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((id.as_str(), now.as_millis()))?;
    rows.next()?.map(key).transpose()
}

/// Records a use of a key whose secret was right, and returns it.
pub(super) fn record_use(connection: &Connection, id: &KeyId, secret: &str, now: Timestamp) -> Outcome<Option<KeyRow>> {
    let sql = "UPDATE api_keys SET used_ms = max(coalesce(used_ms, 0), ?3) WHERE id = ?1 AND secret = ?2";
    connection.prepare_cached(sql)?.execute((id.as_str(), secret, now.as_millis()))?;
    find(connection, id, now)
}

/// See [`mainstay_core::identity::IdentityStore::keys`].
pub(super) fn list(connection: &Connection, now: Timestamp) -> Outcome<Vec<KeyRow>> {
    let sql = "SELECT id, secret, used_ms, document FROM api_keys WHERE expires_ms IS NULL OR expires_ms > ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([now.as_millis()])?;
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        keys.push(key(row)?);
    }
    Ok(keys)
}

/// See [`mainstay_core::identity::IdentityStore::remove_key`].
pub(super) fn remove(connection: &Connection, id: &KeyId) -> Outcome<bool> {
    Ok(connection.prepare_cached("DELETE FROM api_keys WHERE id = ?1")?.execute([id.as_str()])? > 0)
}

fn key(row: &Row<'_>) -> Outcome<KeyRow> {
    let id = KeyId::parse(row.get::<_, String>(0)?);
    Ok(KeyRow {
        id: id.map_err(|broken| Error::inconsistent(format!("a stored {broken}")))?,
        secret: row.get(1)?,
        used_at: row.get::<_, Option<i64>>(2)?.map(Timestamp::from_millis),
        document: Bytes::from(row.get::<_, Vec<u8>>(3)?),
    })
}
