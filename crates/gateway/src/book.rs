//! What settings of pools and providers say, read once for each revision.

mod pools;
mod providers;

use crate::serving::{PoolBook, PoolPlan, ProviderPlan};
use async_trait::async_trait;
use mainstay_core::api::Namespace;
use mainstay_core::api::providers::PoolType;
use mainstay_core::providers::settings::readable;
use mainstay_core::providers::{PoolName, PoolRecord, ProviderRecord, ProviderStore, owner, sealing};
use mainstay_core::secrets::KeyRing;
use mainstay_core::{Clock, Result};
use secrecy::ExposeSecret;
use serde_json::{Map, Value};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// Most pools that are kept read.
const MAX_POOLS: usize = 1_024;
/// How old a pool may be that was read: a choice tells of a newer revision at once, but not that there is a pool now.
const MAX_AGE: Duration = Duration::from_secs(5);

/// Time-outs of upstreams, in milliseconds, where settings of a provider name none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UsualTimeouts {
    /// Until a connection is open.
    pub connect_ms: u64,
    /// Until the first byte of an answer.
    pub first_byte_ms: u64,
    /// Silence within an answer.
    pub idle_ms: u64,
}

impl Default for UsualTimeouts {
    /// Ten seconds for a connection, and two minutes else: models think for long, and say nothing while they do.
    fn default() -> Self {
        Self { connect_ms: 10_000, first_byte_ms: 120_000, idle_ms: 120_000 }
    }
}

impl UsualTimeouts {
    /// Says what settings do not say.
    fn complete(self, body: &mut Map<String, Value>) {
        for (name, ms) in [
            ("connect_timeout_ms", self.connect_ms),
            ("first_byte_timeout_ms", self.first_byte_ms),
            ("idle_timeout_ms", self.idle_ms),
        ] {
            body.entry(name).or_insert_with(|| ms.into());
        }
    }
}

/// Pools, as their settings describe them.
pub struct Book {
    store: Arc<dyn ProviderStore>,
    ring: Option<KeyRing>,
    clock: Arc<dyn Clock>,
    usual: UsualTimeouts,
    read: Mutex<HashMap<PoolName, Read>>,
    names: Mutex<HashMap<Namespace, (i64, Vec<PoolType>)>>,
}

#[derive(Clone)]
struct Read {
    at_ms: i64,
    plan: Option<Arc<PoolPlan>>,
}

impl Book {
    /// A book of the pools in a store, whose secrets a ring opens.
    #[must_use]
    pub fn new(store: Arc<dyn ProviderStore>, ring: Option<KeyRing>, clock: Arc<dyn Clock>) -> Self {
        Self { store, ring, clock, usual: UsualTimeouts::default(), read: Mutex::default(), names: Mutex::default() }
    }

    /// The same with other time-outs where settings name none.
    #[must_use]
    pub fn with_usual(mut self, usual: UsualTimeouts) -> Self {
        self.usual = usual;
        self
    }

    fn plan(&self, pool: &PoolName, record: &PoolRecord) -> PoolPlan {
        let settings: Map<String, Value> = serde_json::from_str(record.settings.as_str()).unwrap_or_default();
        let providers = record.providers.iter();
        PoolPlan {
            providers: providers
                .map(|provider| (provider.id.clone(), self.provider(pool, &settings, provider)))
                .collect(),
            changed_at: record
                .providers
                .iter()
                .map(|provider| provider.settings.updated_at)
                .max()
                .unwrap_or(mainstay_core::api::Timestamp::from_millis(0)),
            ..pools::read(pool, record.revision, &settings)
        }
    }

    /// A provider whose settings cannot be opened or read is there, and cannot be asked.
    fn provider(&self, pool: &PoolName, settings: &Map<String, Value>, record: &ProviderRecord) -> ProviderPlan {
        let opened = sealing(self.ring.as_ref(), &owner(pool, &record.id), &[]).open(&record.settings.body);
        let body = opened
            .map_err(|error| error.problem.detail.clone())
            .and_then(|text| readable(text.expose_secret()).ok_or_else(|| "it is no JSON object".into()));
        match body {
            Ok(mut body) => {
                self.usual.complete(&mut body);
                providers::read(pool, settings, &body)
            }
            Err(why) => ProviderPlan {
                disabled: record.settings.traits.disabled,
                models: Vec::new(),
                excluded_models: record.settings.traits.excluded_models.clone(),
                check: None,
                target: Err(why),
            },
        }
    }
}

#[async_trait]
impl PoolBook for Book {
    async fn pool(&self, pool: &PoolName, revision: Option<u64>) -> Result<Option<Arc<PoolPlan>>> {
        let now = self.clock.now();
        let known = self.read.lock().unwrap_or_else(PoisonError::into_inner).get(pool).cloned();
        if let Some(Read { at_ms, plan }) = &known {
            let is_current = match (revision, plan) {
                (Some(revision), Some(plan)) => plan.revision >= revision,
                (Some(_), None) => false,
                (None, _) => now.as_millis().saturating_sub(*at_ms) < MAX_AGE.as_millis() as i64,
            };
            if is_current {
                return Ok(plan.clone());
            }
        }
        let known = known.and_then(|read| read.plan);
        let plan = self.store.pool(pool, now).await?.map(|record| match known {
            // A revision never stands for other settings, so what was unsealed of it is still what they say.
            Some(plan) if plan.revision == record.revision => plan,
            _ => Arc::new(self.plan(pool, &record)),
        });
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if read.len() >= MAX_POOLS {
            read.clear();
        }
        read.insert(pool.clone(), Read { at_ms: now.as_millis(), plan: plan.clone() });
        Ok(plan)
    }

    async fn pools(&self, namespace: &Namespace) -> Result<Vec<PoolType>> {
        let now_ms = self.clock.now().as_millis();
        let known = self.names.lock().unwrap_or_else(PoisonError::into_inner).get(namespace).cloned();
        if let Some((at_ms, names)) = known
            && now_ms.saturating_sub(at_ms) < MAX_AGE.as_millis() as i64
        {
            return Ok(names);
        }
        let names: Vec<PoolType> = self.store.pools(namespace).await?.into_iter().map(|summary| summary.pool).collect();
        let mut known = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_POOLS {
            known.clear();
        }
        known.insert(namespace.clone(), (now_ms, names.clone()));
        Ok(names)
    }
}
