//! How much the server takes on at a time.

use mainstay_core::api::Code;
use mainstay_core::{Error, Result};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Admits work up to a bound and refuses what is above it at once: a queue would only hide the overload.
#[derive(Clone)]
pub struct Admission {
    in_flight: Arc<Semaphore>,
    live: Arc<Semaphore>,
    max_live: usize,
}

impl Admission {
    pub(crate) fn new(max_in_flight: usize, max_live: usize) -> Self {
        let bound = |permits: usize| Arc::new(Semaphore::new(permits.min(Semaphore::MAX_PERMITS)));
        Self { in_flight: bound(max_in_flight), live: bound(max_live), max_live }
    }

    /// Admits a request that is answered as fast as the store allows, for as long as the permit is kept.
    ///
    /// # Errors
    /// `server.overloaded`.
    pub fn brief(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.in_flight).try_acquire_owned().map_err(|_| overloaded("requests"))
    }

    /// Admits a live stream or a long poll, for as long as the permit is kept.
    ///
    /// # Errors
    /// `server.overloaded`.
    pub fn live(&self) -> Result<OwnedSemaphorePermit> {
        Arc::clone(&self.live).try_acquire_owned().map_err(|_| overloaded("live streams"))
    }

    /// Live streams and long polls now.
    pub(crate) fn live_now(&self) -> usize {
        self.max_live.saturating_sub(self.live.available_permits())
    }
}

fn overloaded(what: &str) -> Error {
    let detail = format!("the server has as many {what} as it takes on at a time");
    Error::new(Code::Overloaded, detail, "Repeat the call in a moment, or add a node.").retry_after_ms(1_000)
}
