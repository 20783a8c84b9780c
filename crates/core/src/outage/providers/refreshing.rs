//! Keeping the copies of pools as the store is.

use super::{OutlastingProviders, PoolCopy};
use crate::error::{Error, Result};
use crate::outage::Snapshot;
use crate::providers::credentials::CredentialRecord;
use crate::providers::pool::Pool;
use crate::providers::{PoolName, PoolRecord, PoolSummary};
use mainstay_api::providers::{PoolType, ProviderId};
use mainstay_api::{Namespace, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What names of copies begin with.
const COPIES: &str = "pools/";
/// Copies that are read at the start.
const MAX_COPIES: u32 = 10_000;
/// How old counters and health of a copy may be, in milliseconds: they change with every request.
const COUNTERS_MS: i64 = 10_000;
/// How old they may be on the disk.
const WRITTEN_MS: i64 = 60_000;

/// A copy as it is kept on the disk.
#[derive(Serialize, Deserialize)]
struct Written {
    pool: PoolRecord,
    credentials: BTreeMap<ProviderId, CredentialRecord>,
}

impl OutlastingProviders {
    /// Reads what an earlier process left on the disk.
    pub(in crate::outage) async fn load(&self) -> Result<()> {
        let snapshots = &self.parts.outage.snapshots;
        for name in snapshots.names(COPIES, MAX_COPIES).await? {
            let Some(pool) = name_of(&name) else { continue };
            let Some(snapshot) = snapshots.snapshot(&name).await? else { continue };
            match serde_json::from_str::<Written>(&snapshot.text) {
                Ok(written) => {
                    self.know(&pool.namespace);
                    let copy = PoolCopy {
                        credentials: written.credentials,
                        written_at: Some(snapshot.at),
                        ..PoolCopy::new(Pool::of(written.pool), snapshot.at)
                    };
                    let mut state = self.lock();
                    if let Some(known) = state.namespaces.get_mut(&pool.namespace) {
                        known.is_copied = true;
                    }
                    state.pools.insert(pool, copy);
                }
                Err(error) => tracing::error!(name, %error, "a copy on the disk cannot be read"),
            }
        }
        Ok(())
    }

    pub(super) fn summaries(&self, namespace: &Namespace) -> Option<Vec<PoolSummary>> {
        let state = self.lock();
        state.namespaces.get(namespace).filter(|known| known.is_copied)?;
        let mine = state.pools.iter().filter(|(name, _)| name.namespace == *namespace);
        let told = mine.map(|(name, copy)| PoolSummary {
            pool: name.pool.clone(),
            revision: copy.pool.revision,
            providers: u32::try_from(copy.pool.providers.len()).unwrap_or(u32::MAX),
        });
        Some(told.collect())
    }

    /// Brings every copy up to the store; `wholly` also what has the same revision.
    pub(in crate::outage) async fn refresh(&self, wholly: bool) -> Result<()> {
        let namespaces: Vec<Namespace> = self.lock().namespaces.keys().cloned().collect();
        for namespace in namespaces {
            let listed = self.parts.providers.pools(&namespace).await?;
            self.forget_gone(&namespace, &listed).await?;
            for summary in listed {
                let name = PoolName { namespace: namespace.clone(), pool: summary.pool };
                self.refresh_one(name, summary.revision, wholly).await?;
            }
            if let Some(known) = self.lock().namespaces.get_mut(&namespace) {
                known.is_copied = true;
            }
        }
        Ok(())
    }

    async fn forget_gone(&self, namespace: &Namespace, listed: &[PoolSummary]) -> Result<()> {
        let gone: Vec<PoolName> = {
            let mut state = self.lock();
            let is_gone = |name: &PoolName| {
                name.namespace == *namespace && !listed.iter().any(|summary| summary.pool == name.pool)
            };
            let gone = state.pools.keys().filter(|name| is_gone(name)).cloned().collect();
            state.pools.retain(|name, _| !is_gone(name));
            gone
        };
        for name in gone {
            self.parts.outage.snapshots.forget(&copy_name(&name)).await?;
        }
        Ok(())
    }

    async fn refresh_one(&self, name: PoolName, revision: u64, wholly: bool) -> Result<()> {
        let now = self.parts.clock.now();
        let known = self.lock().pools.get_mut(&name).map(|copy| {
            copy.fresh_at = now;
            (copy.pool.revision, copy.read_at, copy.written_at)
        });
        let since = |at: Timestamp| now.as_millis() - at.as_millis();
        let is_known = known.is_some_and(|(seen, _, _)| seen == revision);
        if is_known && !wholly && known.is_some_and(|(_, read_at, _)| since(read_at) < COUNTERS_MS) {
            return Ok(());
        }
        let Some(record) = self.parts.providers.pool(&name, now).await? else { return Ok(()) };
        let credentials = self.credentials_of(&name, &record).await?;
        let changed = !is_known || self.lock().pools.get(&name).is_none_or(|copy| copy.credentials != credentials);
        let written_at = known.and_then(|(_, _, written_at)| written_at);
        let is_due = wholly || changed || written_at.is_none_or(|at| since(at) >= WRITTEN_MS);
        let mut copy = PoolCopy { credentials, written_at, ..PoolCopy::new(Pool::of(record.clone()), now) };
        if !is_due {
            self.lock().pools.insert(name, copy);
            return Ok(());
        }
        copy.written_at = Some(now);
        let text = serde_json::to_string(&Written { pool: record, credentials: copy.credentials.clone() })
            .map_err(|e| Error::bug(format!("a copy cannot be written: {e}")))?;
        let name_on_disk = copy_name(&name);
        self.lock().pools.insert(name, copy);
        self.parts.outage.snapshots.put(&name_on_disk, Snapshot { text, at: now }).await
    }

    /// The credentials of a pool: those that are known, and what is newer.
    async fn credentials_of(
        &self,
        name: &PoolName,
        record: &PoolRecord,
    ) -> Result<BTreeMap<ProviderId, CredentialRecord>> {
        let known = self.lock().pools.get(name).map(|copy| copy.credentials.clone()).unwrap_or_default();
        let mut credentials = BTreeMap::new();
        for provider in &record.providers {
            let Some(version) = provider.credential else { continue };
            let found = match known.get(&provider.id).filter(|known| known.version == version) {
                Some(known) => Some(known.clone()),
                None => self.parts.credentials.credential(name, &provider.id).await?,
            };
            if let Some(found) = found {
                credentials.insert(provider.id.clone(), found);
            }
        }
        Ok(credentials)
    }
}

/// The type of a pool has no slash; a namespace may.
fn copy_name(name: &PoolName) -> String {
    format!("{COPIES}{}/{}", name.pool, name.namespace)
}

fn name_of(copy: &str) -> Option<PoolName> {
    let (pool, namespace) = copy.strip_prefix(COPIES)?.split_once('/')?;
    Some(PoolName { namespace: Namespace::parse(namespace).ok()?, pool: PoolType::parse(pool).ok()? })
}
