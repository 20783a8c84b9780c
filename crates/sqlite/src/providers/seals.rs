//! Which keys settings of providers are sealed with.

use super::loading;
use crate::errors::Outcome;
use crate::names;
use mainstay_core::Error;
use mainstay_core::api::providers::{PoolType, ProviderId};
use mainstay_core::providers::{PoolName, ResealSettings};
use rusqlite::Connection;

/// See [`mainstay_core::providers::ProviderStore::settings_seal_keys`].
pub(super) fn keys(connection: &Connection) -> Outcome<Vec<String>> {
    let sql = "SELECT DISTINCT seal_key FROM providers WHERE seal_key IS NOT NULL ORDER BY seal_key";
    let mut statement = connection.prepare_cached(sql)?;
    let keys = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(keys)
}

/// See [`mainstay_core::providers::ProviderStore::settings_not_sealed_with`].
pub(super) fn others(connection: &Connection, key: &str, limit: u32) -> Outcome<Vec<(PoolName, ProviderId)>> {
    let sql = "SELECT namespaces.name, pools.pool, providers.id FROM providers \
               JOIN pools ON pools.id = providers.pool JOIN namespaces ON namespaces.id = pools.namespace \
               WHERE providers.seal_key IS NOT NULL AND providers.seal_key <> ?1 LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((key, limit))?;
    let mut others = Vec::new();
    while let Some(row) = rows.next()? {
        let namespace = names::parse_namespace(row.get(0)?)?;
        let pool = PoolType::parse(row.get::<_, String>(1)?).map_err(|e| Error::inconsistent(e.to_string()))?;
        others.push((PoolName { namespace, pool }, loading::id(row.get(2)?)?));
    }
    Ok(others)
}

/// See [`mainstay_core::providers::ProviderStore::reseal_settings`].
pub(super) fn reseal(connection: &Connection, reseal: &ResealSettings) -> Outcome<bool> {
    let sql = "UPDATE providers SET body = ?4, seal_key = ?5 WHERE id = ?3 AND version = ?6 AND pool = \
               (SELECT pools.id FROM pools JOIN namespaces ON namespaces.id = pools.namespace \
                WHERE namespaces.name = ?1 AND pools.pool = ?2)";
    let resealed = connection.prepare_cached(sql)?.execute((
        reseal.pool.namespace.as_str(),
        reseal.pool.pool.as_str(),
        reseal.provider.as_str(),
        reseal.body.as_str(),
        &reseal.seal_key,
        reseal.version,
    ))?;
    Ok(resealed > 0)
}
