//! What is measured of the gateway.

use super::circuits::words;
use crate::metrics::Metrics;
use mainstay_core::api::providers::{PoolType, ProviderId};
use mainstay_core::providers::{BreakerState, CircuitWatch, FailureClass, PoolName, ProviderRecord};
use mainstay_gateway::checking::CheckResult;
use mainstay_gateway::serving::{Observed, Observer};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Upper bounds of the buckets of the time until the first byte, in seconds: models take their time.
const BUCKETS: [f64; 12] = [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 20.0, 60.0];

/// Most names of pools that gauges are kept of.
const MAX_POOLS: usize = 1_000;

/// Counters of the gateway.
pub(crate) struct GatewayMetrics {
    requests: Family<Outcome, Counter>,
    first_byte_seconds: Family<Pool, Histogram>,
    tokens: Family<Direction, Counter>,
    failures: Family<Failure, Counter>,
    checks: Family<Check, Counter>,
    transitions: Family<Transition, Counter>,
    circuits: Family<Circuit, Gauge>,
    in_flight: Gauge,
    providers: Family<Standing, Gauge>,
    in_use: Family<Pool, Gauge>,
}

/// How the providers of pools of one name stand, in whatever namespaces they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct PoolStanding {
    ready: i64,
    disabled: i64,
    unhealthy: i64,
    open: i64,
    in_flight: i64,
}

impl PoolStanding {
    /// Adds a provider: the first reason counts for which it is not chosen.
    pub(crate) fn add(&mut self, provider: &ProviderRecord) {
        let health = &provider.health;
        let counted = if provider.settings.traits.disabled {
            &mut self.disabled
        } else if health.unhealthy || health.needs_refresh {
            &mut self.unhealthy
        } else if provider.breaker.state != BreakerState::Closed {
            &mut self.open
        } else {
            &mut self.ready
        };
        *counted += 1;
        self.in_flight += i64::from(provider.in_flight);
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Standing {
    pool: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Pool {
    pool: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    pool: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Direction {
    pool: String,
    direction: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failure {
    pool: String,
    class: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Check {
    pool: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Transition {
    pool: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Circuit {
    pool: String,
    provider: String,
}

impl GatewayMetrics {
    /// Registers every family. Labels are pools that exist and providers in them: their number has a bound.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let metrics = Self {
            requests: Family::default(),
            first_byte_seconds: Family::new_with_constructor(histogram),
            tokens: Family::default(),
            failures: Family::default(),
            checks: Family::default(),
            transitions: Family::default(),
            circuits: Family::default(),
            in_flight: Gauge::default(),
            providers: Family::default(),
            in_use: Family::default(),
        };
        registry.register("mainstay_gateway_requests", "Requests that are over", metrics.requests.clone());
        registry.register(
            "mainstay_gateway_first_byte_seconds",
            "Time until the first byte of a provider's answer",
            metrics.first_byte_seconds.clone(),
        );
        registry.register("mainstay_gateway_tokens", "Tokens sent and received", metrics.tokens.clone());
        registry.register("mainstay_gateway_failures", "Failures of providers, by class", metrics.failures.clone());
        let checks = metrics.checks.clone();
        registry.register("mainstay_gateway_checks", "Checks of providers that this node made, by outcome", checks);
        registry.register(
            "mainstay_gateway_circuit_transitions",
            "Changes of circuits that this node caused, by their new state",
            metrics.transitions.clone(),
        );
        registry.register(
            "mainstay_gateway_circuit_state",
            "The last state of a circuit that this node caused: 0 closed, 1 half-open, 2 open, 3 forced open",
            metrics.circuits.clone(),
        );
        registry.register("mainstay_gateway_in_flight", "Requests with providers now", metrics.in_flight.clone());
        registry.register(
            "mainstay_gateway_providers",
            "Providers of pools on all nodes, by how they stand",
            metrics.providers.clone(),
        );
        let in_use = metrics.in_use.clone();
        registry.register("mainstay_gateway_pool_in_flight", "Requests with providers of pools, of all nodes", in_use);
        metrics
    }

    /// How many requests are with providers.
    pub(crate) fn in_flight(&self, requests: usize) {
        self.in_flight.set(i64::try_from(requests).unwrap_or(i64::MAX));
    }

    /// A circuit changed.
    pub(crate) fn circuit_changed(&self, pool: &PoolName, to: BreakerState) {
        let labels = Transition { pool: pool.pool.to_string(), state: words(to).1 };
        self.transitions.get_or_create(&labels).inc();
    }

    /// How a circuit stands.
    pub(crate) fn circuit_stands(&self, pool: &PoolName, provider: &ProviderId, state: BreakerState) {
        let circuit = Circuit { pool: pool.pool.to_string(), provider: provider.to_string() };
        self.circuits.get_or_create(&circuit).set(number(state));
    }

    /// How pools stand, by their names; what was known of others is forgotten.
    pub(crate) fn pools_stand(&self, pools: &BTreeMap<String, PoolStanding>) {
        self.providers.clear();
        self.in_use.clear();
        for (pool, standing) in pools.iter().take(MAX_POOLS) {
            self.in_use.get_or_create(&Pool { pool: pool.clone() }).set(standing.in_flight);
            let PoolStanding { ready, disabled, unhealthy, open, .. } = *standing;
            for (state, count) in
                [("ready", ready), ("disabled", disabled), ("unhealthy", unhealthy), ("circuit_open", open)]
            {
                self.providers.get_or_create(&Standing { pool: pool.clone(), state }).set(count);
            }
        }
    }

    fn first_byte(&self, pool: &PoolType, took: Duration) {
        self.first_byte_seconds.get_or_create(&Pool { pool: pool.to_string() }).observe(took.as_secs_f64());
    }
}

/// Counts, and passes on what circuits do.
pub(crate) struct GatewayObserver {
    pub metrics: Arc<Metrics>,
    pub circuits: Arc<dyn CircuitWatch>,
}

impl Observer for GatewayObserver {
    fn observe(&self, observed: &Observed<'_>) {
        let metrics = &self.metrics.gateway;
        match observed {
            Observed::FirstByte(pool, took) => metrics.first_byte(pool, *took),
            Observed::Failed(pool, class) => {
                let labels = Failure { pool: pool.to_string(), class: class_label(*class) };
                metrics.failures.get_or_create(&labels).inc();
            }
            Observed::Over(receipt) => {
                let pool = receipt.pool.to_string();
                let outcome = if receipt.failed { "failed" } else { "answered" };
                metrics.requests.get_or_create(&Outcome { pool: pool.clone(), outcome }).inc();
                let spent = &receipt.spent;
                for (direction, tokens) in [("input", spent.input_tokens), ("output", spent.output_tokens)] {
                    let labels = Direction { pool: pool.clone(), direction };
                    metrics.tokens.get_or_create(&labels).inc_by(tokens);
                }
            }
            Observed::Checked(pool, result) => {
                let labels = Check { pool: pool.to_string(), outcome: result_label(*result) };
                metrics.checks.get_or_create(&labels).inc();
            }
            Observed::Circuit(pool, changed, at) => self.circuits.changed(pool, changed, *at),
        }
    }
}

const fn class_label(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Unauthorized => "unauthorized",
        FailureClass::PaymentRequired => "payment_required",
        FailureClass::Forbidden => "forbidden",
        FailureClass::RateLimited => "rate_limited",
        FailureClass::Server => "server",
        FailureClass::Network => "network",
    }
}

const fn result_label(result: CheckResult) -> &'static str {
    match result {
        CheckResult::Healthy => "healthy",
        CheckResult::Unclear => "unclear",
        CheckResult::Unsent => "unsent",
        CheckResult::Failed(class) => class_label(class),
    }
}

const fn number(state: BreakerState) -> i64 {
    match state {
        BreakerState::Closed => 0,
        BreakerState::HalfOpen => 1,
        BreakerState::Open => 2,
        BreakerState::ForcedOpen => 3,
    }
}
