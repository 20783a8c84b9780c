//! Users.

use super::sessions;
use crate::errors::Outcome;
use bytes::Bytes;
use mainstay_core::Error;
use mainstay_core::api::UserId;
use mainstay_core::identity::{EndSessions, InsertUser, Inserted, ReplaceUser, Replaced, Versioned};
use rusqlite::{Connection, OptionalExtension, Row};

/// See [`mainstay_core::identity::IdentityStore::insert_user`].
pub(super) fn insert(connection: &Connection, insert: &InsertUser) -> Outcome<Inserted> {
    let sql = "SELECT count(*) FROM users WHERE id = ?1 OR name_key = ?2";
    let taken: u64 =
        connection.prepare_cached(sql)?.query_row((insert.id.as_str(), &insert.name_key), |row| row.get(0))?;
    if taken > 0 {
        return Ok(Inserted::Taken);
    }
    let count: u64 = connection.prepare_cached("SELECT count(*) FROM users")?.query_row([], |row| row.get(0))?;
    if count >= u64::from(insert.max_users) {
        return Ok(Inserted::Full);
    }
    let sql = "INSERT INTO users (id, name_key, version, document) VALUES (?1, ?2, 1, ?3)";
    connection.prepare_cached(sql)?.execute((insert.id.as_str(), &insert.name_key, &insert.document[..]))?;
    Ok(Inserted::Inserted)
}

/// See [`mainstay_core::identity::IdentityStore::user`].
pub(super) fn find(connection: &Connection, id: &UserId) -> Outcome<Option<Versioned>> {
    let sql = "SELECT version, document FROM users WHERE id = ?1";
    Ok(connection.prepare_cached(sql)?.query_row([id.as_str()], |row| versioned(row, 0)).optional()?)
}

/// See [`mainstay_core::identity::IdentityStore::user_by_name`].
pub(super) fn find_by_name(connection: &Connection, name_key: &str) -> Outcome<Option<(UserId, Versioned)>> {
    let sql = "SELECT id, version, document FROM users WHERE name_key = ?1";
    let read = |row: &Row<'_>| Ok((row.get::<_, String>(0)?, versioned(row, 1)?));
    let found = connection.prepare_cached(sql)?.query_row([name_key], read).optional()?;
    found.map(|(id, row)| Ok((user_id(id)?, row))).transpose()
}

/// See [`mainstay_core::identity::IdentityStore::users`].
pub(super) fn list(connection: &Connection) -> Outcome<Vec<(UserId, Versioned)>> {
    let mut statement = connection.prepare_cached("SELECT id, version, document FROM users ORDER BY name_key")?;
    let mut rows = statement.query([])?;
    let mut users = Vec::new();
    while let Some(row) = rows.next()? {
        users.push((user_id(row.get(0)?)?, versioned(row, 1)?));
    }
    Ok(users)
}

/// See [`mainstay_core::identity::IdentityStore::replace_user`].
pub(super) fn replace(connection: &Connection, replace: &ReplaceUser) -> Outcome<Replaced> {
    let sql = "SELECT version FROM users WHERE id = ?1";
    let version: Option<u64> =
        connection.prepare_cached(sql)?.query_row([replace.id.as_str()], |row| row.get(0)).optional()?;
    let Some(version) = version else { return Ok(Replaced::NotFound) };
    if version != replace.expected {
        return Ok(Replaced::Conflict);
    }
    match &replace.sessions {
        EndSessions::None => {}
        EndSessions::All => drop(sessions::end_all(connection, &replace.id, None)?),
        EndSessions::Rotate { session, token } => {
            let sql = "UPDATE sessions SET token = ?3 WHERE user = ?1 AND id = ?2";
            let rotated =
                connection.prepare_cached(sql)?.execute((replace.id.as_str(), session.as_str(), token.as_str()))?;
            if rotated == 0 {
                return Ok(Replaced::NotFound);
            }
            sessions::end_all(connection, &replace.id, Some(session))?;
        }
    }
    let sql = "UPDATE users SET version = ?2, seal_key = ?3, document = ?4 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute((
        replace.id.as_str(),
        version + 1,
        &replace.seal_key,
        &replace.document[..],
    ))?;
    Ok(Replaced::Replaced(version + 1))
}

/// See [`mainstay_core::identity::IdentityStore::remove_user`].
pub(super) fn remove(connection: &Connection, id: &UserId) -> Outcome<bool> {
    sessions::end_all(connection, id, None)?;
    Ok(connection.prepare_cached("DELETE FROM users WHERE id = ?1")?.execute([id.as_str()])? > 0)
}

/// See [`mainstay_core::identity::IdentityStore::seal_keys`].
pub(super) fn seal_keys(connection: &Connection) -> Outcome<Vec<String>> {
    let sql = "SELECT DISTINCT seal_key FROM users WHERE seal_key IS NOT NULL ORDER BY seal_key";
    let mut statement = connection.prepare_cached(sql)?;
    let keys = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(keys)
}

/// A version and a document, from two columns.
pub(super) fn versioned(row: &Row<'_>, at: usize) -> rusqlite::Result<Versioned> {
    Ok(Versioned { version: row.get(at)?, document: Bytes::from(row.get::<_, Vec<u8>>(at + 1)?) })
}

/// A stored id of a user.
pub(super) fn user_id(text: String) -> Outcome<UserId> {
    Ok(UserId::parse(text).map_err(|broken| Error::inconsistent(format!("a stored {broken}")))?)
}
