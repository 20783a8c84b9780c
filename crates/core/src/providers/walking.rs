//! Going through the pools of all namespaces.

use super::port::ProviderStore;
use super::records::PoolName;
use crate::error::Result;

/// Names of pools that are asked for together.
const PAGE: u32 = 500;
/// Most pools that a job goes through.
const MAX_POOLS: usize = 10_000;

/// The pools of all namespaces, for a job: at most 10,000. One that was dropped may be among them.
///
/// # Errors
/// Those of the store.
pub async fn all_pools(store: &dyn ProviderStore) -> Result<Vec<PoolName>> {
    let mut pools: Vec<PoolName> = Vec::new();
    while pools.len() < MAX_POOLS {
        let page = store.everywhere(pools.last(), PAGE).await?;
        let is_last = page.len() < PAGE as usize;
        pools.extend(page);
        if is_last {
            break;
        }
    }
    Ok(pools)
}
