//! A pool of one's own.

use crate::conformance::Bed;
use mainstay_core::api::providers::{LeaseId, PoolType, ProviderId};
use mainstay_core::api::{RawJson, Timestamp};
use mainstay_core::providers::{
    ChangePool, Choice, Choose, Chosen, Failure, FailureClass, Finish, FinishUses, Finished, NoneFree, Outcome,
    PatchProvider, PoolChange, PoolName, PoolOutcome, PoolRecord, ProviderRecord, ProviderStore, ReplacePool,
    SeededProvider, SelectionRules, Strategy, Traits,
};
use std::sync::Arc;
use std::time::Duration;

/// Most providers of the pool.
pub(super) const MAX: u32 = 4;
/// How long a use lasts.
pub(super) const LEASE: Duration = Duration::from_secs(60);

/// A pool, by a clock of its own.
#[derive(Clone)]
pub(super) struct House {
    pub store: Arc<dyn ProviderStore>,
    pub name: PoolName,
    pub rules: SelectionRules,
    pub now: Timestamp,
    pub node: &'static str,
}

impl House {
    pub fn new(bed: &Bed) -> Self {
        let name = PoolName { namespace: bed.namespace(), pool: PoolType::parse("openai-custom").expect("a type") };
        let (store, rules) = (bed.stores().providers.clone(), SelectionRules::default());
        Self { store, name, rules, now: bed.now(), node: "n1" }
    }

    /// A pool of providers that choose by a strategy.
    pub async fn of(bed: &Bed, strategy: Strategy, providers: Vec<SeededProvider>) -> Self {
        let mut house = Self::new(bed);
        house.rules.strategy = strategy;
        house.replace(providers).await;
        house
    }

    pub fn later(&self, millis: i64) -> Self {
        Self { now: Timestamp::from_millis(self.now.as_millis() + millis), ..self.clone() }
    }

    pub async fn change_expecting(&self, change: PoolChange, expected: Option<u64>) -> PoolOutcome {
        let (pool, now) = (self.name.clone(), self.now);
        self.store.change(ChangePool { pool, change, expected, max_providers: MAX, now }).await.expect("change")
    }

    pub async fn change(&self, change: PoolChange) -> PoolOutcome {
        self.change_expecting(change, None).await
    }

    pub async fn replace(&self, providers: Vec<SeededProvider>) -> u64 {
        match self.change(PoolChange::Replace(ReplacePool { settings: json("{}"), providers })).await {
            PoolOutcome::Changed(revision) => revision,
            other => panic!("replacing the pool: {other:?}"),
        }
    }

    pub async fn pool(&self) -> PoolRecord {
        self.store.pool(&self.name, self.now).await.expect("read").expect("a pool")
    }

    pub async fn provider(&self, id: &str) -> ProviderRecord {
        self.store.provider(&self.name, &provider_id(id), self.now).await.expect("read").expect("a provider")
    }

    pub fn ask(&self, lease: &str) -> Choose {
        Choose {
            pool: self.name.clone(),
            model: None,
            sticky: None,
            except: Vec::new(),
            lease: LeaseId::parse(lease).expect("a lease"),
            node: self.node.to_owned(),
            lease_for: LEASE,
            rules: self.rules,
            now: self.now,
        }
    }

    pub async fn choose(&self, lease: &str) -> Chosen {
        self.choose_by(self.ask(lease)).await
    }

    pub async fn choose_by(&self, choose: Choose) -> Chosen {
        match self.store.choose(choose).await.expect("choose") {
            Choice::Chosen(chosen) => chosen,
            other => panic!("nothing was chosen: {other:?}"),
        }
    }

    pub async fn none(&self, choose: Choose) -> NoneFree {
        match self.store.choose(choose).await.expect("choose") {
            Choice::NoneFree(none) => none,
            other => panic!("something was chosen: {other:?}"),
        }
    }

    /// Which is chosen, one after the other, each answered before the next.
    pub async fn turns(&self, count: usize) -> String {
        let mut names = String::new();
        for number in 0..count {
            let at = self.later(i64::try_from(number).expect("small"));
            let lease = format!("turn-{number}-{}", at.now.as_millis());
            names.push_str(at.choose(&lease).await.provider.as_str());
            at.finish(&lease, Outcome::Success).await;
        }
        names
    }

    pub async fn finish(&self, lease: &str, outcome: Outcome) -> Finished {
        self.finish_after(lease, outcome, None).await
    }

    pub async fn finish_after(&self, lease: &str, outcome: Outcome, first_byte: Option<Duration>) -> Finished {
        let ended = Finish {
            lease: LeaseId::parse(lease).expect("a lease"),
            provider: provider_id("a"),
            node: self.node.to_owned(),
            outcome,
            first_byte,
        };
        let uses = FinishUses { pool: self.name.clone(), uses: vec![ended], rules: self.rules, now: self.now };
        self.store.finish(uses).await.expect("finish")
    }
}

pub(super) fn json(text: &str) -> RawJson {
    RawJson::parse(text).expect("JSON")
}

pub(super) fn provider_id(id: &str) -> ProviderId {
    ProviderId::parse(id).expect("an id")
}

/// A provider that nothing is said of.
pub(super) fn plain(id: &str) -> SeededProvider {
    with(id, Traits::default())
}

pub(super) fn with(id: &str, traits: Traits) -> SeededProvider {
    SeededProvider { id: provider_id(id), body: json("{}"), traits, seal_key: None, health: None, counters: None }
}

pub(super) fn abc() -> Vec<SeededProvider> {
    ["a", "b", "c"].map(plain).into()
}

pub(super) fn patch(id: &str, body: &str, expected: Option<u64>) -> PoolChange {
    let (id, body, traits) = (provider_id(id), json(body), Traits::default());
    PoolChange::Patch(PatchProvider { id, body, traits, seal_key: None, expected })
}

/// A failure that counts.
pub(super) fn failed(class: FailureClass) -> Failure {
    let message = "it said \"no\" 🦀\n".to_owned();
    Failure { class, message, counts: true, condemns: false, retry_at: None, needs_refresh: false }
}
