//! A gateway before a fake provider.

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;
use http::HeaderMap;
use mainstay_core::api::providers::{LeaseId, PoolType, ProviderId};
use mainstay_core::api::{Code, Namespace, Timestamp};
use mainstay_core::providers::{
    AddCounts, BreakerState, ChangePool, CheckClaim, Checked, Choice, Choose, Chosen, ClaimCheck, Finish, FinishUses,
    Finished, NoneFree, PoolName, PoolOutcome, PoolRecord, PoolSummary, ProviderRecord, ProviderStore, Renew,
    ResealSettings, ResetProviders, SelectionRules, StandBreaker,
};
use mainstay_core::{Clock, Error, RandomMint, Result, SystemClock};
use mainstay_gateway::Protocol;
use mainstay_gateway::serving::{
    Account, Answer, AnswerBody, Asked, Entry, Gateway, GatewayParts, GatewayRules, Observed, Observer, Pass, PoolBook,
    PoolPlan, ProviderPlan, Receipt, Routing, RoutingSource, Supply, Till, Token, Tokens, Who, Wish,
};
use mainstay_gateway::upstream::{HeaderRules, Speaks, Target, Way};
use mainstay_testkit::fixtures::FakeProvider;
use secrecy::ExposeSecret;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub const LIMIT: Duration = Duration::from_secs(20);

pub fn pool(name: &str) -> PoolType {
    PoolType::parse(name).unwrap()
}

/// What a gateway asks for, in memory: which provider was used how often, and how it went.
#[derive(Default)]
pub struct Desk {
    pub plans: Mutex<HashMap<PoolType, Arc<PoolPlan>>>,
    pub chosen: Mutex<Vec<(LeaseId, ProviderId)>>,
    pub renewed: Mutex<Vec<LeaseId>>,
    pub finished: Mutex<Vec<Finish>>,
    pub receipts: Arc<Mutex<Vec<Receipt>>>,
    pub refreshed: Mutex<u32>,
    pub routing: Mutex<Arc<Routing>>,
    pub models: Mutex<Option<Vec<String>>>,
}

#[async_trait]
impl ProviderStore for Desk {
    async fn choose(&self, choose: Choose) -> Result<Choice> {
        let plans = self.plans.lock().unwrap();
        let Some(plan) = plans.get(&choose.pool.pool) else { return Ok(Choice::NoPool) };
        let mut chosen = self.chosen.lock().unwrap();
        let free = plan.providers.keys().filter(|id| !choose.except.contains(id));
        let Some(id) = free.min_by_key(|id| chosen.iter().filter(|(_, used)| used == *id).count()) else {
            let providers = plan.providers.len() as u32;
            return Ok(Choice::NoneFree(NoneFree { providers, unhealthy: providers, ..NoneFree::default() }));
        };
        chosen.push((choose.lease, id.clone()));
        let credential = id.as_str().starts_with("oauth").then_some(1);
        Ok(Choice::Chosen(Chosen {
            provider: id.clone(),
            settings: 1,
            credential,
            revision: plan.revision,
            probe: false,
        }))
    }

    async fn renew(&self, renew: Renew) -> Result<()> {
        self.renewed.lock().unwrap().extend(renew.leases);
        Ok(())
    }

    async fn finish(&self, uses: FinishUses) -> Result<Finished> {
        self.finished.lock().unwrap().extend(uses.uses);
        Ok(Finished::default())
    }

    async fn pools(&self, _namespace: &Namespace) -> Result<Vec<PoolSummary>> {
        Ok(Vec::new())
    }

    async fn everywhere(&self, _after: Option<&PoolName>, _limit: u32) -> Result<Vec<PoolName>> {
        Ok(Vec::new())
    }

    async fn pool(&self, _pool: &PoolName, _now: Timestamp) -> Result<Option<PoolRecord>> {
        Ok(None)
    }

    async fn provider(&self, _: &PoolName, _: &ProviderId, _: Timestamp) -> Result<Option<ProviderRecord>> {
        Ok(None)
    }

    async fn change(&self, _change: ChangePool) -> Result<PoolOutcome> {
        Ok(PoolOutcome::NotFound)
    }

    async fn claim_check(&self, _claim: ClaimCheck) -> Result<CheckClaim> {
        Ok(CheckClaim::NotFound)
    }

    async fn checked(&self, _check: Checked) -> Result<Finished> {
        Ok(Finished::default())
    }

    async fn reset(&self, _reset: ResetProviders) -> Result<u32> {
        Ok(0)
    }

    async fn stand(&self, _stand: StandBreaker) -> Result<Option<BreakerState>> {
        Ok(None)
    }

    async fn add_counts(&self, _add: AddCounts) -> Result<bool> {
        Ok(false)
    }

    async fn settings_seal_keys(&self) -> Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn settings_not_sealed_with(&self, _key: &str, _limit: u32) -> Result<Vec<(PoolName, ProviderId)>> {
        Ok(Vec::new())
    }

    async fn reseal_settings(&self, _reseal: ResealSettings) -> Result<bool> {
        Ok(false)
    }
}

#[async_trait]
impl PoolBook for Desk {
    async fn pool(&self, pool: &PoolName, _revision: Option<u64>) -> Result<Option<Arc<PoolPlan>>> {
        Ok(self.plans.lock().unwrap().get(&pool.pool).cloned())
    }

    async fn pools(&self, _namespace: &Namespace) -> Result<Vec<PoolType>> {
        Ok(self.plans.lock().unwrap().keys().cloned().collect())
    }
}

#[async_trait]
impl Tokens for Desk {
    async fn bearer(&self, _pool: &PoolName, _provider: &ProviderId, _version: Option<u64>) -> Result<Supply> {
        let version = u64::from(*self.refreshed.lock().unwrap()) + 1;
        Ok(Supply::Token(Token { text: format!("token-{version}").into(), version }))
    }

    async fn refresh(&self, pool: &PoolName, provider: &ProviderId, _seen: u64) -> Result<Supply> {
        *self.refreshed.lock().unwrap() += 1;
        self.bearer(pool, provider, None).await
    }
}

#[async_trait]
impl Till for Desk {
    async fn admit(&self, entry: Entry) -> Result<Pass> {
        self.look(&entry.who).await
    }

    async fn look(&self, who: &Who) -> Result<Pass> {
        if let Who::Key(key) = who
            && !key.expose_secret().starts_with("mgw_")
        {
            return Err(Error::new(Code::CredentialInvalid, "the key is none of this gateway", "Send another one."));
        }
        let account = Arc::new(Receipts(Arc::clone(&self.receipts)));
        let models = self.models.lock().unwrap().clone();
        Ok(Pass { namespace: Namespace::default(), pools: None, models, account })
    }
}

/// What was settled.
struct Receipts(Arc<Mutex<Vec<Receipt>>>);

#[async_trait]
impl Account for Receipts {
    async fn settle(&self, receipt: &Receipt) -> Result<()> {
        self.0.lock().unwrap().push(receipt.clone());
        Ok(())
    }
}

#[async_trait]
impl RoutingSource for Desk {
    async fn routing(&self, _namespace: &Namespace) -> Result<Arc<Routing>> {
        Ok(Arc::clone(&self.routing.lock().unwrap()))
    }
}

impl Observer for Desk {
    fn observe(&self, _observed: &Observed<'_>) {}
}

pub struct Bed {
    pub desk: Arc<Desk>,
    pub gateway: Arc<Gateway>,
    pub provider: FakeProvider,
}

impl Bed {
    /// A gateway with one pool, `main`, of providers that speak OpenAI; each has its own name as key.
    pub async fn new(ids: &[&str]) -> Self {
        let bed = Self::empty().await;
        bed.pool("main", Protocol::OpenAi, ids);
        bed
    }

    pub async fn empty() -> Self {
        let desk = Arc::new(Desk::default());
        let gateway = Gateway::new(GatewayParts {
            store: Arc::clone(&desk) as _,
            book: Arc::clone(&desk) as _,
            tokens: Arc::clone(&desk) as _,
            till: Arc::clone(&desk) as _,
            routing: Arc::clone(&desk) as _,
            observer: Arc::clone(&desk) as _,
            clock: Arc::new(SystemClock) as Arc<dyn Clock>,
            mint: Arc::new(RandomMint),
            node: "node".into(),
            rules: GatewayRules::default(),
        });
        Self { desk, gateway: Arc::new(gateway), provider: FakeProvider::start().await.unwrap() }
    }

    pub fn pool(&self, name: &str, protocol: Protocol, ids: &[&str]) {
        let providers = ids.iter().map(|id| (ProviderId::parse(*id).unwrap(), self.plan(protocol, id))).collect();
        let plan = PoolPlan {
            revision: 1,
            speaks: Speaks::Protocol(protocol),
            rules: SelectionRules::default(),
            sticky: None,
            fallback: Vec::new(),
            providers,
            changed_at: Timestamp::from_millis(0),
        };
        self.desk.plans.lock().unwrap().insert(pool(name), Arc::new(plan));
    }

    fn plan(&self, protocol: Protocol, id: &str) -> ProviderPlan {
        let target = Target {
            speaks: Speaks::Protocol(protocol),
            base_url: self.provider.url().parse().unwrap(),
            key: (!id.starts_with("oauth")).then(|| id.into()),
            key_header: (http::header::AUTHORIZATION, "Bearer ".into()),
            headers: HeaderRules::default(),
            way: Way { connect_timeout: Duration::from_secs(5), ..Way::default() },
            first_byte_timeout: Duration::from_millis(700),
            idle_timeout: Duration::from_millis(700),
            model_map: BTreeMap::from([("alias".to_owned(), "real".to_owned())]),
        };
        let (models, excluded_models) = (Vec::new(), Vec::new());
        ProviderPlan { disabled: false, models, excluded_models, check: None, target: Ok(Arc::new(target)) }
    }

    pub async fn ask(&self, client: Protocol, body: &serde_json::Value) -> Told {
        self.serve(asked(client, body)).await
    }

    pub async fn serve(&self, asked: Asked) -> Told {
        let answer = tokio::time::timeout(LIMIT, self.gateway.serve(asked)).await.unwrap();
        Told::of(answer).await
    }

    /// How uses went, once everything that is over has been told.
    pub async fn finished(&self) -> Vec<Finish> {
        self.gateway.close(LIMIT).await;
        self.desk.finished.lock().unwrap().clone()
    }

    pub async fn receipt(&self) -> Receipt {
        self.gateway.close(LIMIT).await;
        let receipts = self.desk.receipts.lock().unwrap();
        assert_eq!(receipts.len(), 1, "{receipts:?}");
        receipts[0].clone()
    }
}

/// An answer that was taken to its end.
#[derive(Debug)]
pub struct Told {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
    pub broke: bool,
}

impl Told {
    async fn of(answer: Answer) -> Self {
        let (mut text, mut broke) = (Vec::new(), false);
        match answer.body {
            AnswerBody::Whole(body) => text.extend_from_slice(&body),
            AnswerBody::Pieces(mut pieces) => {
                while let Some(piece) = tokio::time::timeout(LIMIT, pieces.next()).await.unwrap() {
                    match piece {
                        Ok(piece) => text.extend_from_slice(&piece),
                        Err(_) => broke = true,
                    }
                }
            }
        }
        let text = String::from_utf8(text).unwrap();
        Self { status: answer.status, headers: answer.headers, text, broke }
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("{self:?}"))
    }
}

pub fn asked(client: Protocol, body: &serde_json::Value) -> Asked {
    Asked {
        client,
        wish: Wish::Generate(None),
        who: Who::Key("mgw_key".into()),
        pool: Some(pool("main")),
        headers: HeaderMap::new(),
        query: None,
        body: Bytes::from(body.to_string()),
    }
}
