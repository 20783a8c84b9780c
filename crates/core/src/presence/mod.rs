//! Presence of instances.

mod port;
mod service;

pub use port::{Beat, BeatOutcome, PresenceRow, PresenceStore, Register, RegisterOutcome};
pub use service::{PresenceRules, PresenceService, changes};
