//! The seam of the data plane: who asks, whether they may, and what they used.

use super::port::{Admission, Admit, KeyRecord, KeyStore, Reserve, Settle, Spent};
use super::prices::{MAX_COUNT, PriceTable, matches};
use super::record::KeyBody;
use super::refusals::{not_allowed, refused, unknown, unnamed_model};
use crate::error::{Error, Result};
use crate::text::{cut, sha256_hex};
use crate::{Caller, Clock, Scope};
use mainstay_api::providers::{LeaseId, PoolType, ProviderId};
use mainstay_api::{Code, Namespace, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// Longest text that is taken for a secret, in bytes.
const MAX_SECRET_BYTES: usize = 512;
/// The longest that a request may be in flight.
const MAX_FLIGHT: Duration = Duration::from_secs(24 * 60 * 60);
/// Longest name of a model in usage, in bytes.
const MAX_MODEL_BYTES: usize = 200;
/// Most rows of usage in a day of a namespace.
const MAX_ROWS: u32 = 10_000;

/// Is told what the meter does, to count it.
pub trait MeterWatch: Send + Sync {
    /// A request was let in.
    fn admitted(&self);
    /// A request was not, or an admission was taken back.
    fn refused(&self, code: Code);
    /// A request was counted in usage.
    fn settled(&self, spent: &Spent);
}

impl MeterWatch for () {
    fn admitted(&self) {}
    fn refused(&self, _code: Code) {}
    fn settled(&self, _spent: &Spent) {}
}

/// Admits requests and settles what they used.
pub struct Meter {
    store: Arc<dyn KeyStore>,
    clock: Arc<dyn Clock>,
    watch: Arc<dyn MeterWatch>,
}

/// A request that wants to be let in.
#[derive(Debug, Clone)]
pub struct Ask<'a> {
    /// The secret that came with it.
    pub secret: &'a str,
    /// Its id, new for each request.
    pub request: LeaseId,
    /// The model that it asks for; absent where nothing says which, which a key with models of its own may not ask for.
    pub model: Option<&'a str>,
    /// The pool that it asks for, where it does.
    pub pool: Option<&'a PoolType>,
    /// What it may use ([`PriceTable::estimate`]).
    pub reserve: Reserve,
    /// How long it may be in flight, at most a day.
    pub flight: Duration,
}

/// A key, as far as whoever serves a request needs it.
#[derive(Debug, Clone)]
pub struct Known {
    /// Where its pools are.
    pub namespace: Namespace,
    /// The words for it in usage.
    pub label: String,
    models: Vec<String>,
    pools: Vec<String>,
}

impl Known {
    fn of(record: &KeyRecord) -> Result<Self> {
        let body = KeyBody::of(record)?;
        let (namespace, label) = (record.namespace.clone(), record.id.to_string());
        Ok(Self { namespace, label, models: body.models, pools: body.pools })
    }

    /// Somebody with an ordinary credential, who may ask for anything.
    ///
    /// # Errors
    /// `auth.forbidden`.
    pub fn of_caller(caller: &Caller) -> Result<Self> {
        caller.require(Scope::GatewayUse)?;
        let (namespace, label) = (caller.namespace.clone(), caller.principal.to_string());
        Ok(Self { namespace, label, models: Vec::new(), pools: Vec::new() })
    }

    /// Patterns of the models that it may ask for; any where empty.
    #[must_use]
    pub fn models(&self) -> &[String] {
        &self.models
    }

    /// The pools that it may use; any where empty.
    #[must_use]
    pub fn pools(&self) -> &[String] {
        &self.pools
    }

    /// Whether it may ask for a model.
    #[must_use]
    pub fn allows_model(&self, model: &str) -> bool {
        self.models.is_empty() || self.models.iter().any(|pattern| matches(pattern, model))
    }

    /// Whether it may use a pool.
    #[must_use]
    pub fn allows_pool(&self, pool: &PoolType) -> bool {
        self.pools.is_empty() || self.pools.iter().any(|allowed| allowed == pool.as_str())
    }
}

/// A request that was let in. It is to be settled or withdrawn.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// Who asks.
    pub who: Known,
    digest: Option<String>,
    request: LeaseId,
    admitted_at: Timestamp,
}

/// What became of a request.
#[derive(Debug, Clone)]
pub struct Settlement<'a> {
    /// The pool that answered.
    pub pool: PoolType,
    /// The provider that answered.
    pub provider: ProviderId,
    /// The model that answered.
    pub model: &'a str,
    /// The tokens; what they cost is told by the prices.
    pub spent: Spent,
    /// Whether it failed.
    pub failed: bool,
}

impl Meter {
    /// A meter on a store, and who counts what it does.
    #[must_use]
    pub fn new(store: Arc<dyn KeyStore>, clock: Arc<dyn Clock>, watch: Arc<dyn MeterWatch>) -> Self {
        Self { store, clock, watch }
    }

    /// The key of a secret, where there is one that is neither disabled nor over: for what is told and not counted.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn recognise(&self, secret: &str) -> Result<Option<Known>> {
        let now = self.clock.now();
        let Some(digest) = digest(secret) else { return Ok(None) };
        let found = self.store.key_of(&digest, now).await?;
        let valid = |key: &KeyRecord| !key.disabled && key.expires_at.is_none_or(|at| at > now);
        found.filter(valid).map(|record| Known::of(&record)).transpose()
    }

    /// The same, for whoever must have such a key.
    ///
    /// # Errors
    /// `auth.credential_invalid`; those of the store.
    pub async fn known(&self, secret: &str) -> Result<Known> {
        self.recognise(secret).await?.ok_or_else(unknown)
    }

    /// Lets a request in: counts it, and reserves what it may use, in one step of the store.
    ///
    /// # Errors
    /// `auth.credential_invalid`, `gateway.key_refused`, `gateway.model_refused`, `gateway.limited`, `gateway.budget_spent`;
    /// those of the store. Where it fails, nothing is counted.
    pub async fn admit(&self, ask: Ask<'_>) -> Result<Ticket> {
        let asked = self.ask(ask).await;
        match &asked {
            Ok(_) => self.watch.admitted(),
            Err(error) => self.watch.refused(error.code()),
        }
        asked
    }

    async fn ask(&self, ask: Ask<'_>) -> Result<Ticket> {
        let now = self.clock.now();
        let digest = digest(ask.secret).ok_or_else(unknown)?;
        let reserve = Reserve { tokens: ask.reserve.tokens.min(MAX_COUNT), cost: ask.reserve.cost.min(MAX_COUNT) };
        let until = now.after(ask.flight.min(MAX_FLIGHT));
        let admit = Admit { digest: digest.clone(), request: ask.request.clone(), reserve, until, now };
        let record = match self.store.admit(admit).await? {
            Admission::Admitted(record) => record,
            Admission::Refused(refusal) => return Err(refused(refusal, now)),
            Admission::Unknown => return Err(unknown()),
        };
        let who = Known::of(&record)?;
        let ticket = Ticket { who, digest: Some(digest), request: ask.request, admitted_at: now };
        // What the key names came with the admission; looking first would be another round trip for every request.
        if let Some(refused) = foreign(&ticket.who, ask.model, ask.pool) {
            self.withdraw(&ticket).await?;
            return Err(refused);
        }
        Ok(ticket)
    }

    /// Lets a request of somebody in who has an ordinary credential: it has no limits, and usage under its name.
    ///
    /// # Errors
    /// `auth.forbidden`.
    pub fn admit_caller(&self, caller: &Caller, request: LeaseId) -> Result<Ticket> {
        let who = Known::of_caller(caller)?;
        self.watch.admitted();
        Ok(Ticket { who, digest: None, request, admitted_at: self.clock.now() })
    }

    /// Settles a request, however often it is called: what was reserved is replaced by what was used. Returns whether this
    /// call counted it.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn settle(&self, ticket: &Ticket, settlement: Settlement<'_>, prices: &PriceTable) -> Result<bool> {
        let mut spent = settlement.spent;
        for tokens in [&mut spent.input_tokens, &mut spent.cached_tokens, &mut spent.output_tokens] {
            *tokens = (*tokens).min(MAX_COUNT);
        }
        spent.cost = prices.of(settlement.model).cost(&spent);
        let settle = Settle {
            digest: ticket.digest.clone(),
            label: ticket.who.label.clone(),
            namespace: ticket.who.namespace.clone(),
            request: ticket.request.clone(),
            pool: settlement.pool,
            provider: settlement.provider,
            model: model_name(settlement.model),
            spent,
            failed: settlement.failed,
            admitted_at: ticket.admitted_at,
            max_rows: MAX_ROWS,
            now: self.clock.now(),
        };
        let counted = self.store.settle(settle).await?;
        if counted {
            self.watch.settled(&spent);
        }
        Ok(counted)
    }

    /// Takes an admission back where nothing was sent, as if it had never been asked for.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn withdraw(&self, ticket: &Ticket) -> Result<()> {
        let Some(digest) = &ticket.digest else { return Ok(()) };
        self.store.withdraw(digest, &ticket.request).await.map(drop)
    }
}

fn foreign(who: &Known, model: Option<&str>, pool: Option<&PoolType>) -> Option<Error> {
    match model {
        Some(model) if !who.allows_model(model) => return Some(not_allowed("model", &cut(model, MAX_MODEL_BYTES))),
        None if !who.models.is_empty() => return Some(unnamed_model()),
        _ => {}
    }
    let pool = pool.filter(|pool| !who.allows_pool(pool))?;
    Some(not_allowed("pool", pool.as_str()))
}

/// The digest of a secret; none where it is too long to be one.
pub(super) fn digest(secret: &str) -> Option<String> {
    (!secret.is_empty() && secret.len() <= MAX_SECRET_BYTES).then(|| sha256_hex(secret.as_bytes()))
}

/// The name of a model as usage tells it: bounded, and without what is no text for a row.
fn model_name(model: &str) -> String {
    let printed: String = model.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    cut(&printed, MAX_MODEL_BYTES)
}
