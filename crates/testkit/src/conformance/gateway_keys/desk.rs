//! One gateway key and those who use it.

use crate::conformance::Bed;
use mainstay_core::api::providers::{GatewayKeyId, LeaseId, PoolType, ProviderId};
use mainstay_core::api::{Namespace, RawJson, Timestamp};
use mainstay_core::providers::keys::{
    Admission, Admit, CreateKey, KeyLimits, KeyOutcome, KeyRecord, KeyStore, ListUsage, Refusal, Reserve, Settle,
    Spent, Tally, UsageRow,
};
use mainstay_core::{Mint, RandomMint};
use std::sync::Arc;
use std::time::Duration;

/// How long a request of the cases is in flight at most.
pub const FLIGHT_MS: i64 = 10 * 60 * 1_000;

#[derive(Clone)]
pub struct Desk {
    pub keys: Arc<dyn KeyStore>,
    pub namespace: Namespace,
    pub digest: String,
    pub now: Timestamp,
}

impl Desk {
    pub fn new(bed: &Bed) -> Self {
        Self::at(bed, bed.now())
    }

    pub fn at(bed: &Bed, now: Timestamp) -> Self {
        let digest = RandomMint.event_id().to_string();
        Self { keys: bed.stores().gateway_keys.clone(), namespace: bed.namespace(), digest, now }
    }

    pub async fn with(bed: &Bed, limits: KeyLimits) -> Self {
        let desk = Self::new(bed);
        assert_eq!(desk.create(desk.record("gwk-1", limits)).await, KeyOutcome::Stored(1));
        desk
    }

    pub fn later(&self, millis: i64) -> Self {
        Self { now: Timestamp::from_millis(self.now.as_millis() + millis), ..self.clone() }
    }

    pub fn record(&self, id: &str, limits: KeyLimits) -> KeyRecord {
        KeyRecord {
            id: GatewayKeyId::parse(id).expect("an id"),
            digest: self.digest.clone(),
            namespace: self.namespace.clone(),
            body: RawJson::parse(r#"{"name":"é","n":12345678901234567890123}"#).expect("JSON"),
            seal_key: None,
            limits,
            disabled: false,
            expires_at: None,
            version: 1,
            created_at: self.now,
            tally: Tally::default(),
        }
    }

    pub async fn create(&self, record: KeyRecord) -> KeyOutcome {
        self.keys.create_key(CreateKey { record, max_keys: 100, now: self.now }).await.expect("create")
    }

    pub async fn read(&self) -> KeyRecord {
        self.keys.key_of(&self.digest, self.now).await.expect("read").expect("a key")
    }

    pub async fn tally(&self) -> Tally {
        self.read().await.tally
    }

    pub async fn ask(&self, request: &str, reserve: Reserve) -> Admission {
        let admit = Admit {
            digest: self.digest.clone(),
            request: lease(request),
            reserve,
            until: self.now.after(Duration::from_millis(FLIGHT_MS.unsigned_abs())),
            now: self.now,
        };
        self.keys.admit(admit).await.expect("admit")
    }

    /// Asks to be let in; why not, where the answer is no.
    pub async fn admit(&self, request: &str, tokens: u64, cost: u64) -> Option<Refusal> {
        match self.ask(request, Reserve { tokens, cost }).await {
            Admission::Admitted(record) => {
                assert_eq!(record.digest, self.digest);
                None
            }
            Admission::Refused(refusal) => Some(refusal),
            Admission::Unknown => panic!("there is no key"),
        }
    }

    pub fn settlement(&self, request: &str, spent: Spent) -> Settle {
        Settle {
            digest: Some(self.digest.clone()),
            label: "gwk-1".into(),
            namespace: self.namespace.clone(),
            request: lease(request),
            pool: PoolType::parse("openai").expect("a pool"),
            provider: ProviderId::parse("p1").expect("a provider"),
            model: "gpt-4o".into(),
            spent,
            failed: false,
            admitted_at: self.now,
            max_rows: 100,
            now: self.now,
        }
    }

    pub async fn settle(&self, settle: Settle) -> bool {
        self.keys.settle(settle).await.expect("settle")
    }

    pub fn listing(&self) -> ListUsage {
        let (from_day, to_day) = (mainstay_core::providers::keys::day_of(self.now) - 1, 0);
        ListUsage {
            namespace: self.namespace.clone(),
            label: None,
            from_day,
            to_day: from_day + 3 + to_day,
            after: None,
            limit: 100,
        }
    }

    pub async fn usage(&self) -> Vec<UsageRow> {
        self.keys.usage(self.listing()).await.expect("usage")
    }
}

pub fn lease(text: &str) -> LeaseId {
    LeaseId::parse(text).expect("a request")
}

pub fn spent(input_tokens: u64, output_tokens: u64, cost: u64) -> Spent {
    Spent { input_tokens, cached_tokens: 0, output_tokens, cost, reported: true }
}
