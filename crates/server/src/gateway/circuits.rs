//! Circuits that change: logged, counted, and published as events of the stream `gateway`.
//!
//! *Invariant:* a change is one event over all nodes. Its id says whose it is, what it led to, and when, so that the stream
//! recognises who tells of it again.

use super::observing::PoolStanding;
use crate::events::{Publisher, Way};
use crate::metrics::{Metrics, Transport};
use mainstay_core::api::events::{EventId, EventMetadata, EventType, PublishEvent, PublishEvents, RoomId, StreamName};
use mainstay_core::api::providers::ProviderId;
use mainstay_core::api::{RawJson, Timestamp};
use mainstay_core::events::{GATEWAY_STREAM, Streams};
use mainstay_core::providers::{BreakerState, CircuitWatch, PoolName, ProviderStore, Transition, all_pools};
use mainstay_core::text::sha256_hex;
use mainstay_core::{Caller, Clock, Error, Result, Scope};
use mainstay_gateway::insist;
use serde_json::json;
use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio_util::task::TaskTracker;

/// Most changes that wait to be published; the oldest go first where there are more.
const MAX_WAITING: usize = 10_000;
/// Changes of which this node remembers that it told of them.
const MAX_REMEMBERED: usize = 10_000;

/// What telling of circuits needs.
pub(crate) struct CircuitParts {
    pub store: Arc<dyn ProviderStore>,
    pub publisher: Publisher,
    pub metrics: Arc<Metrics>,
    pub streams: Arc<Streams>,
    pub clock: Arc<dyn Clock>,
}

/// Tells of circuits. Clones share it.
#[derive(Clone)]
pub struct Circuits(Arc<Shared>);

struct Shared {
    parts: CircuitParts,
    tasks: TaskTracker,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Change>,
    told: HashSet<EventId>,
    /// Whether a task is publishing.
    is_telling: bool,
}

/// A change to tell of.
#[derive(Debug, Clone)]
struct Change {
    id: EventId,
    pool: PoolName,
    provider: ProviderId,
    /// What it was; unknown where the change was found later.
    from: Option<BreakerState>,
    to: BreakerState,
    reason: Option<String>,
    at: Timestamp,
}

impl Circuits {
    pub(crate) fn new(parts: CircuitParts) -> Self {
        Self(Arc::new(Shared { parts, tasks: TaskTracker::new(), state: Mutex::default() }))
    }

    /// Tells of changes that whoever made them could not tell of: the answer of the store was lost, or the node was. They are found
    /// in the pools for as long as the stream recognises an event that was published. How pools stand is measured on the way.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn look(&self) -> Result<()> {
        let now = self.0.parts.clock.now();
        let remembered = self.0.parts.streams.require(&stream()?)?.dedupe;
        // Clocks differ, and publishing takes time.
        let since = now.before(remembered / 5 * 4);
        let store = self.0.parts.store.as_ref();
        let mut standings = BTreeMap::new();
        for name in all_pools(store).await? {
            let Some(pool) = store.pool(&name, now).await? else { continue };
            let standing: &mut PoolStanding = standings.entry(name.pool.to_string()).or_default();
            for provider in pool.providers {
                standing.add(&provider);
                let breaker = provider.breaker;
                let Some(at) = breaker.since.filter(|at| *at > since) else { continue };
                let (to, reason) = (breaker.state, breaker.reason);
                let id = id(&name, &provider.id, to, at)?;
                self.tell(Change { id, pool: name.clone(), provider: provider.id, from: None, to, reason, at });
            }
        }
        self.0.parts.metrics.gateway.pools_stand(&standings);
        Ok(())
    }

    /// Waits until changes are published, but no longer than this. Calling it twice does no harm.
    pub async fn close(&self, limit: Duration) {
        self.0.tasks.close();
        if tokio::time::timeout(limit, self.0.tasks.wait()).await.is_err() {
            tracing::warn!(changes = self.state().waiting.len(), "changes of circuits were not published in time");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a change behind those that wait; one that this node told of already is passed over.
    fn tell(&self, change: Change) {
        let begins = {
            let mut state = self.state();
            if state.told.len() >= MAX_REMEMBERED {
                // What is told of once more is recognised by the stream.
                state.told.clear();
            }
            if !state.told.insert(change.id.clone()) {
                return;
            }
            if state.waiting.len() >= MAX_WAITING {
                state.waiting.pop_front();
                tracing::error!("a change of a circuit is not published: too many wait");
            }
            state.waiting.push_back(change);
            !std::mem::replace(&mut state.is_telling, true)
        };
        if begins {
            let this = self.clone();
            self.0.tasks.spawn(async move { this.publish_all().await });
        }
    }

    /// Publishes in order until nothing waits.
    async fn publish_all(&self) {
        loop {
            let change = {
                let mut state = self.state();
                let Some(change) = state.waiting.pop_front() else {
                    state.is_telling = false;
                    return;
                };
                change
            };
            let told = insist("a change of a circuit is published again", || self.publish(&change)).await;
            match told {
                // Whoever made it told of it.
                Ok(is_new) if is_new && change.from.is_none() => {
                    self.0.parts.metrics.gateway.circuit_changed(&change.pool, change.to)
                }
                Ok(_) => {}
                Err(error) => {
                    let (pool, provider) = (&change.pool.pool, &change.provider);
                    tracing::error!(%pool, %provider, %error, internal = error.internal, "a change of a circuit is not published");
                }
            }
        }
    }

    /// Publishes one; answers whether nobody had before.
    async fn publish(&self, change: &Change) -> Result<bool> {
        let event = event(change)?;
        let scopes = [Scope::EventsWrite].into_iter().collect();
        let caller = Caller { namespace: change.pool.namespace.clone(), scopes, ..Caller::owner() };
        let (stream, publish) = (stream()?, PublishEvents { events: vec![event] });
        let way = Way { stream: &stream, from: Transport::Gateway, request: None };
        let published = self.0.parts.publisher.publish(&caller, way, publish).await?;
        Ok(published.events.iter().all(|event| !event.duplicate))
    }
}

impl CircuitWatch for Circuits {
    fn changed(&self, pool: &PoolName, transition: &Transition, at: Timestamp) {
        let Transition { provider, from, to, reason } = transition;
        let (_, state) = words(*to);
        let pool_name = &pool.pool;
        match to {
            BreakerState::Open | BreakerState::HalfOpen => {
                tracing::warn!(pool = %pool_name, %provider, state, reason, "a circuit changed");
            }
            // It is well again, or somebody wants it so.
            BreakerState::Closed | BreakerState::ForcedOpen => {
                tracing::info!(pool = %pool_name, %provider, state, reason, "a circuit changed");
            }
        }
        let metrics = &self.0.parts.metrics.gateway;
        metrics.circuit_changed(pool, *to);
        metrics.circuit_stands(pool, provider, *to);
        match id(pool, provider, *to, at) {
            Ok(id) => self.tell(Change {
                id,
                pool: pool.clone(),
                provider: provider.clone(),
                from: Some(*from),
                to: *to,
                reason: Some(reason.clone()),
                at,
            }),
            Err(error) => tracing::error!(%error, "a change of a circuit is not published"),
        }
    }
}

/// The type of the event that tells of a state, and the word for the state.
pub(super) const fn words(state: BreakerState) -> (&'static str, &'static str) {
    match state {
        BreakerState::Closed => ("circuit.closed", "closed"),
        BreakerState::HalfOpen => ("circuit.half_open", "half_open"),
        BreakerState::Open => ("circuit.opened", "open"),
        BreakerState::ForcedOpen => ("circuit.forced", "forced_open"),
    }
}

fn stream() -> Result<StreamName> {
    StreamName::parse(GATEWAY_STREAM).map_err(|e| Error::bug(e.to_string()))
}

/// The same on every node that tells of the change.
fn id(pool: &PoolName, provider: &ProviderId, to: BreakerState, at: Timestamp) -> Result<EventId> {
    let (namespace, name, (_, state)) = (&pool.namespace, &pool.pool, words(to));
    let digest = sha256_hex(format!("{namespace}\0{name}\0{provider}\0{state}\0{}", at.as_millis()).as_bytes());
    EventId::parse(format!("circuit-{}", &digest[..32])).map_err(|e| Error::bug(e.to_string()))
}

fn event(change: &Change) -> Result<PublishEvent> {
    let bug = |e: String| Error::bug(format!("a circuit cannot be told of: {e}"));
    let (kind, state) = words(change.to);
    let mut payload = json!({"pool": change.pool.pool, "provider": change.provider, "state": state, "at": change.at});
    if let Some(from) = change.from {
        payload["from"] = json!(words(from).1);
    }
    if let Some(reason) = &change.reason {
        payload["reason"] = json!(reason);
    }
    Ok(PublishEvent {
        id: Some(change.id.clone()),
        kind: EventType::parse(kind).map_err(|e| bug(e.to_string()))?,
        room: RoomId::parse(change.pool.pool.as_str()).map_err(|e| bug(e.to_string()))?,
        timestamp: Some(change.at),
        payload: RawJson::parse(&payload.to_string()).map_err(|e| bug(e.to_string()))?,
        metadata: EventMetadata::default(),
    })
}
