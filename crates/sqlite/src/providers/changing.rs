//! Changing who is in a pool, and settings.

use super::{loading, saving, topic};
use crate::errors::Outcome;
use crate::names;
use crate::wakeups::Wakes;
use mainstay_core::providers::{ChangePool, PoolOutcome};
use rusqlite::{Connection, OptionalExtension};

/// Changes of a pool that are remembered, and for how long.
const MEMOS: u32 = 64;
const MEMO_MS: i64 = 60 * 60 * 1_000;

/// See [`mainstay_core::providers::ProviderStore::change`].
pub(super) fn change(connection: &Connection, change: &ChangePool, wakes: &mut Wakes) -> Outcome<PoolOutcome> {
    let namespace = names::intern_namespace(connection, &change.pool.namespace)?;
    let (name, digest) = (change.pool.pool.as_str(), change.digest());
    let sql = "SELECT revision FROM pool_changes WHERE namespace = ?1 AND pool = ?2 AND digest = ?3";
    let mut statement = connection.prepare_cached(sql)?;
    let known: Option<u64> = statement.query_row((namespace, name, &digest), |row| row.get(0)).optional()?;
    if let Some(revision) = known {
        return Ok(PoolOutcome::Changed(revision));
    }
    let loaded = loading::load(connection, &change.pool)?;
    let changed = change.apply(loaded.as_ref().map(|loaded| loaded.pool.clone()));
    let PoolOutcome::Changed(revision) = changed.outcome else { return Ok(changed.outcome) };
    match (loaded, changed.pool) {
        (Some(loaded), Some(pool)) => saving::save(connection, &loaded, &pool)?,
        (Some(loaded), None) => saving::drop(connection, loaded.id)?,
        (None, Some(pool)) => {
            let loaded = saving::insert(connection, (namespace, name), &pool)?;
            saving::save(connection, &loaded, &pool)?;
        }
        (None, None) => {}
    }
    let sql = "INSERT INTO pool_changes (namespace, pool, digest, revision, changed_ms) VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(sql)?.execute((namespace, name, &digest, revision, change.now.as_millis()))?;
    forget(connection, (namespace, name), change.now.as_millis() - MEMO_MS)?;
    wakes.topic(topic(&change.pool));
    Ok(PoolOutcome::Changed(revision))
}

/// Forgets changes that are too old, or too many.
fn forget(connection: &Connection, pool: (i64, &str), before_ms: i64) -> Outcome<()> {
    let sql = "DELETE FROM pool_changes WHERE namespace = ?1 AND pool = ?2 AND (changed_ms <= ?3 OR digest NOT IN \
               (SELECT digest FROM pool_changes WHERE namespace = ?1 AND pool = ?2 ORDER BY revision DESC LIMIT ?4))";
    connection.prepare_cached(sql)?.execute((pool.0, pool.1, before_ms, MEMOS))?;
    Ok(())
}
