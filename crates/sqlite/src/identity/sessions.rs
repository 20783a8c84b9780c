//! Sessions.

use super::users::{self, user_id, versioned};
use crate::errors::Outcome;
use mainstay_core::Error;
use mainstay_core::api::{SessionId, Timestamp, UserId};
use mainstay_core::identity::{OpenSession, SessionRow, Use, Versioned};
use rusqlite::{Connection, OptionalExtension, Row, named_params};

/// See [`mainstay_core::identity::IdentityStore::open_session`].
pub(super) fn open(connection: &Connection, open: &OpenSession) -> Outcome<bool> {
    let row = &open.row;
    if users::find(connection, &row.user)?.is_none_or(|user| user.version != open.user_version) {
        return Ok(false);
    }
    connection.prepare_cached(include_str!("sessions_open.sql"))?.execute(named_params! {
        ":token": open.token,
        ":id": row.id.as_str(),
        ":user": row.user.as_str(),
        ":created_ms": row.created_at.as_millis(),
        ":used_ms": row.used_at.as_millis(),
        ":expires_ms": row.expires_at.as_millis(),
        ":origin": row.from,
        ":agent": row.agent,
    })?;
    let end_surplus = include_str!("sessions_end_surplus.sql");
    connection.prepare_cached(end_surplus)?.execute((row.user.as_str(), open.max_sessions))?;
    Ok(true)
}

/// The session of a token and its user, where it has not ended.
pub(super) fn find(connection: &Connection, token: &str, r#use: Use) -> Outcome<Option<(SessionRow, Versioned)>> {
    let mut statement = connection.prepare_cached(include_str!("sessions_find.sql"))?;
    let bounds = (token, r#use.now.as_millis(), r#use.now.as_millis().saturating_sub(r#use.idle_ms));
    let mut rows = statement.query(bounds)?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some((session(row)?, versioned(row, 7)?)))
}

/// Records a use, where the session has not ended, and returns it.
pub(super) fn record_use(connection: &Connection, token: &str, r#use: Use) -> Outcome<Option<(SessionRow, Versioned)>> {
    let sql = "UPDATE sessions SET used_ms = max(used_ms, ?2) WHERE token = ?1 AND expires_ms > ?2 AND used_ms > ?3";
    let idle_since = r#use.now.as_millis().saturating_sub(r#use.idle_ms);
    connection.prepare_cached(sql)?.execute((token, r#use.now.as_millis(), idle_since))?;
    find(connection, token, r#use)
}

/// See [`mainstay_core::identity::IdentityStore::sessions`].
pub(super) fn list(connection: &Connection, user: &UserId, r#use: Use) -> Outcome<Vec<SessionRow>> {
    let mut statement = connection.prepare_cached(include_str!("sessions_list.sql"))?;
    let bounds = (user.as_str(), r#use.now.as_millis(), r#use.now.as_millis().saturating_sub(r#use.idle_ms));
    let mut rows = statement.query(bounds)?;
    let mut sessions = Vec::new();
    while let Some(row) = rows.next()? {
        sessions.push(session(row)?);
    }
    Ok(sessions)
}

/// See [`mainstay_core::identity::IdentityStore::end_session`].
pub(super) fn end(connection: &Connection, user: &UserId, session: &SessionId) -> Outcome<bool> {
    let sql = "DELETE FROM sessions WHERE user = ?1 AND id = ?2";
    Ok(connection.prepare_cached(sql)?.execute((user.as_str(), session.as_str()))? > 0)
}

/// See [`mainstay_core::identity::IdentityStore::end_sessions`].
pub(super) fn end_all(connection: &Connection, user: &UserId, except: Option<&SessionId>) -> Outcome<u32> {
    let sql = "DELETE FROM sessions WHERE user = ?1 AND id IS NOT ?2";
    let ended = connection.prepare_cached(sql)?.execute((user.as_str(), except.map(SessionId::as_str)))?;
    Ok(u32::try_from(ended).unwrap_or(u32::MAX))
}

/// A session, from the first seven columns.
fn session(row: &Row<'_>) -> Outcome<SessionRow> {
    let time = |at: usize| row.get(at).map(Timestamp::from_millis);
    let id = SessionId::parse(row.get::<_, String>(0)?);
    Ok(SessionRow {
        id: id.map_err(|broken| Error::inconsistent(format!("a stored {broken}")))?,
        user: user_id(row.get(1)?)?,
        created_at: time(2)?,
        used_at: time(3)?,
        expires_at: time(4)?,
        from: row.get(5)?,
        agent: row.get(6)?,
    })
}

/// Sessions that have ended, at most `limit`.
pub(super) fn purge(connection: &Connection, now: Timestamp, limit: u32) -> Outcome<u32> {
    let sql = "DELETE FROM sessions WHERE token IN (SELECT token FROM sessions WHERE expires_ms <= ?1 LIMIT ?2)";
    let gone = connection.prepare_cached(sql)?.execute((now.as_millis(), limit)).optional()?.unwrap_or(0);
    Ok(u32::try_from(gone).unwrap_or(u32::MAX))
}
