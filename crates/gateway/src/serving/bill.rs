//! What a request has to settle, however it ends.

use super::ports::{Account, Observed, Observer, Receipt};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// How often a store that is away is told again.
const MAX_TRIES: u32 = 6;
/// The first pause between two tries; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Settles a request when it is dropped: with what it has used until then.
pub(crate) struct Bill {
    account: Arc<dyn Account>,
    observer: Arc<dyn Observer>,
    tasks: TaskTracker,
    pub receipt: Receipt,
}

/// Who settles.
#[derive(Clone)]
pub(crate) struct Cashier {
    pub observer: Arc<dyn Observer>,
    pub tasks: TaskTracker,
}

impl Cashier {
    /// A request that was let in, and has used nothing yet.
    pub fn open(&self, account: Arc<dyn Account>, receipt: Receipt) -> Bill {
        Bill { account, observer: Arc::clone(&self.observer), tasks: self.tasks.clone(), receipt }
    }
}

impl Drop for Bill {
    fn drop(&mut self) {
        self.observer.observe(&Observed::Over(&self.receipt));
        self.tasks.spawn(settle(Arc::clone(&self.account), self.receipt.clone()));
    }
}

/// To settle twice is to settle once, so a try whose outcome is unknown is made again. What cannot be settled stays
/// reserved.
async fn settle(account: Arc<dyn Account>, receipt: Receipt) {
    let mut pause = FIRST_PAUSE;
    for tried in 1..=MAX_TRIES {
        match account.settle(&receipt).await {
            Ok(()) => return,
            Err(error) if tried == MAX_TRIES || !error.problem.retryable => {
                tracing::error!(request = %receipt.request, %error, "what a request used was not settled");
                return;
            }
            Err(error) => tracing::debug!(%error, "what a request used is settled again"),
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
    }
}
