//! Sequences of a gateway key: admissions, withdrawals, settlements and changes of its limits.

use super::same;
use crate::conformance::{Bed, Window};
use crate::model;
use mainstay_core::api::providers::{GatewayKeyId, LeaseId, PoolType, ProviderId};
use mainstay_core::api::{Namespace, RawJson, Timestamp};
use mainstay_core::providers::keys::{
    Admit, ChangeKey, CreateKey, KeyLimits, KeyRecord, KeyStore, ListUsage, Period, Reserve, Settle, Spent, Tally,
    day_of,
};
use mainstay_core::{Mint, RandomMint};
use proptest::option;
use proptest::prelude::{BoxedStrategy, Strategy, any};
use proptest::prop_oneof;
use std::sync::Arc;
use std::time::Duration;

/// Requests of a sequence; few, so that they repeat.
const REQUESTS: usize = 12;

/// One operation. Numbers stand for requests.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    Admit {
        request: usize,
        tokens: u8,
        cost: u8,
        flight_s: u8,
    },
    Withdraw {
        request: usize,
    },
    Settle {
        request: usize,
        keyed: bool,
        tokens: u8,
        cost: u8,
        failed: bool,
    },
    Limit(Limits),
    /// Forgets what is over. Usage of days on which something may still be settled is never forgotten.
    Purge,
    Look,
    Wait {
        seconds: u16,
    },
}

/// Limits, small enough to be reached.
#[derive(Debug, Clone)]
pub(crate) struct Limits {
    minute: Option<u32>,
    tokens: Option<u64>,
    day: Option<u32>,
    bonus: u32,
    in_flight: Option<u32>,
    budget: Option<(u64, usize)>,
    disabled: bool,
}

/// Draws an operation.
pub(crate) fn operation() -> BoxedStrategy<Operation> {
    let request = || 0..REQUESTS;
    let settle = (request(), any::<bool>(), any::<u8>(), any::<u8>(), any::<bool>());
    prop_oneof![
        8 => (request(), any::<u8>(), any::<u8>(), 1..120_u8).prop_map(|(request, tokens, cost, flight_s)| {
            Operation::Admit { request, tokens, cost, flight_s }
        }),
        1 => request().prop_map(|request| Operation::Withdraw { request }),
        5 => settle.prop_map(|(request, keyed, tokens, cost, failed)| {
            Operation::Settle { request, keyed, tokens, cost, failed }
        }),
        2 => limits().prop_map(Operation::Limit),
        1 => proptest::strategy::Just(Operation::Purge),
        2 => proptest::strategy::Just(Operation::Look),
        3 => (0..120_u16).prop_map(|seconds| Operation::Wait { seconds }),
    ]
    .boxed()
}

fn limits() -> impl Strategy<Value = Limits> {
    let budget = option::of((0..600_u64, 0..Period::ALL.len()));
    let counts = (option::of(0..6_u32), option::of(0..600_u64), option::of(0..6_u32), 0..4_u32, option::of(0..4_u32));
    (counts, budget, proptest::bool::weighted(0.1)).prop_map(|(counts, budget, disabled)| {
        let (minute, tokens, day, bonus, in_flight) = counts;
        Limits { minute, tokens, day, bonus, in_flight, budget, disabled }
    })
}

/// Plays a sequence on the store of a bed and on a new model.
pub(super) async fn play(bed: Arc<Bed>, operations: Vec<Operation>) -> Result<(), String> {
    let window = bed.window().await;
    // Half an hour before a day ends, so that days and periods change within a sequence.
    let mut now = later(window.start, 84_600, &window);
    let digest = RandomMint.event_id().to_string();
    let store = Side::new(bed.stores().gateway_keys.clone(), bed.namespace(), &digest, now).await;
    let model = Side::new(model::stores().gateway_keys, store.namespace.clone(), &digest, now).await;
    for (number, operation) in operations.iter().chain([&Operation::Look]).enumerate() {
        if let Operation::Wait { seconds } = operation {
            now = later(now, i64::from(*seconds) * 10, &window);
            continue;
        }
        let (in_store, in_model) = (store.play(operation, now).await, model.play(operation, now).await);
        same(&format!("operation {number}, {operation:?}"), &in_store, &in_model)?;
    }
    Ok(())
}

fn later(now: Timestamp, seconds: i64, window: &Window) -> Timestamp {
    Timestamp::from_millis(now.as_millis() + seconds * 1_000)
        .min(Timestamp::from_millis(window.end().as_millis() + 3_600_000))
}

/// One of the two stores.
struct Side {
    keys: Arc<dyn KeyStore>,
    namespace: Namespace,
    digest: String,
    began: Timestamp,
}

impl Side {
    async fn new(keys: Arc<dyn KeyStore>, namespace: Namespace, digest: &str, began: Timestamp) -> Self {
        let side = Self { keys, namespace, digest: digest.to_owned(), began };
        let record = KeyRecord {
            id: GatewayKeyId::parse("gwk-1").expect("an id"),
            digest: side.digest.clone(),
            namespace: side.namespace.clone(),
            body: RawJson::parse("{}").expect("JSON"),
            seal_key: None,
            limits: KeyLimits::default(),
            disabled: false,
            expires_at: None,
            version: 1,
            created_at: began,
            tally: Tally::default(),
        };
        side.keys.create_key(CreateKey { record, max_keys: 10, now: began }).await.expect("create");
        side
    }

    async fn look(&self, now: Timestamp) -> KeyRecord {
        self.keys.key_of(&self.digest, now).await.expect("read").expect("a key")
    }

    /// Asks the store, and says what it answered.
    async fn play(&self, operation: &Operation, now: Timestamp) -> String {
        match operation {
            Operation::Admit { request, tokens, cost, flight_s } => {
                let admit = Admit {
                    digest: self.digest.clone(),
                    request: lease(*request),
                    reserve: Reserve { tokens: (*tokens).into(), cost: (*cost).into() },
                    until: now.after(Duration::from_secs((*flight_s).into())),
                    now,
                };
                format!("{:?}", self.keys.admit(admit).await.expect("admit"))
            }
            Operation::Withdraw { request } => {
                self.keys.withdraw(&self.digest, &lease(*request)).await.expect("withdraw").to_string()
            }
            Operation::Settle { request, keyed, tokens, cost, failed } => {
                let settle = self.settlement((*request, *keyed), now);
                let spent =
                    Spent { input_tokens: 1, output_tokens: (*tokens).into(), cost: (*cost).into(), ..settle.spent };
                let settle = Settle { spent, failed: *failed, ..settle };
                self.keys.settle(settle).await.expect("settle").to_string()
            }
            Operation::Limit(limits) => self.limit(limits, now).await,
            Operation::Purge => {
                while self.keys.purge(now, day_of(self.began)).await.expect("purge") {}
                format!("{:?}", self.usage().await)
            }
            Operation::Look => format!("{:?} {:?}", self.look(now).await, self.usage().await),
            Operation::Wait { .. } => String::new(),
        }
    }

    fn settlement(&self, (request, keyed): (usize, bool), now: Timestamp) -> Settle {
        Settle {
            digest: keyed.then(|| self.digest.clone()),
            label: if keyed { "gwk-1" } else { "owner" }.into(),
            namespace: self.namespace.clone(),
            request: lease(request),
            pool: PoolType::parse("p").expect("a pool"),
            provider: ProviderId::parse("q").expect("a provider"),
            model: format!("m{}", request % 4),
            spent: Spent::default(),
            failed: false,
            admitted_at: self.began,
            max_rows: 3,
            now,
        }
    }

    async fn limit(&self, limits: &Limits, now: Timestamp) -> String {
        let known = self.look(now).await;
        let wanted = KeyLimits {
            requests_per_minute: limits.minute,
            tokens_per_minute: limits.tokens,
            requests_per_day: limits.day,
            bonus_requests: limits.bonus,
            in_flight: limits.in_flight,
            budget: limits.budget.map(|(most, period)| (most, Period::ALL[period])),
        };
        let record = KeyRecord { limits: wanted, disabled: limits.disabled, ..known };
        format!("{:?}", self.keys.change_key(ChangeKey { record, now }).await.expect("change"))
    }

    async fn usage(&self) -> Vec<mainstay_core::providers::keys::UsageRow> {
        let from_day = day_of(self.began) - 1;
        let list = ListUsage {
            namespace: self.namespace.clone(),
            label: None,
            from_day,
            to_day: from_day + 4,
            after: None,
            limit: 100,
        };
        self.keys.usage(list).await.expect("usage")
    }
}

fn lease(number: usize) -> LeaseId {
    LeaseId::parse(format!("r{number}")).expect("a request")
}
