//! Sequences of events: what is published, read, trimmed and purged, and the groups that work on it.

mod operation;
mod side;

pub(crate) use operation::{Operation, operation};

use super::same;
use crate::conformance::Bed;
use crate::model;
use mainstay_core::events::GroupStart;
use side::Side;
use std::sync::Arc;

/// What a sequence of events is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EventProfile {
    /// A log alone, which holds everything until it is purged: how much a full one lets go is a store's own affair as long as
    /// no group is on it.
    Log,
    /// A small log with groups. One of them is always there, so that what goes is counted to the event.
    Groups,
}

impl EventProfile {
    fn max_len(self) -> u32 {
        if self == Self::Groups { 6 } else { 10_000 }
    }
}

/// Plays a sequence on the store of a bed and on a new model.
pub(super) async fn play(bed: Arc<Bed>, profile: EventProfile, operations: Vec<Operation>) -> Result<(), String> {
    let mut store = Side::new(bed.stores(), bed.namespace(), profile.max_len());
    let mut model = Side::new(&model::stores(), bed.namespace(), profile.max_len());
    let first = Operation::Create { group: 0, start: GroupStart::Oldest };
    let first = (profile == EventProfile::Groups).then_some(&first);
    for (number, operation) in first.into_iter().chain(&operations).enumerate() {
        let (in_store, in_model) = (store.play(operation).await, model.play(operation).await);
        let what = format!("operation {number}, {operation:?}");
        same(&what, &in_store, &in_model)?;
        same(&format!("after {what}"), &store.everything().await, &model.everything().await)?;
    }
    Ok(())
}
