//! The events that a consumer has in its hands.

use mainstay_api::events::EventToken;
use std::collections::BTreeSet;
use tokio::sync::{Mutex, MutexGuard};

/// Tokens of events that are neither done nor given back. Who keeps them and who lets one go do so one after another: one
/// that is kept after it was given back would be held for nothing.
pub(super) struct Hands(Mutex<BTreeSet<EventToken>>);

impl Hands {
    /// These are in hand.
    pub(super) fn full_of(tokens: impl Iterator<Item = EventToken>) -> Self {
        Self(Mutex::new(tokens.collect()))
    }

    /// What is in hand, for as long as the guard lives.
    pub(super) async fn hold(&self) -> MutexGuard<'_, BTreeSet<EventToken>> {
        self.0.lock().await
    }
}
