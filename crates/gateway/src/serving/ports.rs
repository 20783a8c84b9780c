//! What serving needs to be told: of pools, tokens, and those who ask.

use super::asked::Who;
use crate::checking::{CheckPlan, CheckResult};
use crate::upstream::{Speaks, Target};
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::providers::{LeaseId, PoolType, ProviderId};
use mainstay_core::api::{Namespace, Timestamp};
use mainstay_core::providers::keys::{Prospect, Spent, matches};
use mainstay_core::providers::{FailureClass, PoolName, SelectionRules, Transition};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A pool, as its settings describe it.
#[derive(Debug, Clone)]
pub struct PoolPlan {
    /// The revision of the pool that this is of.
    pub revision: u64,
    /// What its providers speak where they say nothing themselves.
    pub speaks: Speaks,
    /// By which rules it chooses and judges.
    pub rules: SelectionRules,
    /// Whether requests of one session stay together.
    pub sticky: Option<StickyRule>,
    /// Pools that are asked where none of this one can be.
    pub fallback: Vec<PoolType>,
    /// Its providers.
    pub providers: BTreeMap<ProviderId, ProviderPlan>,
    /// When it was last changed.
    pub changed_at: Timestamp,
}

impl PoolPlan {
    /// Whether any of its providers may be asked for a model.
    #[must_use]
    pub fn serves(&self, model: &str) -> bool {
        self.providers.values().any(|provider| provider.serves(model))
    }

    /// Whether any of its providers says by name that it serves a model.
    #[must_use]
    pub fn names(&self, model: &str) -> bool {
        self.providers.values().any(|provider| !provider.models.is_empty() && provider.serves(model))
    }

    /// Providers that say that they do not serve a model.
    pub(crate) fn without(&self, model: &str) -> Vec<ProviderId> {
        let unfit = self.providers.iter().filter(|(_, provider)| !provider.disabled && !provider.serves(model));
        unfit.map(|(id, _)| id.clone()).collect()
    }

    /// The models that its providers name.
    pub(crate) fn models(&self) -> Vec<String> {
        let named = self.providers.values().filter(|provider| !provider.disabled).flat_map(|provider| &provider.models);
        named.filter(|model| !model.contains('*')).cloned().collect()
    }
}

/// How a session is recognised, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StickyRule {
    /// The header that names it; the user that the body names where absent.
    pub header: Option<String>,
    /// How long it is remembered.
    pub ttl: Duration,
}

/// A provider, as its settings describe it.
#[derive(Debug, Clone)]
pub struct ProviderPlan {
    /// Whether it is left out.
    pub disabled: bool,
    /// Models that it serves; any where empty.
    pub models: Vec<String>,
    /// Models that it does not serve.
    pub excluded_models: Vec<String>,
    /// How it is checked; absent where nobody asks for it.
    pub check: Option<CheckPlan>,
    /// Where it is; why it cannot be asked, where its settings cannot be read.
    pub target: std::result::Result<Arc<Target>, String>,
}

impl ProviderPlan {
    /// Whether it may be asked for a model.
    #[must_use]
    pub fn serves(&self, model: &str) -> bool {
        let named = |models: &[String]| models.iter().any(|pattern| matches(pattern, model));
        !self.disabled && !named(&self.excluded_models) && (self.models.is_empty() || named(&self.models))
    }
}

/// What is known of pools.
#[async_trait]
pub trait PoolBook: Send + Sync {
    /// A pool; absent where there is none. Where a revision is named, what is answered is no older.
    ///
    /// # Errors
    /// Those of the store.
    async fn pool(&self, pool: &PoolName, revision: Option<u64>) -> Result<Option<Arc<PoolPlan>>>;

    /// The pools of a namespace.
    ///
    /// # Errors
    /// Those of the store.
    async fn pools(&self, namespace: &Namespace) -> Result<Vec<PoolType>>;
}

/// An access token, and the version of the credential that it is from.
#[derive(Debug, Clone)]
pub struct Token {
    /// The token.
    pub text: SecretString,
    /// The version.
    pub version: u64,
}

/// Whether there is a token.
#[derive(Debug, Clone)]
pub enum Supply {
    /// There is.
    Token(Token),
    /// There is none for now, or for ever.
    None(String),
}

/// Access tokens of providers.
#[async_trait]
pub trait Tokens: Send + Sync {
    /// A token for a request, with the version of the credential where it is known.
    ///
    /// # Errors
    /// Those of the store.
    async fn bearer(&self, pool: &PoolName, provider: &ProviderId, version: Option<u64>) -> Result<Supply>;

    /// A newer token than the one that was refused.
    ///
    /// # Errors
    /// Those of the store.
    async fn refresh(&self, pool: &PoolName, provider: &ProviderId, seen: u64) -> Result<Supply>;
}

/// Somebody who wants to be let in.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Who.
    pub who: Who,
    /// The id of the request.
    pub request: LeaseId,
    /// For which model, where one is named.
    pub model: Option<String>,
    /// The pool that it names.
    pub pool: Option<PoolType>,
    /// What is known of what it may use.
    pub prospect: Prospect,
}

/// Somebody who was let in.
#[derive(Clone)]
pub struct Pass {
    /// Whose pools are used.
    pub namespace: Namespace,
    /// Pools that may be used; any where absent.
    pub pools: Option<Vec<PoolType>>,
    /// Models that may be asked for; any where absent.
    pub models: Option<Vec<String>>,
    /// Where the request is settled.
    pub account: Arc<dyn Account>,
}

impl Pass {
    /// Whether a pool may be used.
    #[must_use]
    pub fn allows_pool(&self, pool: &PoolType) -> bool {
        self.pools.as_ref().is_none_or(|pools| pools.contains(pool))
    }

    /// Whether a model may be asked for.
    #[must_use]
    pub fn allows_model(&self, model: &str) -> bool {
        self.models.as_ref().is_none_or(|models| models.iter().any(|pattern| matches(pattern, model)))
    }
}

/// What a request used.
#[derive(Debug, Clone)]
pub struct Receipt {
    /// The request.
    pub request: LeaseId,
    /// Whether anything was sent to a provider.
    pub sent: bool,
    /// The pool that answered, or would have.
    pub pool: PoolType,
    /// The provider that answered; `none` where none did.
    pub provider: ProviderId,
    /// The model.
    pub model: String,
    /// What it used; its cost is not known here.
    pub spent: Spent,
    /// Whether it failed.
    pub failed: bool,
}

/// Where one request is settled.
#[async_trait]
pub trait Account: Send + Sync {
    /// Settles the request. A second time changes nothing.
    ///
    /// # Errors
    /// Those of the store.
    async fn settle(&self, receipt: &Receipt) -> Result<()>;
}

/// Who may ask, and how much.
#[async_trait]
pub trait Till: Send + Sync {
    /// Lets a request in.
    ///
    /// # Errors
    /// Why it is not; those of the store.
    async fn admit(&self, entry: Entry) -> Result<Pass>;

    /// Who somebody is, for what costs nothing.
    ///
    /// # Errors
    /// As of [`Self::admit`].
    async fn look(&self, who: &Who) -> Result<Pass>;
}

/// What is told to whoever measures.
#[derive(Debug, Clone)]
pub enum Observed<'a> {
    /// A provider gave its first byte.
    FirstByte(&'a PoolType, Duration),
    /// A provider failed.
    Failed(&'a PoolType, FailureClass),
    /// A request is over.
    Over(&'a Receipt),
    /// A check was made.
    Checked(&'a PoolType, CheckResult),
    /// A circuit changed, and when.
    Circuit(&'a PoolName, &'a Transition, Timestamp),
}

/// Is told what happens.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn observe(&self, observed: &Observed<'_>);
}
