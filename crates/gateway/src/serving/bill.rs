//! What a request has to settle, however it ends.

use super::ports::{Account, Observed, Observer, Receipt};
use crate::insist::insist;
use std::sync::Arc;
use tokio_util::task::TaskTracker;

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

/// To settle twice is to settle once, which is what insisting needs. What cannot be settled stays reserved.
async fn settle(account: Arc<dyn Account>, receipt: Receipt) {
    if let Err(error) = insist("what a request used is settled again", || account.settle(&receipt)).await {
        tracing::error!(request = %receipt.request, %error, "what a request used was not settled");
    }
}
