//! One at a time within this node: who waits for the same credential asks the store and the server once.

use super::Whose;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

/// Gates beyond this are looked through for those that nobody uses any more.
const SWEEP_AT: usize = 1_024;

/// A gate for each credential that somebody refreshes.
#[derive(Default)]
pub(super) struct Gates(Mutex<HashMap<Whose, Weak<tokio::sync::Mutex<()>>>>);

impl Gates {
    /// The gate of a credential.
    pub fn of(&self, whose: &Whose) -> Arc<tokio::sync::Mutex<()>> {
        let mut gates = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = gates.get(whose).and_then(Weak::upgrade) {
            return gate;
        }
        if gates.len() >= SWEEP_AT {
            gates.retain(|_, gate| gate.strong_count() > 0);
        }
        let gate = Arc::default();
        gates.insert(whose.clone(), Arc::downgrade(&gate));
        gate
    }
}
