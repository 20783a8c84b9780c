//! Servers on one core, and everything else on another: what a server costs is then its own.

use crate::figure::Figure;
use anyhow::Result;
use rustix::thread::{CpuSet, sched_setaffinity};

/// The core of the servers.
pub const SERVER_CORE: usize = 0;
/// The core of everything else.
pub const OTHER_CORE: usize = 1;

/// Measures on a thread that shares no core with the servers.
pub async fn apart<M: Future<Output = Result<Vec<Figure>>>>(
    measure: impl FnOnce() -> M + Send + 'static,
) -> Result<Vec<Figure>> {
    tokio::task::spawn_blocking(|| {
        let mut cores = CpuSet::new();
        cores.set(OTHER_CORE);
        sched_setaffinity(None, &cores)?;
        crate::one_thread()?.block_on(measure())
    })
    .await?
}
