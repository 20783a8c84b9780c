//! Deleting what has expired, and forgetting who is gone.

use super::message;
use crate::errors::Outcome;
use crate::wakeups::Wakes;
use mainstay_core::api::Timestamp;
use rusqlite::Connection;
use std::collections::HashSet;

/// Most expired messages that are deleted to make room in one inbox.
const MAX_PURGED_OF_INBOX: u32 = 256;

/// What to delete.
pub(super) struct Purge {
    pub now: Timestamp,
    pub members_since: Timestamp,
    pub limit: u32,
}

/// See [`mainstay_core::mail::MailStore::purge`].
pub(super) fn purge(connection: &Connection, purge: &Purge, wakes: &mut Wakes) -> Outcome<u32> {
    let deleted = expired(connection, purge.now, purge.limit, wakes)?;
    let since_ms = purge.members_since.as_millis();
    connection.prepare_cached(include_str!("purge_members.sql"))?.execute((since_ms, purge.limit))?;
    connection.prepare_cached(include_str!("purge_inboxes.sql"))?.execute((since_ms, purge.limit))?;
    Ok(deleted)
}

/// Deletes messages and request ids whose time is over, at most `limit` of each, and returns how many messages.
pub(super) fn expired(connection: &Connection, now: Timestamp, limit: u32, wakes: &mut Wakes) -> Outcome<u32> {
    let sql = "SELECT offset FROM messages WHERE expires_ms <= ?1 ORDER BY expires_ms, offset LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let offsets: Vec<i64> =
        statement.query_map((now.as_millis(), limit), |row| row.get(0))?.collect::<Result<_, _>>()?;
    remove_all(connection, &offsets, wakes)?;
    connection.prepare_cached(include_str!("purge_requests.sql"))?.execute((now.as_millis(), limit))?;
    Ok(u32::try_from(offsets.len()).unwrap_or(u32::MAX))
}

/// Deletes messages that wait in an inbox for an acknowledgement that nobody can give any more.
pub(super) fn expired_pending(connection: &Connection, inbox: i64, now: Timestamp, wakes: &mut Wakes) -> Outcome<()> {
    let mut statement = connection.prepare_cached(include_str!("purge_expired_pending.sql"))?;
    let parameters = (inbox, now.as_millis(), MAX_PURGED_OF_INBOX);
    let offsets: Vec<i64> = statement.query_map(parameters, |row| row.get(0))?.collect::<Result<_, _>>()?;
    remove_all(connection, &offsets, wakes)
}

/// Removes messages and wakes the readers of their inboxes.
pub(super) fn remove_all(connection: &Connection, offsets: &[i64], wakes: &mut Wakes) -> Outcome<()> {
    let mut changed = HashSet::new();
    for offset in offsets {
        changed.extend(message::inboxes(connection, *offset)?.into_iter().map(|(_, topic)| topic));
        message::remove(connection, *offset)?;
    }
    for topic in changed {
        wakes.topic(topic);
    }
    Ok(())
}
