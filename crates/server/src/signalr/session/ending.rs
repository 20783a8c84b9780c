//! Why a session ends.

use mainstay_hub::live::Closed;
use mainstay_signalr::close::Ending;
use std::sync::{Arc, OnceLock};

/// Why a session ends, once that is known. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Why(Arc<OnceLock<Ending>>);

impl Why {
    /// Says why. The first reason stands.
    pub(crate) fn tell(&self, ending: Ending) {
        self.0.get_or_init(|| ending);
    }

    /// Why, where the way out to the client was closed like this.
    pub(crate) fn of(&self, closed: Closed) -> Ending {
        match closed {
            Closed::Slow => Ending::Slow,
            Closed::Gap => Ending::Missed,
            Closed::Stopping => Ending::Stopping,
            Closed::Ended => self.0.get().cloned().unwrap_or(Ending::Done),
        }
    }
}
