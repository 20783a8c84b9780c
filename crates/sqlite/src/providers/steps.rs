//! Steps in a pool.

use super::{loading, saving, topic};
use crate::errors::Outcome;
use crate::names;
use crate::wakeups::Wakes;
use mainstay_core::providers::pool::{Judged, Pool};
use mainstay_core::providers::{AddCounts, COUNTS_MEMO_MS, Choice, Choose, Finished, PoolName};
use rusqlite::{Connection, OptionalExtension};

/// Sessions that are over and that one choice forgets: more than it adds, so that they do not pile up.
const FORGOTTEN: u32 = 10;

/// Takes a step in a pool, and writes what changed by it; nothing where there is no such pool.
pub(super) fn within<T>(
    connection: &Connection,
    name: &PoolName,
    step: impl FnOnce(&mut Pool) -> T,
) -> Outcome<Option<T>> {
    let Some(loaded) = loading::load(connection, name)? else { return Ok(None) };
    let mut pool = loaded.pool.clone();
    let answer = step(&mut pool);
    saving::save(connection, &loaded, &pool)?;
    Ok(Some(answer))
}

/// What is answered of a judgement; wakes readers where they must look.
pub(super) fn told(name: &PoolName, judged: Option<Judged>, wakes: &mut Wakes) -> Finished {
    let judged = judged.unwrap_or_default();
    if judged.wakes {
        wakes.topic(topic(name));
    }
    judged.finished
}

/// See [`mainstay_core::providers::ProviderStore::choose`].
pub(super) fn choose(connection: &Connection, choose: &Choose) -> Outcome<Choice> {
    let Some(loaded) = loading::load(connection, &choose.pool)? else { return Ok(Choice::NoPool) };
    let remembered = match &choose.sticky {
        Some(sticky) => {
            let sql = "SELECT provider FROM provider_sessions WHERE pool = ?1 AND session = ?2 AND until_ms > ?3";
            let mut statement = connection.prepare_cached(sql)?;
            let key = (loaded.id, sticky.key.as_str(), choose.now.as_millis());
            let found: Option<String> = statement.query_row(key, |row| row.get(0)).optional()?;
            found.map(loading::id).transpose()?
        }
        None => None,
    };
    let mut pool = loaded.pool.clone();
    let choice = pool.choose(choose, remembered.as_ref());
    saving::save(connection, &loaded, &pool)?;
    if let (Some(sticky), Choice::Chosen(chosen)) = (&choose.sticky, &choice) {
        let sql =
            "INSERT OR REPLACE INTO provider_sessions (pool, session, provider, until_ms) VALUES (?1, ?2, ?3, ?4)";
        let until = choose.now.after(sticky.ttl).as_millis();
        connection.prepare_cached(sql)?.execute((loaded.id, &sticky.key, chosen.provider.as_str(), until))?;
        let sql = "DELETE FROM provider_sessions WHERE (pool, session) IN (SELECT pool, session FROM provider_sessions \
                   WHERE until_ms <= ?1 ORDER BY until_ms LIMIT ?2)";
        connection.prepare_cached(sql)?.execute((choose.now.as_millis(), FORGOTTEN))?;
    }
    Ok(choice)
}

/// See [`mainstay_core::providers::ProviderStore::add_counts`].
pub(super) fn add_counts(connection: &Connection, add: &AddCounts) -> Outcome<bool> {
    let Some(loaded) = loading::load(connection, &add.pool)? else { return Ok(false) };
    let namespace = names::intern_namespace(connection, &add.pool.namespace)?;
    let (name, now_ms) = (add.pool.pool.as_str(), add.now.as_millis());
    let sql = "DELETE FROM pool_counts WHERE namespace = ?1 AND pool = ?2 AND counted_ms <= ?3";
    connection.prepare_cached(sql)?.execute((namespace, name, now_ms - COUNTS_MEMO_MS))?;
    let sql =
        "INSERT INTO pool_counts (namespace, pool, memo, counted_ms) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING";
    if connection.prepare_cached(sql)?.execute((namespace, name, &add.memo, now_ms))? > 0 {
        let mut pool = loaded.pool.clone();
        pool.add_counts(add);
        saving::save(connection, &loaded, &pool)?;
    }
    Ok(true)
}
