//! Sequences of presence.

use super::same;
use crate::conformance::{Bed, Window};
use crate::model;
use mainstay_core::api::presence::RegisterInstance;
use mainstay_core::api::{InstanceId, Namespace, Timestamp};
use mainstay_core::presence::{Beat, PresenceStore, Register};
use proptest::option;
use proptest::prelude::{BoxedStrategy, Strategy, any};
use proptest::prop_oneof;
use std::sync::Arc;

const NAMES: [&str; 4] = ["ada", "b:c", "{d}*", "é 🦀\n"];
const SESSIONS: [&str; 3] = ["s1", "s:2", "S1"];
/// Small, so that a namespace is full now and then.
const MAX_INSTANCES: u32 = 3;
/// Instances that one call forgets; fewer than there are.
const PURGE_LIMIT: u32 = 2;

/// One operation. Numbers stand for names and runs.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Register {
        instance: usize,
        session: Option<usize>,
        role: bool,
        work: Option<u8>,
    },
    Beat {
        instance: usize,
        session: Option<usize>,
        work: Option<u8>,
    },
    Unregister {
        instance: usize,
        session: Option<usize>,
    },
    List,
    /// Forgets who did not beat for this long.
    Purge {
        seconds: u8,
    },
    Wait {
        seconds: u8,
    },
}

/// Draws an operation.
pub(crate) fn operation() -> BoxedStrategy<Operation> {
    let of = || (0..NAMES.len(), option::of(0..SESSIONS.len()));
    prop_oneof![
        4 => (of(), any::<bool>(), option::of(any::<u8>())).prop_map(|((instance, session), role, work)| {
            Operation::Register { instance, session, role, work }
        }),
        4 => (of(), option::of(any::<u8>())).prop_map(|((instance, session), work)| {
            Operation::Beat { instance, session, work }
        }),
        2 => of().prop_map(|(instance, session)| Operation::Unregister { instance, session }),
        2 => proptest::strategy::Just(Operation::List),
        1 => (0..60_u8).prop_map(|seconds| Operation::Purge { seconds }),
        2 => (0..60_u8).prop_map(|seconds| Operation::Wait { seconds }),
    ]
    .boxed()
}

/// Plays a sequence on the store of a bed and on a new model.
pub(super) async fn play(bed: Arc<Bed>, operations: Vec<Operation>) -> Result<(), String> {
    let window = bed.window().await;
    let store = Side::new(bed.stores().presence.clone(), bed.namespace());
    let model = Side::new(model::stores().presence, bed.namespace());
    let mut now = window.start;
    for (number, operation) in operations.iter().chain([&Operation::List]).enumerate() {
        if let Operation::Wait { seconds } = operation {
            now = later(now, i64::from(*seconds), &window);
            continue;
        }
        let (in_store, in_model) = (store.play(operation, now).await, model.play(operation, now).await);
        same(&format!("operation {number}, {operation:?}"), &in_store, &in_model)?;
    }
    Ok(())
}

fn later(now: Timestamp, seconds: i64, window: &Window) -> Timestamp {
    Timestamp::from_millis(now.as_millis() + seconds * 1_000).min(window.end())
}

/// One of the two stores.
struct Side {
    presence: Arc<dyn PresenceStore>,
    namespace: Namespace,
}

impl Side {
    fn new(presence: Arc<dyn PresenceStore>, namespace: Namespace) -> Self {
        Self { presence, namespace }
    }

    /// Asks the store, and says what it answered.
    async fn play(&self, operation: &Operation, now: Timestamp) -> String {
        match operation {
            Operation::Register { instance, session, role, work } => {
                let details = RegisterInstance {
                    role: role.then(|| "backend".into()),
                    current_work: work.map(|number| number.to_string()),
                    session_id: session.map(|number| SESSIONS[number].into()),
                    ..RegisterInstance::default()
                };
                let (namespace, instance) = (self.namespace.clone(), name(*instance));
                let register = Register { namespace, instance, details, now, max_instances: MAX_INSTANCES };
                format!("{:?}", self.presence.register(register).await.expect("register"))
            }
            Operation::Beat { instance, session, work } => {
                let beat = Beat {
                    namespace: self.namespace.clone(),
                    instance: name(*instance),
                    session_id: session.map(|number| SESSIONS[number].into()),
                    current_work: work.map(|number| number.to_string()),
                    now,
                    max_instances: MAX_INSTANCES,
                };
                format!("{:?}", self.presence.beat(beat).await.expect("beat"))
            }
            Operation::Unregister { instance, session } => {
                let session = session.map(|number| SESSIONS[number]);
                let ended = self.presence.unregister(&self.namespace, &name(*instance), session).await;
                ended.expect("unregister").to_string()
            }
            Operation::List => format!("{:?}", self.presence.list(&self.namespace).await.expect("list")),
            Operation::Purge { seconds } => {
                let before = Timestamp::from_millis(now.as_millis() - i64::from(*seconds) * 1_000);
                while self.presence.purge(before, PURGE_LIMIT).await.expect("purge") > 0 {}
                format!("{:?}", self.presence.list(&self.namespace).await.expect("list"))
            }
            Operation::Wait { .. } => String::new(),
        }
    }
}

fn name(number: usize) -> InstanceId {
    InstanceId::parse(NAMES[number]).expect("a name of an instance")
}
