//! One request on its way from pool to pool and from provider to provider.

use super::asked::{Asked, Head, Wish};
use super::bill::Bill;
use super::ports::{Pass, PoolPlan};
use super::refusal::Refusal;
use super::routing::{Candidate, Routing};
use super::{Answer, AnswerBody, Gateway};
use crate::counting::{self, Counted};
use crate::errors::Kind;
use crate::upstream::Speaks;
use bytes::Bytes;
use http::HeaderMap;
use mainstay_core::api::providers::{PoolType, ProviderId};
use mainstay_core::providers::{NoneFree, PoolName};
use std::sync::Arc;

/// A request under way.
pub(super) struct Round<'a> {
    pub gateway: &'a Gateway,
    pub asked: &'a Asked,
    pub head: Head,
    pub pass: Pass,
    /// Taken by the answer that is passed on; settled with the round otherwise.
    pub bill: Option<Bill>,
    /// Providers of the present pool that are not asked any more.
    pub except: Vec<ProviderId>,
    /// Providers whose token was refreshed for this request.
    pub refreshed: Vec<ProviderId>,
    pub attempts_left: u32,
    /// What the last provider said that did not do it.
    pub said: Option<Spoken>,
    /// Why nobody could be asked.
    pub why: Option<Refusal>,
}

/// What a provider said, all of it.
pub(super) struct Spoken {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Spoken {
    pub fn answer(self) -> Answer {
        Answer { status: self.status, headers: self.headers, body: AnswerBody::Whole(self.body) }
    }
}

/// What an attempt led to.
pub(super) enum Step {
    /// An answer.
    Done(Answer),
    /// Another provider of the pool may do it.
    Again,
    /// Nobody in this pool can.
    NextPool,
}

impl<'a> Round<'a> {
    pub fn new(gateway: &'a Gateway, asked: &'a Asked, head: Head, pass: Pass, bill: Bill) -> Self {
        Self {
            gateway,
            asked,
            head,
            pass,
            bill: Some(bill),
            except: Vec::new(),
            refreshed: Vec::new(),
            attempts_left: 0,
            said: None,
            why: None,
        }
    }

    /// Asks one after the other, until one answers or nobody is left.
    pub async fn run(mut self) -> Result<Answer, Refusal> {
        let routing = self.gateway.parts.routing.routing(&self.pass.namespace).await?;
        self.attempts_left = routing.max_attempts;
        let first = self.first(&routing).await?;
        if !self.pass.allows_pool(&first.pool) {
            let message = format!("the key may not use the pool {:?}", first.pool.as_str());
            return Err(Refusal::new(Kind::Forbidden, message));
        }
        let own_chain = self.plan(&first.pool).await?.map(|plan| plan.fallback.clone()).unwrap_or_default();
        for candidate in routing.candidates(first, &own_chain) {
            if let Some(answer) = self.ask(&candidate).await? {
                return Ok(answer);
            }
        }
        match (self.said.take(), self.why.take()) {
            // What a provider said last is passed as it is.
            (Some(said), _) => Ok(said.answer()),
            (None, Some(why)) => Err(why),
            (None, None) => Err(Refusal::new(Kind::Overloaded, "no provider is free to answer")),
        }
    }

    /// Asks providers of one pool.
    async fn ask(&mut self, candidate: &Candidate) -> Result<Option<Answer>, Refusal> {
        if !self.pass.allows_pool(&candidate.pool) {
            return Ok(None);
        }
        let Some(plan) = self.plan(&candidate.pool).await? else {
            self.unable(Kind::NotFound, format!("there is no pool {:?}", candidate.pool.as_str()));
            return Ok(None);
        };
        if let Some(answer) = self.counted_here(&plan)? {
            return Ok(Some(answer));
        }
        if let Some(bill) = &mut self.bill {
            bill.receipt.pool = candidate.pool.clone();
            bill.receipt.model = candidate.model.clone().unwrap_or_default();
        }
        self.except = candidate.model.as_deref().map(|model| plan.without(model)).unwrap_or_default();
        self.refreshed.clear();
        while self.attempts_left > 0 {
            self.attempts_left -= 1;
            match self.attempt(candidate, &plan).await? {
                Step::Done(answer) => return Ok(Some(answer)),
                Step::Again => {}
                Step::NextPool => break,
            }
        }
        Ok(None)
    }

    /// The pool that is asked first: the one that the request names, else the one that a route names, else the first of the
    /// usual ones that serves the model, else the only one that there is.
    async fn first(&self, routing: &Routing) -> Result<Candidate, Refusal> {
        let model = self.head.model.clone();
        if let Some(pool) = &self.asked.pool {
            return Ok(Candidate { pool: pool.clone(), model });
        }
        if let Some(routed) = model.as_deref().and_then(|model| routing.routed(model)) {
            return Ok(routed);
        }
        let usual = routing.default_pools();
        let serves = |plan: &PoolPlan| model.as_deref().is_none_or(|model| plan.serves(model));
        for pool in usual.iter().filter(|pool| self.pass.allows_pool(pool)) {
            if self.plan(pool).await?.is_some_and(|plan| serves(&plan)) {
                return Ok(Candidate { pool: pool.clone(), model });
            }
        }
        let all = self.gateway.parts.book.pools(&self.pass.namespace).await?;
        let mut naming = Vec::new();
        for pool in all.iter().filter(|pool| self.pass.allows_pool(pool)) {
            let plan = self.plan(pool).await?;
            if plan.is_some_and(|plan| model.as_deref().is_some_and(|model| plan.names(model))) {
                naming.push(pool);
            }
        }
        let only = match (&naming[..], &all[..]) {
            ([first, ..], _) => Some(*first),
            ([], [only]) => Some(only),
            _ => usual.first(),
        };
        let pool = only.cloned().ok_or_else(|| {
            let message = "nothing says which pool answers: name it in the path or the header Model-Provider, or set \
                           default_pools in the document settings/gateway";
            Refusal::new(Kind::NotFound, message)
        })?;
        Ok(Candidate { pool, model })
    }

    async fn plan(&self, pool: &PoolType) -> Result<Option<Arc<PoolPlan>>, Refusal> {
        Ok(self.gateway.parts.book.pool(&self.name(pool), None).await?)
    }

    /// The pool, in the namespace of who asks.
    pub fn name(&self, pool: &PoolType) -> PoolName {
        PoolName { namespace: self.pass.namespace.clone(), pool: pool.clone() }
    }

    /// Remembers why nobody could be asked; the first reason is that of the pool that was meant.
    pub fn unable(&mut self, kind: Kind, message: String) {
        self.why.get_or_insert_with(|| Refusal::new(kind, message));
    }

    /// Remembers that none of a pool is free.
    pub fn none_free(&mut self, pool: &PoolType, none: &NoneFree) {
        let now = self.gateway.parts.clock.now();
        let refusal = if none.providers > 0 && none.without_model + none.excepted == none.providers {
            let model = self.head.model.as_deref().unwrap_or_default();
            Refusal::new(
                Kind::NotFound,
                format!("no provider of the pool {:?} serves the model {model:?}", pool.as_str()),
            )
        } else {
            let message = format!(
                "no provider of the pool {:?} is free: of {}, {} are disabled, {} unhealthy, {} with an open circuit, {} full",
                pool.as_str(),
                none.providers,
                none.disabled,
                none.unhealthy,
                none.open,
                none.full
            );
            Refusal::new(Kind::Overloaded, message).until(none.retry_at, now)
        };
        self.why.get_or_insert(refusal);
    }

    /// The tokens of a request, where the upstream has no call for it: they are estimated here.
    fn counted_here(&mut self, plan: &PoolPlan) -> Result<Option<Answer>, Refusal> {
        let client = self.asked.client;
        if !matches!(self.asked.wish, Wish::CountTokens(_)) || plan.speaks == Speaks::Protocol(client) {
            return Ok(None);
        }
        let tokens =
            counting::estimate(client, &self.asked.body).map_err(|refused| Refusal::invalid(refused.message))?;
        if let Some(bill) = &mut self.bill {
            bill.receipt.failed = false;
        }
        Ok(Some(Answer::json(200, counting::count(client, Counted(tokens)))))
    }
}
