//! One provider is chosen and asked.

use super::judging::{Evidence, Verdict, judge, unreached};
use super::passage::{Passage, Unread, spent};
use super::ports::{Observed, PoolPlan, Supply, Token};
use super::refusal::Refusal;
use super::request::{Sent, Unworded, Wording};
use super::round::{Round, Spoken, Step};
use super::routing::Candidate;
use super::{Answer, AnswerBody};
use crate::errors::Kind;
use crate::seats::{Seat, Taken};
use crate::translate::{self, Stream};
use crate::upstream::{Incoming, Passed, Target, allowed_answer_headers, send};
use crate::usage::Usage;
use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use mainstay_core::providers::{Choice, Choose, Chosen, Failure, Outcome, PoolName, Sticky};
use mainstay_core::text::sha256_hex;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Longest complaint of an upstream that is passed on, in bytes.
const MAX_COMPLAINT_BYTES: usize = 64 * 1_024;

/// A provider that was chosen, with what its settings say.
struct Picked {
    pool: PoolName,
    seat: Seat,
    target: Arc<Target>,
    token: Option<Token>,
}

impl Round<'_> {
    /// Chooses a provider and asks it.
    pub async fn attempt(&mut self, candidate: &Candidate, plan: &PoolPlan) -> Result<Step, Refusal> {
        let pool = self.name(&candidate.pool);
        let Some((seat, chosen)) = self.choose(&pool, candidate, plan).await? else { return Ok(Step::NextPool) };
        let Some(target) = self.target(&pool, &chosen, plan).await? else {
            self.except.push(chosen.provider);
            return Ok(Step::Again);
        };
        let wording = match self.worded(&target, candidate.model.as_deref()) {
            Ok(wording) => wording,
            Err(Unworded::Unfit(refusal)) => {
                self.why.get_or_insert(refusal);
                return Ok(Step::NextPool);
            }
            Err(Unworded::Refused(refused)) => {
                let (status, body) = refused.answer(self.asked.client);
                return Ok(Step::Done(Answer::json(status, body)));
            }
        };
        let Some(token) = self.token(&pool, &chosen, &target).await? else {
            self.except.push(chosen.provider);
            return Ok(Step::Again);
        };
        self.send(Picked { pool, seat, target, token }, wording).await
    }

    async fn choose(
        &mut self,
        pool: &PoolName,
        candidate: &Candidate,
        plan: &PoolPlan,
    ) -> Result<Option<(Seat, Chosen)>, Refusal> {
        let gateway = self.gateway;
        let lease = gateway.new_lease()?;
        let choose = Choose {
            pool: pool.clone(),
            model: candidate.model.clone(),
            sticky: self.sticky(plan),
            except: self.except.clone(),
            lease: lease.clone(),
            node: gateway.parts.node.clone(),
            lease_for: gateway.seats.lease_for(),
            rules: plan.rules,
            now: gateway.parts.clock.now(),
        };
        match gateway.parts.store.choose(choose).await? {
            Choice::Chosen(chosen) => {
                let provider = chosen.provider.clone();
                let taken = Taken { pool: pool.clone(), lease, provider, rules: plan.rules };
                Ok(Some((gateway.seats.take(taken), chosen)))
            }
            Choice::NoneFree(none) => {
                self.none_free(&pool.pool, &none);
                Ok(None)
            }
            Choice::NoPool => {
                self.unable(Kind::NotFound, format!("there is no pool {:?}", pool.pool.as_str()));
                Ok(None)
            }
        }
    }

    /// The session of the request, as a digest: what a client sends is in no key of the store.
    fn sticky(&self, plan: &PoolPlan) -> Option<Sticky> {
        let rule = plan.sticky.as_ref()?;
        let named = match &rule.header {
            Some(header) => self.asked.headers.get(header)?.to_str().ok()?.to_owned(),
            None => self.head.user.clone()?,
        };
        Some(Sticky { key: sha256_hex(named.as_bytes()), ttl: rule.ttl })
    }

    /// What the settings of the chosen provider say: as they were when it was chosen, or newer.
    async fn target(
        &mut self,
        pool: &PoolName,
        chosen: &Chosen,
        plan: &PoolPlan,
    ) -> Result<Option<Arc<Target>>, Refusal> {
        let newer;
        let mut plan = plan;
        if plan.revision != chosen.revision {
            let Some(read) = self.gateway.parts.book.pool(pool, Some(chosen.revision)).await? else { return Ok(None) };
            newer = read;
            plan = &newer;
        }
        match plan.providers.get(&chosen.provider).map(|provider| &provider.target) {
            Some(Ok(target)) => Ok(Some(Arc::clone(target))),
            Some(Err(why)) => {
                tracing::warn!(pool = %pool.pool, provider = %chosen.provider, why, "a provider cannot be asked");
                self.unable(
                    Kind::Overloaded,
                    format!("a provider of the pool {:?} cannot be asked", pool.pool.as_str()),
                );
                Ok(None)
            }
            None => Ok(None),
        }
    }

    /// The token of a provider that has no key; nothing where it has a credential that gives none now.
    async fn token(
        &mut self,
        pool: &PoolName,
        chosen: &Chosen,
        target: &Target,
    ) -> Result<Option<Option<Token>>, Refusal> {
        if target.key.is_some() || chosen.credential.is_none() {
            return Ok(Some(None));
        }
        match self.gateway.parts.tokens.bearer(pool, &chosen.provider, chosen.credential).await? {
            Supply::Token(token) => Ok(Some(Some(token))),
            Supply::None(why) => {
                tracing::debug!(pool = %pool.pool, provider = %chosen.provider, why, "a provider has no token now");
                self.unable(
                    Kind::Overloaded,
                    format!("a provider of the pool {:?} has no token now", pool.pool.as_str()),
                );
                Ok(None)
            }
        }
    }

    async fn send(&mut self, mut picked: Picked, wording: Wording) -> Result<Step, Refusal> {
        let way = self.gateway.way(&picked.pool, &picked.target).await?;
        let client = match self.gateway.clients.of(&way) {
            Ok(client) => client,
            Err(why) => {
                tracing::warn!(pool = %picked.pool.pool, provider = %picked.seat.provider, why, "an upstream cannot be asked");
                self.unable(Kind::Overloaded, "an upstream cannot be asked as its settings stand".into());
                self.except.push(picked.seat.provider.clone());
                return Ok(Step::Again);
            }
        };
        let token = picked.token.as_ref().map(|token| &token.text);
        let outgoing = self.outgoing(&wording, &Sent { target: &picked.target, token, client });
        if let Some(bill) = &mut self.bill {
            bill.receipt.provider = picked.seat.provider.clone();
            bill.receipt.sent = true;
        }
        picked.seat.is_sent = true;
        let began = Instant::now();
        match send(outgoing).await {
            Ok(incoming) => self.heard(Heard { picked, wording, incoming, began }).await,
            Err(unreachable) => {
                let kind = if unreachable.timed_out { Kind::Timeout } else { Kind::Upstream };
                let reached = !unreachable.unsent;
                let message =
                    format!("a provider of the pool {:?} failed: {}", picked.pool.pool.as_str(), unreachable.why);
                self.why = Some(Refusal::new(kind, message));
                self.failed(picked, unreached(&unreachable.why)).await;
                // A forwarded request may do something each time that it arrives.
                if reached && self.asked.is_forward() { Ok(Step::NextPool) } else { Ok(Step::Again) }
            }
        }
    }

    async fn heard(&mut self, mut heard: Heard) -> Result<Step, Refusal> {
        if heard.incoming.status.is_success() || heard.incoming.status.is_redirection() {
            return self.answered(heard).await;
        }
        let complaint = heard.incoming.complaint(MAX_COMPLAINT_BYTES).await;
        heard.picked.seat.first_byte = Some(heard.began.elapsed());
        let gateway = self.gateway;
        let verdict = judge(&Evidence {
            status: heard.incoming.status.as_u16(),
            headers: &heard.incoming.headers,
            said: &String::from_utf8_lossy(&complaint),
            refreshable: heard.picked.token.is_some(),
            random: gateway.parts.mint.secret()[0],
            now: gateway.parts.clock.now(),
        });
        let answer = complained(&heard, complaint);
        match verdict {
            Verdict::Failed(failure) => {
                self.said = Some(answer);
                let at_fault = heard.incoming.status.is_server_error();
                let token = heard.picked.token.clone();
                let (pool, provider) = (heard.picked.pool.clone(), heard.picked.seat.provider.clone());
                let refresh = token.filter(|_| failure.needs_refresh && !self.refreshed.contains(&provider));
                self.failed(heard.picked, failure).await;
                if let Some(token) = refresh {
                    self.refreshed.push(provider.clone());
                    if let Supply::Token(_) = gateway.parts.tokens.refresh(&pool, &provider, token.version).await? {
                        self.except.retain(|excepted| *excepted != provider);
                    }
                }
                if at_fault && self.asked.is_forward() { Ok(Step::NextPool) } else { Ok(Step::Again) }
            }
            Verdict::Answered | Verdict::OfTheClient => {
                drop(heard.picked.seat.end(Outcome::Neutral));
                Ok(Step::Done(answer.answer()))
            }
        }
    }

    /// A provider failed, and is not asked again for this request. Waits until the store knows: what follows may choose it
    /// again only after that.
    async fn failed(&mut self, picked: Picked, failure: Failure) {
        let observer = &self.gateway.parts.observer;
        observer.observe(&Observed::Failed(&picked.pool.pool, failure.class));
        tracing::info!(
            pool = %picked.pool.pool, provider = %picked.seat.provider, class = ?failure.class, why = failure.message,
            "a provider failed"
        );
        self.except.push(picked.seat.provider.clone());
        picked.seat.end(Outcome::Failed(failure)).told().await;
    }

    /// The head of an answer says that the provider does what it was asked. It is the answer once its first byte is there.
    async fn answered(&mut self, mut heard: Heard) -> Result<Step, Refusal> {
        let is_events = |headers: &HeaderMap| {
            let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
            kind.is_some_and(|kind| kind.trim_start().starts_with("text/event-stream"))
        };
        if heard.wording.context.is_none() {
            return Ok(self.unread(heard));
        }
        if heard.wording.stream && is_events(&heard.incoming.headers) {
            return match heard.incoming.next().await {
                Ok(Some(first)) => Ok(self.streamed(heard, &first)),
                Ok(None) => self.broke_off(heard, "it answered with an empty stream").await,
                Err(interrupted) => self.broke_off(heard, interrupted.why()).await,
            };
        }
        match heard.incoming.whole(self.gateway.parts.rules.max_answer_bytes).await {
            Ok(body) => Ok(self.whole(heard, &body)),
            Err(interrupted) => self.broke_off(heard, interrupted.why()).await,
        }
    }

    async fn broke_off(&mut self, heard: Heard, why: &str) -> Result<Step, Refusal> {
        self.why = Some(Refusal::new(Kind::Upstream, format!("a provider failed: {why}")));
        self.failed(heard.picked, unreached(why)).await;
        Ok(Step::Again)
    }

    fn whole(&mut self, mut heard: Heard, body: &Bytes) -> Step {
        self.saw_first_byte(&mut heard);
        let Some(context) = &heard.wording.context else { return Step::NextPool };
        let answered = translate::answer(context, heard.incoming.status.as_u16(), body);
        let garbled = !(200..400).contains(&answered.status);
        if let Some(mut bill) = self.bill.take() {
            bill.receipt.failed = garbled;
            bill.receipt.spent = spent(answered.usage, || Usage {
                input_tokens: self.asked.estimated_input_tokens(),
                output_tokens: if garbled { 0 } else { body.len() as u64 / 4 },
                ..Usage::default()
            });
        }
        let outcome =
            if garbled { Outcome::Failed(unreached("its answer cannot be understood")) } else { Outcome::Success };
        let headers = heard.headers();
        drop(heard.picked.seat.end(outcome));
        Step::Done(Answer { status: answered.status, headers, body: AnswerBody::Whole(answered.body) })
    }

    fn streamed(&mut self, mut heard: Heard, first: &Bytes) -> Step {
        self.saw_first_byte(&mut heard);
        let (Some(context), Some(mut bill)) = (&heard.wording.context, self.bill.take()) else { return Step::NextPool };
        bill.receipt.failed = false;
        let mut headers = heard.headers();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        let passage = Passage {
            stream: Stream::new(context),
            incoming: heard.incoming,
            seat: Some(heard.picked.seat),
            bill,
            clock: Arc::clone(&self.gateway.parts.clock),
            estimated_input_tokens: self.asked.estimated_input_tokens(),
        };
        Step::Done(Answer { status: 200, headers, body: AnswerBody::Pieces(passage.pieces(first)) })
    }

    fn unread(&mut self, mut heard: Heard) -> Step {
        self.saw_first_byte(&mut heard);
        let Some(mut bill) = self.bill.take() else { return Step::NextPool };
        bill.receipt.failed = false;
        let (status, headers) = (heard.incoming.status.as_u16(), heard.headers());
        let clock = Arc::clone(&self.gateway.parts.clock);
        let unread = Unread { incoming: heard.incoming, seat: Some(heard.picked.seat), bill, clock };
        Step::Done(Answer { status, headers, body: AnswerBody::Pieces(unread.pieces()) })
    }

    fn saw_first_byte(&self, heard: &mut Heard) {
        let took: Duration = heard.began.elapsed();
        heard.picked.seat.first_byte = Some(took);
        self.gateway.parts.observer.observe(&Observed::FirstByte(&heard.picked.pool.pool, took));
    }
}

/// A provider that answers.
struct Heard {
    picked: Picked,
    wording: Wording,
    incoming: Incoming,
    began: Instant,
}

impl Heard {
    /// The headers of the answer, with who gave it.
    fn headers(&self) -> HeaderMap {
        let mut headers = allowed_answer_headers(&self.incoming.headers, self.wording.passed);
        if self.wording.passed == Passed::Translated {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let mut say = |name: &'static str, value: &str| {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        };
        say("mainstay-pool", self.picked.pool.pool.as_str());
        say("mainstay-provider", self.picked.seat.provider.as_str());
        if !self.wording.dropped.is_empty() {
            say("mainstay-dropped", &self.wording.dropped.join(", "));
        }
        headers
    }
}

/// What a provider complains of, for the client: as it is, or in the client's protocol.
fn complained(heard: &Heard, complaint: Bytes) -> Spoken {
    let status = heard.incoming.status.as_u16();
    let headers = heard.headers();
    match &heard.wording.context {
        Some(context) => {
            let answered = translate::answer(context, status, &complaint);
            Spoken { status: answered.status, headers, body: answered.body }
        }
        None => Spoken { status, headers, body: complaint },
    }
}
