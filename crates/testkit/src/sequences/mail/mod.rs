//! Sequences of mail.

mod operation;
mod scribe;
mod side;

pub(crate) use operation::{Operation, operation};

use super::same;
use crate::conformance::Bed;
use crate::conformance::mail::desk::{Desk, ROOMY};
use crate::model;
use mainstay_core::mail::InboxLimits;
use scribe::Scribe;
use side::Side;
use std::sync::Arc;

/// What a sequence is about. The kinds are kept apart where the ports leave room for their meeting: what has expired
/// may be counted until a purge, so it would blur where a bound begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Time passes, messages expire and are purged, members come and are forgotten; the bounds are far away.
    Expiring,
    /// Inboxes are small; everyone is a member from the beginning, and what is imported asks for nothing.
    SmallInboxes,
    /// The namespace is small; nothing is imported, and messages have the time at which they arrive.
    SmallNamespace,
}

impl Profile {
    fn limits(self) -> InboxLimits {
        match self {
            Self::Expiring => ROOMY,
            Self::SmallInboxes => InboxLimits { max_inbox: 4, max_pending: 2, ..ROOMY },
            Self::SmallNamespace => InboxLimits { max_messages: 5, ..ROOMY },
        }
    }

    fn expires(self) -> bool {
        self == Self::Expiring
    }

    fn imports(self) -> bool {
        self != Self::SmallNamespace
    }

    fn imports_ask(self) -> bool {
        self != Self::SmallInboxes
    }

    fn times_vary(self) -> bool {
        self != Self::SmallNamespace
    }

    fn members_change(self) -> bool {
        self != Self::SmallInboxes
    }
}

/// Plays a sequence on the store of a bed and on a new model.
pub(super) async fn play(bed: Arc<Bed>, profile: Profile, operations: Vec<Operation>) -> Result<(), String> {
    let window = bed.window().await;
    let desk = Desk::on(bed.stores(), bed.namespace(), window.start).bounded(profile.limits());
    let oracle = Desk::on(&model::stores(), bed.namespace(), window.start).bounded(profile.limits());
    let (mut store, mut model) = (Side::new(desk.clone()), Side::new(oracle));
    let mut scribe = Scribe::new(desk, profile);
    let prelude = scribe.prelude();
    let requests = operations.iter().enumerate().flat_map(|(number, operation)| {
        let step = format!("operation {number}, {operation:?}");
        scribe.write(operation).into_iter().map(move |request| (step.clone(), request)).collect::<Vec<_>>()
    });
    let requests: Vec<_> = requests.collect();
    let prelude = prelude.into_iter().map(|request| ("before the first".to_owned(), request));
    let end = scribe.end().into_iter().map(|request| (format!("at the end, {request:?}"), request));
    for (step, request) in prelude.chain(requests).chain(end) {
        let (in_store, in_model) = (store.play(&request).await, model.play(&request).await);
        same(&step, &in_store, &in_model)?;
    }
    Ok(())
}
