//! One request: let in, routed, sent to one provider after the other until one answers, passed on, settled.
//!
//! *Invariant:* another provider is asked only as long as the client has been told nothing.
//!
//! *Invariant:* whoever goes away, a use of a provider is ended and a request is settled: both end by being dropped.

mod asked;
mod attempt;
mod bill;
pub(crate) mod judging;
mod passage;
mod ports;
mod refusal;
mod request;
mod round;
mod routing;

pub use asked::{Addressed, Asked, Who, Wish};
pub use passage::Pieces;
pub use ports::{
    Account, Entry, Observed, Observer, Pass, PoolBook, PoolPlan, ProviderPlan, Receipt, StickyRule, Supply, Till,
    Token, Tokens,
};
pub use refusal::Refusal;
pub use routing::{Routing, RoutingSource};

use crate::checking::Schedule;
use crate::errors::Kind;
use crate::models::{self, Model};
use crate::seats::{SeatParts, Seats};
use crate::upstream::{Clients, Target, Way};
use crate::{Protocol, is_loopback};
use asked::Head;
use bill::{Bill, Cashier};
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderValue};
use mainstay_core::api::providers::{LeaseId, PoolType, ProviderId};
use mainstay_core::providers::keys::{Prospect, Spent};
use mainstay_core::providers::{PoolName, ProviderStore};
use mainstay_core::{Clock, Mint};
use round::Round;
use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// What is configured about serving.
#[derive(Debug, Clone)]
pub struct GatewayRules {
    /// How long a use of a provider lasts where its node says nothing more: longer than three renewals.
    pub lease_for: Duration,
    /// Longest answer that is not a stream, in bytes.
    pub max_answer_bytes: usize,
    /// The proxy on the way to upstreams for which nothing else says one; none where absent.
    pub proxy: Option<String>,
}

impl Default for GatewayRules {
    /// Uses of a minute, and answers of 64 MiB.
    fn default() -> Self {
        Self { lease_for: Duration::from_secs(60), max_answer_bytes: 64 * 1_024 * 1_024, proxy: None }
    }
}

/// What the gateway needs.
pub struct GatewayParts {
    /// Pools of providers.
    pub store: Arc<dyn ProviderStore>,
    /// What the settings of pools say.
    pub book: Arc<dyn PoolBook>,
    /// Access tokens of providers.
    pub tokens: Arc<dyn Tokens>,
    /// Who may ask, and what they used.
    pub till: Arc<dyn Till>,
    /// Which pools may answer.
    pub routing: Arc<dyn RoutingSource>,
    /// Is told what happens.
    pub observer: Arc<dyn Observer>,
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Makes ids.
    pub mint: Arc<dyn Mint>,
    /// This run of this node.
    pub node: String,
    /// What is configured.
    pub rules: GatewayRules,
}

/// The gateway.
pub struct Gateway {
    pub(crate) parts: GatewayParts,
    pub(crate) clients: Clients,
    pub(crate) schedule: Schedule,
    seats: Arc<Seats>,
    cashier: Cashier,
    tasks: TaskTracker,
}

/// An answer to a client.
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body.
    pub body: AnswerBody,
}

impl Answer {
    /// An answer whose body is JSON, all of it.
    pub(crate) fn json(status: u16, body: Bytes) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Self { status, headers, body: AnswerBody::Whole(body) }
    }
}

/// The body of an answer.
pub enum AnswerBody {
    /// All of it.
    Whole(Bytes),
    /// In pieces.
    Pieces(Pieces),
}

/// Which models somebody asks about.
#[derive(Debug, Clone)]
pub struct ListModels {
    /// In which shape they are told.
    pub client: Protocol,
    /// Who asks.
    pub who: Who,
    /// Of one pool; of all where absent.
    pub pool: Option<PoolType>,
    /// One of them.
    pub model: Option<String>,
}

impl Gateway {
    /// A gateway that has served nothing yet.
    #[must_use]
    pub fn new(parts: GatewayParts) -> Self {
        let tasks = TaskTracker::new();
        let observer = Arc::clone(&parts.observer);
        let seats = SeatParts {
            store: Arc::clone(&parts.store),
            clock: Arc::clone(&parts.clock),
            node: parts.node.clone(),
            lease_for: parts.rules.lease_for,
            on_transition: Arc::new(move |pool, changed, at| observer.observe(&Observed::Circuit(pool, changed, at))),
            tasks: tasks.clone(),
        };
        let cashier = Cashier { observer: Arc::clone(&parts.observer), tasks: tasks.clone() };
        let (clients, schedule) = (Clients::default(), Schedule::default());
        Self { parts, clients, schedule, seats: Arc::new(Seats::new(seats)), cashier, tasks }
    }

    /// Serves a request. Whatever happens, there is an answer in the protocol of the client.
    pub async fn serve(&self, asked: Asked) -> Answer {
        let served = async {
            let head = Head::read(&asked)?;
            let (pass, bill) = self.enter(&asked, &head).await?;
            Round::new(self, &asked, head, pass, bill).run().await
        };
        // Its state is large, and most of it is alive while an upstream is waited for.
        Box::pin(served).await.unwrap_or_else(|refusal: Refusal| refusal.answer(asked.client))
    }

    /// The models that may be asked for: those that settings of providers name.
    pub async fn models(&self, list: ListModels) -> Answer {
        let listed = self.listed(&list).await;
        let body = match (listed, &list.model) {
            (Err(refusal), _) => return refusal.answer(list.client),
            (Ok(all), None) => models::list(list.client, &all),
            (Ok(all), Some(name)) => match all.iter().find(|model| model.name == *name) {
                Some(model) => models::one(list.client, model),
                None => return Refusal::new(Kind::NotFound, format!("no pool names {name:?}")).answer(list.client),
            },
        };
        Answer::json(200, body)
    }

    /// Keeps what is in use from ending by itself.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn renew(&self) -> mainstay_core::Result<()> {
        self.seats.renew().await
    }

    /// How an upstream is reached: by its own proxy, else by that of the documents of its namespace, else by that of this node. What is
    /// on this machine is reached directly.
    pub(crate) async fn way<'a>(&self, pool: &PoolName, target: &'a Target) -> mainstay_core::Result<Cow<'a, Way>> {
        let own = Cow::Borrowed(&target.way);
        if own.proxy.is_some() || is_loopback(&target.base_url) {
            return Ok(own);
        }
        let routing = self.parts.routing.routing(&pool.namespace).await?;
        let proxy = routing.proxy(&pool.pool).map(str::to_owned).or_else(|| self.parts.rules.proxy.clone());
        // Without a proxy, which is usual, its certificates are not copied for every request.
        Ok(if proxy.is_some() { Cow::Owned(Way { proxy, ..own.into_owned() }) } else { own })
    }

    /// How often uses must be renewed.
    #[must_use]
    pub fn renew_every(&self) -> Duration {
        self.seats.lease_for() / 3
    }

    /// How many requests are with providers now.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.seats.count()
    }

    /// Waits until what is over has been told to the store, but no longer than this. Calling it twice does no harm.
    pub async fn close(&self, limit: Duration) {
        self.tasks.close();
        if tokio::time::timeout(limit, self.tasks.wait()).await.is_err() {
            tracing::warn!(tasks = self.tasks.len(), "what requests used was not settled in time");
        }
    }

    /// Lets a request in.
    async fn enter(&self, asked: &Asked, head: &Head) -> Result<(Pass, Bill), Refusal> {
        let request = self.new_lease()?;
        let entry = Entry {
            who: asked.who.clone(),
            request: request.clone(),
            model: head.model.clone(),
            pool: asked.pool.clone(),
            prospect: Prospect {
                prompt_bytes: asked.body.len() as u64,
                max_output_tokens: head.max_output_tokens,
                answers: head.answers.unwrap_or(1),
            },
        };
        let pass = self.parts.till.admit(entry).await?;
        let none = |_| Refusal::new(Kind::Internal, "the request cannot be named");
        let receipt = Receipt {
            request,
            sent: false,
            pool: PoolType::parse("none").map_err(none)?,
            provider: ProviderId::parse("none").map_err(none)?,
            model: head.model.clone().unwrap_or_default(),
            spent: Spent::default(),
            failed: true,
        };
        let bill = self.cashier.open(Arc::clone(&pass.account), receipt);
        if let Some(model) = head.model.as_deref().filter(|model| !pass.allows_model(model)) {
            return Err(Refusal::new(Kind::Forbidden, format!("the key may not ask for the model {model:?}")));
        }
        Ok((pass, bill))
    }

    async fn listed(&self, list: &ListModels) -> Result<Vec<Model>, Refusal> {
        let pass = self.parts.till.look(&list.who).await?;
        let pools = match &list.pool {
            Some(pool) => vec![pool.clone()],
            None => self.parts.book.pools(&pass.namespace).await?,
        };
        let mut models: Vec<Model> = Vec::new();
        for pool in pools.into_iter().filter(|pool| pass.allows_pool(pool)) {
            let name = PoolName { namespace: pass.namespace.clone(), pool };
            let Some(plan) = self.parts.book.pool(&name, None).await? else { continue };
            for model in plan.models().into_iter().filter(|model| pass.allows_model(model)) {
                if models.iter().all(|known| known.name != model) {
                    models.push(Model { name: model, since: plan.changed_at, owner: name.pool.to_string() });
                }
            }
        }
        models.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(models)
    }

    /// An id that is used once.
    fn new_lease(&self) -> Result<LeaseId, Refusal> {
        LeaseId::parse(self.parts.mint.event_id().to_string())
            .map_err(|_| Refusal::new(Kind::Internal, "a request cannot be named"))
    }
}
