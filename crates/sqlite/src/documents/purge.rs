//! Removing what has ended.

use super::commit::{Commit, Entry};
use super::log;
use super::read::{broken, json};
use crate::errors::Outcome;
use crate::names;
use crate::wakeups::Wakes;
use mainstay_core::api::documents::{ChangeKind, MAX_CHANGES};
use mainstay_core::documents::{DocumentName, PurgeDocuments};
use rusqlite::Connection;

/// See [`mainstay_core::documents::DocumentStore::purge`].
pub(super) fn purge(connection: &Connection, purge: PurgeDocuments, wakes: &mut Wakes) -> Outcome<u32> {
    let sql = "DELETE FROM document_requests WHERE until_ms <= ?1";
    connection.prepare_cached(sql)?.execute([purge.now.as_millis()])?;
    let sql = "SELECT namespace FROM document_spaces ORDER BY namespace";
    let spaces: Vec<i64> =
        connection.prepare_cached(sql)?.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut removed = 0;
    for namespace in spaces {
        removed += expire(connection, namespace, purge, wakes)?;
        removed += forget(connection, namespace, purge)?;
    }
    Ok(removed)
}

/// Removes documents whose time is over, as one change.
fn expire(connection: &Connection, id: i64, purge: PurgeDocuments, wakes: &mut Wakes) -> Outcome<u32> {
    let sql = "SELECT collection, key FROM documents WHERE namespace = ?1 AND live = 1 AND expires_ms <= ?2
               ORDER BY expires_ms, collection || '/' || key LIMIT ?3";
    let most = u64::from(purge.limit).min(MAX_CHANGES as u64);
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((id, purge.now.as_millis(), most))?;
    let mut over = Vec::new();
    while let Some(row) = rows.next()? {
        over.push(DocumentName {
            collection: row.get::<_, String>(0)?.parse().map_err(|e| broken(&format!("{e}")))?,
            key: row.get::<_, String>(1)?.parse().map_err(|e| broken(&format!("{e}")))?,
        });
    }
    if over.is_empty() {
        return Ok(0);
    }
    let sql = "SELECT name FROM namespaces WHERE id = ?1";
    let namespace = names::parse_namespace(connection.prepare_cached(sql)?.query_row([id], |row| row.get(0))?)?;
    let (space, nothing) = (log::space(connection, &namespace)?, json("[]")?);
    let entry = |name| Entry { name, kind: ChangeKind::Expired, write: None, diff: &nothing };
    let entries: Vec<_> = over.iter().map(entry).collect();
    let commit = Commit { namespace: &namespace, id, by: "store", now: purge.now, limits: purge.limits };
    commit.write(connection, &space, &entries, wakes)?;
    Ok(u32::try_from(over.len()).unwrap_or(u32::MAX))
}

/// Removes old revisions that are not the current one of a document, and what remains of documents without any.
fn forget(connection: &Connection, namespace: i64, purge: PurgeDocuments) -> Outcome<u32> {
    let before = purge.history_before.as_millis().max(0).saturating_mul(1_000);
    let mut statement = connection.prepare_cached(include_str!("purge_old.sql"))?;
    let old: Vec<(i64, u64)> = statement
        .query_map((namespace, before, purge.limit), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (document, revision) in &old {
        let sql = "DELETE FROM document_revisions WHERE document = ?1 AND revision = ?2";
        connection.prepare_cached(sql)?.execute((document, revision))?;
        let sql = "DELETE FROM documents WHERE id = ?1 AND live = 0
                   AND NOT EXISTS (SELECT 1 FROM document_revisions WHERE document = ?1)";
        connection.prepare_cached(sql)?.execute([document])?;
    }
    Ok(u32::try_from(old.len()).unwrap_or(u32::MAX))
}
