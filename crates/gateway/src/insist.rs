//! Telling a store that may be away.

use mainstay_core::Result;
use std::time::Duration;

/// How often a store that is away is told again.
const MAX_TRIES: u32 = 6;
/// The first pause between two tries; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Tells the store until it has heard, refuses, or was away too often; `again` is logged before each further try. A try whose
/// outcome is unknown is made again, so telling twice must be as good as telling once.
///
/// # Errors
/// The last of the store.
pub async fn insist<T, F>(again: &'static str, tell: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let mut pause = FIRST_PAUSE;
    for _ in 1..MAX_TRIES {
        match tell().await {
            Err(error) if error.problem.retryable => tracing::debug!(%error, "{again}"),
            told => return told,
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
    tell().await
}
