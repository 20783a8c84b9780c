//! A node on a Redis that others use as well, with a disk of its own.

use mainstay_api::providers::{LeaseId, PoolType, ProviderId};
use mainstay_api::{Namespace, RawJson, Timestamp};
use mainstay_core::audit::{AuditRules, AuditService};
use mainstay_core::outage::{JournalBounds, Outage, OutlastingDocuments, OutlastingParts, Phase};
use mainstay_core::providers::{
    ChangePool, Choice, Choose, Finish, FinishUses, Finished, Outcome, PatchProvider, PoolChange, PoolName,
    PoolOutcome, ProviderStore, ReplacePool, SeededProvider, SelectionRules, Strategy, Traits,
};
use mainstay_core::{Clock, FakeClock, RandomMint, Stores};
use mainstay_redis::RedisOptions;
use mainstay_sqlite::OutageFile;
use mainstay_testkit::fixtures::RedisServer;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

const NOW_MS: i64 = 1_800_000_000_000;

/// A node.
pub struct Node {
    pub stores: Stores,
    pub outage: Arc<Outage>,
    pub documents: Arc<OutlastingDocuments>,
    pub clock: Arc<FakeClock>,
    pub file: OutageFile,
}

pub fn pool() -> PoolName {
    PoolName { namespace: Namespace::default(), pool: PoolType::parse("openai-custom").unwrap() }
}

pub fn id(name: &str) -> ProviderId {
    ProviderId::parse(name).unwrap()
}

fn json(text: &str) -> RawJson {
    RawJson::parse(text).unwrap()
}

fn seeded(name: &str) -> SeededProvider {
    let body = json(&format!(r#"{{"name": "{name}",  "models": []}}"#));
    SeededProvider { id: id(name), body, traits: Traits::default(), seal_key: None, health: None, counters: None }
}

impl Node {
    /// A node on a server, at this address of it, with its disk in a folder.
    pub async fn start(port: u16, folder: &Path) -> Self {
        Self::bounded(port, folder, JournalBounds::default()).await
    }

    pub async fn bounded(port: u16, folder: &Path, bounds: JournalBounds) -> Self {
        let mut options = RedisOptions::from_url(&format!("redis://127.0.0.1:{port}")).unwrap();
        // A server that is away must cost a test no more than this.
        options.retry_budget_ms = 200;
        options.response_timeout_ms = 1_000;
        options.may_be_away = true;
        let stores = Box::pin(mainstay_redis::open(options)).await.unwrap();
        let file = OutageFile::open(folder.join("outage.db")).await.unwrap();
        let outage = Arc::new(Outage::new(Arc::new(file.clone()), Arc::new(file.clone()), bounds));
        let (clock, mint) = (Arc::new(FakeClock::at(NOW_MS)), Arc::new(RandomMint));
        let rules = AuditRules { append_timeout_ms: 100, ..AuditRules::default() };
        let parts = OutlastingParts {
            documents: Arc::clone(&stores.documents),
            providers: Arc::clone(&stores.providers),
            credentials: Arc::clone(&stores.credentials),
            probe: Arc::clone(&stores.probe),
            outage: Arc::clone(&outage),
            audit: AuditService::new(Arc::clone(&stores.audit), clock.clone(), mint.clone(), rules),
            clock: clock.clone(),
            mint,
        };
        let documents = Arc::new(OutlastingDocuments::open(parts).await.unwrap());
        Self { stores, outage, documents, clock, file }
    }

    /// The pools as the node serves them.
    pub fn pools(&self) -> &dyn ProviderStore {
        self.documents.pools().as_ref()
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// One look at the store, a second later.
    pub async fn look(&self) -> Phase {
        self.clock.advance(1_000);
        self.documents.run_once().await;
        self.outage.standing.stood().phase
    }

    /// Looks until the store is there again and nothing waits.
    pub async fn come_back(&self) {
        for _ in 0..50 {
            if self.look().await == Phase::Connected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("it is never back: {:?}", self.outage.standing.stood());
    }

    pub async fn is_away(&self) {
        for _ in 0..50 {
            if matches!(self.look().await, Phase::Away { .. }) {
                return;
            }
        }
        panic!("it is never away: {:?}", self.outage.standing.stood());
    }

    pub async fn change(&self, change: PoolChange) -> PoolOutcome {
        let now = self.now();
        self.pools().change(ChangePool { pool: pool(), change, expected: None, max_providers: 10, now }).await.unwrap()
    }

    /// A pool of two providers that is copied.
    pub async fn seed(&self) {
        let providers = vec![seeded("a"), seeded("b")];
        let seeded = self.change(PoolChange::Replace(ReplacePool { settings: json("{}"), providers })).await;
        assert!(matches!(seeded, PoolOutcome::Changed(_)), "{seeded:?}");
        assert_eq!(self.look().await, Phase::Connected);
    }

    pub async fn patch(&self, name: &str, body: &str) -> PoolOutcome {
        let (body, traits) = (json(body), Traits::default());
        self.change(PoolChange::Patch(PatchProvider { id: id(name), body, traits, seal_key: None, expected: None }))
            .await
    }

    pub async fn choose(&self, lease: &str) -> mainstay_core::Result<Choice> {
        let rules = SelectionRules { strategy: Strategy::LeastUsed, ..SelectionRules::default() };
        let choose = Choose {
            pool: pool(),
            model: None,
            sticky: None,
            except: Vec::new(),
            lease: LeaseId::parse(lease).unwrap(),
            node: "n1".into(),
            lease_for: Duration::from_secs(60),
            rules,
            now: self.now(),
        };
        self.pools().choose(choose).await
    }

    pub async fn chosen(&self, lease: &str) -> ProviderId {
        match self.choose(lease).await.unwrap() {
            Choice::Chosen(chosen) => chosen.provider,
            other => panic!("{other:?}"),
        }
    }

    pub async fn finish(
        &self,
        lease: &str,
        provider: &ProviderId,
        outcome: Outcome,
    ) -> mainstay_core::Result<Finished> {
        let (lease, provider, node) = (LeaseId::parse(lease).unwrap(), provider.clone(), "n1".to_owned());
        let uses = vec![Finish { lease, provider, node, outcome, first_byte: None }];
        self.pools().finish(FinishUses { pool: pool(), uses, rules: SelectionRules::default(), now: self.now() }).await
    }

    /// Requests and errors of a provider, as the store has them.
    pub async fn counted(&self, name: &str) -> (u64, u64) {
        let found = self.stores.providers.provider(&pool(), &id(name), self.now()).await.unwrap().unwrap();
        (found.counters.requests, found.counters.errors)
    }
}

/// A server that writes everything down.
pub async fn redis() -> RedisServer {
    mainstay_testkit::fixtures::RedisServerOptions::new().aof().start().await.unwrap()
}
