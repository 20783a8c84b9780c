//! Deleting: one conversation, all of an owner, what has expired.

use super::row;
use crate::errors::Outcome;
use crate::wakeups::Wakes;
use mainstay_core::api::Timestamp;
use mainstay_core::conversations::{Lookup, Owner};
use rusqlite::Connection;

/// Most messages that one purge deletes, so that the writes that wait behind it do not wait for long.
const MAX_PURGED_MESSAGES: u32 = 10_000;

/// See [`mainstay_core::conversations::ConversationStore::delete`].
pub(super) fn delete(connection: &Connection, at: &Lookup, wakes: &mut Wakes) -> Outcome<bool> {
    let Some(stored) = row::find(connection, at)? else { return Ok(false) };
    remove(connection, stored.number)?;
    row::wake(wakes, &at.owner);
    Ok(true)
}

/// See [`mainstay_core::conversations::ConversationStore::erase`].
pub(super) fn erase(connection: &Connection, of: &Owner, limit: u32, wakes: &mut Wakes) -> Outcome<u32> {
    let Some(owner) = row::owner(connection, of)? else { return Ok(0) };
    let sql = "SELECT number FROM conversations WHERE owner = ?1 LIMIT ?2";
    let numbers = numbers(connection, sql, (owner, limit))?;
    for number in &numbers {
        remove(connection, *number)?;
    }
    if numbers.is_empty() {
        connection.prepare_cached("DELETE FROM conversation_requests WHERE owner = ?1")?.execute([owner])?;
        connection.prepare_cached("DELETE FROM conversation_owners WHERE id = ?1")?.execute([owner])?;
    }
    row::wake(wakes, of);
    Ok(u32::try_from(numbers.len()).unwrap_or(u32::MAX))
}

/// See [`mainstay_core::conversations::ConversationStore::purge`].
pub(super) fn purge(connection: &Connection, now: Timestamp, limit: u32) -> Outcome<u32> {
    let sql = "SELECT number FROM conversations WHERE expires_ms <= ?1 ORDER BY expires_ms LIMIT ?2";
    let mut room = MAX_PURGED_MESSAGES;
    let mut purged = 0;
    for number in numbers(connection, sql, (now.as_millis(), limit))? {
        purged += 1;
        room = room.saturating_sub(remove_messages(connection, number, room)?);
        if room == 0 {
            break;
        }
        remove(connection, number)?;
    }
    let sql = "DELETE FROM conversation_requests WHERE (owner, key) IN
                   (SELECT owner, key FROM conversation_requests WHERE until_ms <= ?1 LIMIT ?2)";
    connection.prepare_cached(sql)?.execute((now.as_millis(), limit))?;
    connection.prepare_cached(include_str!("removal_owners.sql"))?.execute([limit])?;
    Ok(purged)
}

/// Removes expired conversations of an owner, at most `limit`.
pub(super) fn expired_of(connection: &Connection, owner: i64, now: Timestamp, limit: u32) -> Outcome<()> {
    let sql = "SELECT number FROM conversations WHERE owner = ?1 AND expires_ms <= ?2 LIMIT ?3";
    for number in numbers(connection, sql, (owner, now.as_millis(), limit))? {
        remove(connection, number)?;
    }
    Ok(())
}

/// Removes a conversation with its messages and what is remembered of appends to it.
pub(super) fn remove(connection: &Connection, number: i64) -> Outcome<()> {
    for sql in [
        "DELETE FROM conversation_messages WHERE conversation = ?1",
        "DELETE FROM conversation_requests WHERE conversation = ?1 AND first_seq IS NOT NULL",
        "DELETE FROM conversations WHERE number = ?1",
    ] {
        connection.prepare_cached(sql)?.execute([number])?;
    }
    Ok(())
}

/// Removes the first messages of a conversation, at most `limit`, and returns how many.
fn remove_messages(connection: &Connection, number: i64, limit: u32) -> Outcome<u32> {
    let sql = "DELETE FROM conversation_messages WHERE conversation = ?1 AND seq IN
                   (SELECT seq FROM conversation_messages WHERE conversation = ?1 ORDER BY seq LIMIT ?2)";
    let removed = connection.prepare_cached(sql)?.execute((number, limit))?;
    Ok(u32::try_from(removed).unwrap_or(u32::MAX))
}

fn numbers(connection: &Connection, sql: &str, parameters: impl rusqlite::Params) -> Outcome<Vec<i64>> {
    let mut statement = connection.prepare_cached(sql)?;
    Ok(statement.query_map(parameters, |row| row.get(0))?.collect::<Result<_, _>>()?)
}
