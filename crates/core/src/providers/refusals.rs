//! Why a change of a pool is refused, in words that say what to do.

use super::records::PoolName;
use crate::error::Error;
use mainstay_api::Code;
use mainstay_api::providers::{MAX_POOLS, ProviderId};

/// There is no such pool.
pub(super) fn no_pool(pool: &PoolName) -> Error {
    Error::new(
        Code::ProviderNotFound,
        format!("there is no pool {} in this namespace", pool.pool),
        "List what there is with `mainstay providers list`, and check the namespace.",
    )
}

/// There is no such provider.
pub(super) fn no_provider(pool: &PoolName, provider: &ProviderId) -> Error {
    Error::new(
        Code::ProviderNotFound,
        format!("there is no provider {provider} in a pool {} of this namespace", pool.pool),
        "List what there is with `mainstay providers list`, and check the namespace.",
    )
}

/// There is one already.
pub(super) fn exists(pool: &PoolName, provider: &ProviderId) -> Error {
    Error::new(
        Code::ProviderExists,
        format!("the pool {} has a provider {provider} with other settings", pool.pool),
        "Change that one, or add this one under another id.",
    )
}

/// Somebody else changed it.
pub(super) fn conflict(what: &str, current: u64) -> Error {
    let now = if current == 0 { "is not there".to_owned() } else { format!("has the version {current}") };
    let mut error = Error::new(
        Code::ProviderConflict,
        format!("{what} {now} by now"),
        "Read it again, and repeat the change with the current version where it still makes sense.",
    );
    error.problem.current_version = Some(current);
    error
}

/// Others were always faster.
pub(super) fn contended(pool: &PoolName) -> Error {
    Error::new(Code::StoreBusy, format!("others change the pool {} all the time", pool.pool), "Repeat the call.")
        .retry_after_ms(250)
}

/// The pool has no room left.
pub(super) fn full(pool: &PoolName, max_providers: u32) -> Error {
    Error::new(
        Code::ProvidersFull,
        format!("the pool {} may have {max_providers} providers", pool.pool),
        "Remove providers that are not needed, or put some into a pool that this one falls back to.",
    )
}

/// The namespace has no room for another pool.
pub(super) fn too_many_pools() -> Error {
    Error::new(
        Code::ProvidersFull,
        format!("the namespace has {MAX_POOLS} pools, as many as it may"),
        "Remove pools that are not needed, or use another namespace.",
    )
}

/// Settings are larger than they may be.
pub(super) fn too_large(what: &str, bytes: usize, most: usize) -> Error {
    Error::new(
        Code::TooLarge,
        format!("the settings of {what} have {bytes} bytes; {most} are allowed"),
        "Keep what providers do not need elsewhere, such as in a document.",
    )
}
