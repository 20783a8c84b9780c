//! Sequences of a pool of providers: changes of who is in it, choices, how they went, and what people set by hand. Sessions are
//! left out: what a pool that was dropped remembers of them is not promised.

use super::same;
use crate::conformance::Bed;
use crate::model;
use mainstay_core::api::providers::{LeaseId, PoolType, ProviderId};
use mainstay_core::api::{Namespace, RawJson, Timestamp};
use mainstay_core::providers::{
    BreakerRules, BreakerState, ChangePool, Checked, Choose, Failure, FailureClass, Finish, FinishUses, HealthRules,
    Outcome, PatchProvider, PoolChange, PoolName, ProviderStore, Renew, ReplacePool, ResetProviders, SeededProvider,
    SelectionRules, StandBreaker, Strategy as Choosing, Traits,
};
use proptest::option;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any};
use proptest::prop_oneof;
use std::sync::Arc;
use std::time::Duration;

/// Ids of providers; few, so that they come again.
const IDS: [&str; 4] = ["a", "B", "c.1", "d_"];
/// Most providers of the pool: one fewer than there are ids.
const MAX_PROVIDERS: u32 = 3;
/// Uses of a sequence; few, so that they repeat.
const LEASES: usize = 8;
const STRATEGIES: [Choosing; 7] = [
    Choosing::Score,
    Choosing::LeastUsed,
    Choosing::LeastRecentlyUsed,
    Choosing::RoundRobin,
    Choosing::Weighted,
    Choosing::LeastInFlight,
    Choosing::Priority,
];

/// One operation. Numbers stand for ids, uses and settings.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Change(Change, Expected),
    Choose { lease: usize, strategy: usize, model: bool, except: Option<usize> },
    Renew { lease: usize },
    Finish { lease: usize, shown: usize, first_byte_ms: Option<u16>, quorum: u32 },
    Check { id: usize, shown: usize },
    Reset { id: Option<usize>, counters: bool, health: bool },
    Stand { id: usize, open: bool },
    Look,
    Wait { ms: u16 },
}

/// A change of the pool; a provider is an id and its settings.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    Replace(Vec<(usize, u8)>),
    Settings(u8),
    Add(usize, u8),
    Patch(usize, u8, Expected),
    Remove(usize),
    Drop,
}

/// Which version a change names.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expected {
    Any,
    Right,
    Wrong,
}

/// Draws an operation.
pub(crate) fn operation() -> BoxedStrategy<Operation> {
    let choose = (0..LEASES, 0..STRATEGIES.len(), any::<bool>(), option::weighted(0.2, 0..IDS.len()));
    let finish = (0..LEASES, 0..OUTCOMES, option::of(0..300_u16), 1..3_u32);
    prop_oneof![
        4 => (change(), expected()).prop_map(|(change, expected)| Operation::Change(change, expected)),
        8 => choose.prop_map(|(lease, strategy, model, except)| Operation::Choose { lease, strategy, model, except }),
        1 => (0..LEASES).prop_map(|lease| Operation::Renew { lease }),
        8 => finish.prop_map(|(lease, shown, first_byte_ms, quorum)| {
            Operation::Finish { lease, shown, first_byte_ms, quorum }
        }),
        1 => (0..IDS.len(), 0..OUTCOMES).prop_map(|(id, shown)| Operation::Check { id, shown }),
        1 => (option::of(0..IDS.len()), any::<bool>(), any::<bool>()).prop_map(|(id, counters, health)| {
            Operation::Reset { id, counters, health }
        }),
        1 => (0..IDS.len(), any::<bool>()).prop_map(|(id, open)| Operation::Stand { id, open }),
        2 => Just(Operation::Look),
        4 => (0..5_000_u16).prop_map(|ms| Operation::Wait { ms }),
    ]
    .boxed()
}

fn change() -> impl Strategy<Value = Change> {
    let one = || (0..IDS.len(), any::<u8>());
    let all = proptest::sample::subsequence((0..IDS.len()).collect::<Vec<_>>(), 0..=IDS.len()).prop_shuffle();
    prop_oneof![
        3 => (all, any::<u8>()).prop_map(|(ids, settings)| {
            Change::Replace(ids.into_iter().map(|id| (id, settings.wrapping_add(u8::try_from(id).unwrap_or(0)))).collect())
        }),
        1 => any::<u8>().prop_map(Change::Settings),
        5 => one().prop_map(|(id, settings)| Change::Add(id, settings % 4)),
        3 => (one(), expected()).prop_map(|((id, settings), expected)| Change::Patch(id, settings, expected)),
        2 => (0..IDS.len()).prop_map(Change::Remove),
        1 => Just(Change::Drop),
    ]
}

fn expected() -> impl Strategy<Value = Expected> {
    prop_oneof![6 => Just(Expected::Any), 2 => Just(Expected::Right), 1 => Just(Expected::Wrong)]
}

/// Plays a sequence on the store of a bed and on a new model.
pub(super) async fn play(bed: Arc<Bed>, operations: Vec<Operation>) -> Result<(), String> {
    let mut now = bed.now();
    let store = Side::new(bed.stores().providers.clone(), bed.namespace());
    let model = Side::new(model::stores().providers, store.name.namespace.clone());
    for (number, operation) in operations.iter().chain([&Operation::Look]).enumerate() {
        if let Operation::Wait { ms } = operation {
            now = now.after(Duration::from_millis((*ms).into()));
            continue;
        }
        let (in_store, in_model) = (store.play(operation, now).await, model.play(operation, now).await);
        same(&format!("operation {number}, {operation:?}"), &in_store, &in_model)?;
    }
    Ok(())
}

/// One of the two stores.
struct Side {
    store: Arc<dyn ProviderStore>,
    name: PoolName,
}

impl Side {
    fn new(store: Arc<dyn ProviderStore>, namespace: Namespace) -> Self {
        Self { store, name: PoolName { namespace, pool: PoolType::parse("openai-custom").expect("a pool") } }
    }

    /// Asks the store, and says what it answered.
    async fn play(&self, operation: &Operation, now: Timestamp) -> String {
        let pool = self.name.clone();
        match operation {
            Operation::Change(change, expected) => self.change(change, *expected, now).await,
            Operation::Choose { lease, strategy, model, except } => {
                let choose = Choose {
                    pool,
                    model: model.then(|| "gpt-4o".to_owned()),
                    sticky: None,
                    except: except.iter().map(|id| provider(*id)).collect(),
                    lease: use_of(*lease),
                    node: node(*lease),
                    lease_for: Duration::from_secs(6),
                    rules: SelectionRules { strategy: STRATEGIES[*strategy], ..rules(1) },
                    now,
                };
                format!("{:?}", self.store.choose(choose).await.expect("choose"))
            }
            Operation::Renew { lease } => {
                let renew = Renew { pool, leases: vec![use_of(*lease)], lease_for: Duration::from_secs(6), now };
                format!("{:?}", self.store.renew(renew).await.expect("renew"))
            }
            Operation::Finish { lease, shown, first_byte_ms, quorum } => {
                let ended = Finish {
                    lease: use_of(*lease),
                    provider: provider(0),
                    node: node(*lease),
                    outcome: outcome(*shown, now),
                    first_byte: first_byte_ms.map(|ms| Duration::from_millis(ms.into())),
                };
                let uses = FinishUses { pool, uses: vec![ended], rules: rules(*quorum), now };
                format!("{:?}", self.store.finish(uses).await.expect("finish"))
            }
            Operation::Check { id, shown } => {
                let (model, outcome) = (id.is_multiple_of(2).then(|| "m".to_owned()), outcome(*shown, now));
                let check =
                    Checked { pool, provider: provider(*id), node: node(*id), model, outcome, rules: rules(1), now };
                format!("{:?}", self.store.checked(check).await.expect("check"))
            }
            Operation::Reset { id, counters, health } => {
                let (counters, health) = (*counters, *health);
                let reset = ResetProviders { pool, provider: id.map(provider), counters, health, now };
                self.store.reset(reset).await.expect("reset").to_string()
            }
            Operation::Stand { id, open } => {
                let state = if *open { BreakerState::ForcedOpen } else { BreakerState::Closed };
                let stand = StandBreaker { pool, provider: provider(*id), state, reason: "é \"why\"".into(), now };
                format!("{:?}", self.store.stand(stand).await.expect("stand"))
            }
            Operation::Look => {
                let listed = self.store.pools(&self.name.namespace).await.expect("list");
                format!("{:?} {listed:?}", self.store.pool(&self.name, now).await.expect("read"))
            }
            Operation::Wait { .. } => String::new(),
        }
    }

    async fn change(&self, change: &Change, expected: Expected, now: Timestamp) -> String {
        let record = self.store.pool(&self.name, now).await.expect("read");
        let change = match change {
            Change::Replace(providers) => PoolChange::Replace(ReplacePool {
                settings: json(format!("[{}]", providers.len())),
                providers: providers.iter().map(|(id, settings)| seeded(*id, *settings)).collect(),
            }),
            Change::Settings(settings) => PoolChange::Settings(json(format!("{{\"n\":[{settings}]}}"))),
            Change::Add(id, settings) => PoolChange::Add(seeded(*id, *settings)),
            Change::Patch(id, settings, expected) => {
                let known = record.iter().flat_map(|record| &record.providers).find(|known| known.id == provider(*id));
                let SeededProvider { id, body, traits, seal_key, .. } = seeded(*id, *settings);
                let expected = expected.of(known.map_or(0, |known| known.settings.version));
                PoolChange::Patch(PatchProvider { id, body, traits, seal_key, expected })
            }
            Change::Remove(id) => PoolChange::Remove(provider(*id)),
            Change::Drop => PoolChange::Drop,
        };
        let expected = expected.of(record.map_or(0, |record| record.revision));
        let change = ChangePool { pool: self.name.clone(), change, expected, max_providers: MAX_PROVIDERS, now };
        format!("{:?}", self.store.change(change).await.expect("change"))
    }
}

impl Expected {
    fn of(self, current: u64) -> Option<u64> {
        match self {
            Self::Any => None,
            Self::Right => Some(current),
            Self::Wrong => Some(current + 1),
        }
    }
}

/// How many outcomes there are.
const OUTCOMES: usize = 8;

fn outcome(number: usize, now: Timestamp) -> Outcome {
    let failure = |class| Failure {
        class,
        message: "it said \"no\" 🦀\n".to_owned(),
        counts: true,
        condemns: false,
        retry_at: None,
        needs_refresh: false,
    };
    match number {
        0 => Outcome::Neutral,
        1 => Outcome::Unsent,
        2 => Outcome::Failed(failure(FailureClass::Server)),
        3 => Outcome::Failed(Failure { counts: false, ..failure(FailureClass::Network) }),
        4 => Outcome::Failed(Failure { condemns: true, ..failure(FailureClass::Forbidden) }),
        5 => {
            let retry_at = Some(now.after(Duration::from_secs(2)));
            Outcome::Failed(Failure { retry_at, ..failure(FailureClass::RateLimited) })
        }
        6 => Outcome::Failed(Failure { needs_refresh: true, ..failure(FailureClass::Unauthorized) }),
        _ => Outcome::Success,
    }
}

/// Rules, tight enough to be reached.
fn rules(quorum: u32) -> SelectionRules {
    SelectionRules {
        strategy: Choosing::Score,
        health: HealthRules { max_failures: 2, window: Duration::from_secs(10), retry_after: Duration::from_secs(4) },
        breaker: BreakerRules {
            max_errors: 2,
            error_window: Duration::from_secs(10),
            open_for: Duration::from_secs(3),
            slow_after: Duration::from_millis(100),
            slow_per_mille: 50,
            slow_for: Duration::from_secs(12),
            min_answers: 3,
            sample: 2,
            successes_to_close: 2,
            quorum,
        },
    }
}

fn seeded(id: usize, settings: u8) -> SeededProvider {
    let excluded_models = if settings.is_multiple_of(5) { vec!["gpt-4o".to_owned()] } else { Vec::new() };
    let traits = Traits {
        disabled: settings % 7 == 6,
        weight: 1 + u32::from(settings % 3),
        priority: (settings % 2).into(),
        max_in_flight: (settings % 4).into(),
        excluded_models,
    };
    let seal_key = settings.is_multiple_of(3).then(|| "k".to_owned());
    let body = json(format!("{{\"n\":{settings},\"a\":[ ]}}"));
    SeededProvider { id: provider(id), body, traits, seal_key, health: None, counters: None }
}

fn json(text: String) -> RawJson {
    RawJson::parse(&text).expect("JSON")
}

fn provider(number: usize) -> ProviderId {
    ProviderId::parse(IDS[number]).expect("an id")
}

fn use_of(number: usize) -> LeaseId {
    LeaseId::parse(format!("use-{number}")).expect("a use")
}

fn node(number: usize) -> String {
    format!("n{}", number % 2)
}
