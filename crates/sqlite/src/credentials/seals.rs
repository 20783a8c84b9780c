//! Which keys credentials are sealed with.

use super::records::whose;
use crate::errors::Outcome;
use mainstay_core::api::providers::ProviderId;
use mainstay_core::providers::PoolName;
use mainstay_core::providers::credentials::ResealCredential;
use rusqlite::{Connection, named_params};

/// See [`mainstay_core::providers::credentials::CredentialStore::credential_seal_keys`].
pub(super) fn keys(connection: &Connection) -> Outcome<Vec<String>> {
    let sql = "SELECT DISTINCT seal_key FROM credentials ORDER BY seal_key";
    let mut statement = connection.prepare_cached(sql)?;
    let keys = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    Ok(keys)
}

/// See [`mainstay_core::providers::credentials::CredentialStore::credentials_not_sealed_with`].
pub(super) fn others(connection: &Connection, key: &str, limit: u32) -> Outcome<Vec<(PoolName, ProviderId)>> {
    let sql = "SELECT namespaces.name, pool, provider
               FROM credentials JOIN namespaces ON namespaces.id = credentials.namespace
               WHERE seal_key <> ?1 LIMIT ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query((key, limit))?;
    let mut others = Vec::new();
    while let Some(row) = rows.next()? {
        others.push(whose(row)?);
    }
    Ok(others)
}

/// See [`mainstay_core::providers::credentials::CredentialStore::reseal_credential`].
pub(super) fn reseal(connection: &Connection, reseal: &ResealCredential) -> Outcome<bool> {
    let resealed = connection.prepare_cached(include_str!("reseal.sql"))?.execute(named_params! {
        ":namespace": reseal.pool.namespace.as_str(),
        ":pool": reseal.pool.pool.as_str(),
        ":provider": reseal.provider.as_str(),
        ":version": reseal.version,
        ":sealed": reseal.sealed,
        ":seal_key": reseal.seal_key,
    })?;
    Ok(resealed > 0)
}
