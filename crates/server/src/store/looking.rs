//! The job that looks at the store: keeps the copies up to it, notices when it is lost, and writes what waits once it is back.

use crate::Services;
use crate::jobs::{self, InvalidJob, interval_bound};
use mainstay_core::outage::OutlastingDocuments;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How often to look.
#[derive(Debug, Clone, Copy)]
pub struct OutageLook {
    /// Pause between two looks, in milliseconds.
    pub interval_ms: u64,
}

impl Default for OutageLook {
    /// Every second: an outage is noticed by then where no call met it first.
    fn default() -> Self {
        Self { interval_ms: 1_000 }
    }
}

impl OutageLook {
    /// Checks the settings.
    ///
    /// # Errors
    /// The first one out of its bounds.
    pub fn validate(&self) -> Result<(), InvalidJob> {
        jobs::check(&[interval_bound(self.interval_ms)])
    }

    /// Looks until told to stop, and at once when an operator asks.
    pub async fn run(self, documents: Arc<OutlastingDocuments>, services: Arc<Services>, shutdown: CancellationToken) {
        let work = async {
            loop {
                documents.run_once().await;
                services.metrics.outage.looked(&services.outage, services.clock.now()).await;
                let pause = tokio::time::sleep(Duration::from_millis(self.interval_ms.max(1)));
                match services.outage.outage() {
                    Some(outage) => tokio::select! {
                        () = pause => {}
                        () = outage.asked() => {}
                    },
                    None => pause.await,
                }
            }
        };
        let _ended = shutdown.run_until_cancelled(work).await;
    }
}
