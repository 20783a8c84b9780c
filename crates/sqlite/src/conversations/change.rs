//! Changing a conversation, and noting that it was used.

use super::row;
use crate::errors::Outcome;
use crate::wakeups::Wakes;
use mainstay_core::api::Timestamp;
use mainstay_core::api::conversations::RetentionMode;
use mainstay_core::conversations::{Lookup, Patch, Patched};
use rusqlite::{Connection, named_params};

/// See [`mainstay_core::conversations::ConversationStore::touch`].
pub(super) fn touch(connection: &Connection, at: &Lookup) -> Outcome<bool> {
    let Some(stored) = row::find(connection, at)? else { return Ok(false) };
    let sql = "UPDATE conversations SET accessed_ms = ?2, expires_ms = ?3 WHERE number = ?1";
    connection.prepare_cached(sql)?.execute((stored.number, at.now.as_millis(), stored.ends_ms(at.now)))?;
    Ok(true)
}

/// See [`mainstay_core::conversations::ConversationStore::patch`].
pub(super) fn patch(connection: &Connection, patch: &Patch, wakes: &mut Wakes) -> Outcome<Patched> {
    let at = &patch.at;
    let Some(stored) = row::find(connection, at)? else { return Ok(Patched::NotFound) };
    let current = stored.summary.version;
    if current != patch.expected_version {
        return Ok(Patched::Conflict { current });
    }
    let lifetime = patch.lifetime.unwrap_or(stored.summary.lifetime);
    let expires_ms = match patch.lifetime {
        Some(lifetime) => lifetime.end(at.now).map(Timestamp::as_millis),
        None => stored.ends_ms(at.now),
    };
    connection.prepare_cached(include_str!("change_patch.sql"))?.execute(named_params! {
        ":number": stored.number,
        ":status": patch.status.as_str(),
        ":now_ms": at.now.as_millis(),
        ":expires_ms": expires_ms,
        ":sliding": lifetime.retention.mode == RetentionMode::Sliding,
        ":ttl_ms": lifetime.retention.ttl_ms,
        ":pinned": lifetime.pinned,
        ":head": patch.head.as_ref(),
        ":workflow": patch.workflow.as_deref(),
        ":body": patch.body.as_ref(),
    })?;
    row::wake(wakes, &at.owner);
    Ok(Patched::Patched)
}
