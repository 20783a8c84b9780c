//! Who may ask the gateway, and what they used: gateway keys and ordinary credentials, by the meter.

use super::directions::Directions;
use async_trait::async_trait;
use mainstay_core::Result;
use mainstay_core::api::Namespace;
use mainstay_core::api::providers::PoolType;
use mainstay_core::providers::keys::{Ask, Known, Meter, Reserve, Settlement, Ticket};
use mainstay_core::text::sha256_hex;
use mainstay_gateway::serving::{Account, Entry, Pass, Receipt, Till, Who};
use secrecy::ExposeSecret;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// How long a request is in flight at most where nobody settles it.
const FLIGHT: Duration = Duration::from_secs(60 * 60);
/// Most keys whose namespace is remembered.
const MAX_KEYS: usize = 10_000;

/// Lets requests in as the meter says, at the prices of their namespace.
pub(super) struct MeterTill {
    meter: Arc<Meter>,
    directions: Arc<Directions>,
    /// Where the pools of keys are, by the digest of their secret: what a request may cost is known before it is let in.
    namespaces: Mutex<HashMap<String, Namespace>>,
}

impl MeterTill {
    /// A till before a meter, with prices from documents.
    pub fn new(meter: Arc<Meter>, directions: Arc<Directions>) -> Self {
        Self { meter, directions, namespaces: Mutex::default() }
    }

    async fn admit_key(&self, secret: &str, entry: &Entry) -> Result<Ticket> {
        let digest = sha256_hex(secret.as_bytes());
        let known = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).cloned();
        let namespace = match known {
            Some(namespace) => Some(namespace),
            None => self.meter.recognise(secret).await?.map(|known| known.namespace),
        };
        let model = entry.model.as_deref();
        let reserve = match &namespace {
            Some(namespace) => {
                self.directions.of(namespace).await?.prices.estimate(model.unwrap_or_default(), entry.prospect)
            }
            // It is none, or none that is let in: the admission says why.
            None => Reserve::default(),
        };
        let ask =
            Ask { secret, request: entry.request.clone(), model, pool: entry.pool.as_ref(), reserve, flight: FLIGHT };
        let ticket = self.meter.admit(ask).await?;
        let mut namespaces = self.namespaces.lock().unwrap_or_else(PoisonError::into_inner);
        if namespaces.len() >= MAX_KEYS && !namespaces.contains_key(&digest) {
            namespaces.clear();
        }
        namespaces.insert(digest, ticket.who.namespace.clone());
        Ok(ticket)
    }

    fn pass(&self, who: Known, ticket: Option<Ticket>) -> Pass {
        let account = Arc::new(TicketAccount {
            meter: Arc::clone(&self.meter),
            directions: Arc::clone(&self.directions),
            ticket,
        });
        let listed = |texts: &[String]| (!texts.is_empty()).then(|| texts.to_vec());
        // What is no name of a pool is none that could be asked for, and must not stand for any.
        let pools = listed(who.pools()).map(|pools| pools.into_iter().filter_map(|pool| PoolType::parse(pool).ok()));
        let (pools, models) = (pools.map(Iterator::collect), listed(who.models()));
        Pass { namespace: who.namespace, pools, models, account }
    }
}

#[async_trait]
impl Till for MeterTill {
    async fn admit(&self, entry: Entry) -> Result<Pass> {
        let ticket = match &entry.who {
            Who::Key(secret) => self.admit_key(secret.expose_secret(), &entry).await?,
            Who::Caller(caller) => self.meter.admit_caller(caller, entry.request.clone())?,
        };
        Ok(self.pass(ticket.who.clone(), Some(ticket)))
    }

    async fn look(&self, who: &Who) -> Result<Pass> {
        let known = match who {
            Who::Key(secret) => self.meter.known(secret.expose_secret()).await?,
            Who::Caller(caller) => Known::of_caller(caller)?,
        };
        Ok(self.pass(known, None))
    }
}

/// Where one request is settled.
struct TicketAccount {
    meter: Arc<Meter>,
    directions: Arc<Directions>,
    /// What let it in; absent where nothing is to be settled.
    ticket: Option<Ticket>,
}

#[async_trait]
impl Account for TicketAccount {
    async fn settle(&self, receipt: &Receipt) -> Result<()> {
        let Some(ticket) = &self.ticket else { return Ok(()) };
        if !receipt.sent {
            return self.meter.withdraw(ticket).await;
        }
        let directions = self.directions.of(&ticket.who.namespace).await?;
        let settlement = Settlement {
            pool: receipt.pool.clone(),
            provider: receipt.provider.clone(),
            model: &receipt.model,
            spent: receipt.spent,
            failed: receipt.failed,
        };
        self.meter.settle(ticket, settlement, &directions.prices).await.map(drop)
    }
}
