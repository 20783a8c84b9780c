//! What is counted, and `GET /metrics`.

mod delivery;
mod events;
mod gateway_keys;
mod outage;
mod refreshes;
mod standing;

pub(crate) use delivery::{Carrier, DeliveryMetrics};
pub(crate) use events::{EventMetrics, PublishStatus, Transport};
pub(crate) use gateway_keys::GatewayKeyMetrics;
pub(crate) use outage::OutageMetrics;
use refreshes::RefreshMetrics;
pub(crate) use standing::StandingMetrics;

use crate::app::App;
use crate::gateway::GatewayMetrics;
use crate::health;
use crate::problem::Failure;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use mainstay_core::api::{Code, MessageType};
use mainstay_core::{Clock, Error};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::Arc;
use std::time::Duration;

/// Upper bounds of the buckets of a request's time, in seconds: from a read in memory to the usual time-out.
const BUCKETS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0];

/// Counters of one server, with a registry of their own.
pub struct Metrics {
    registry: Registry,
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram>,
    sent: Family<TypeLabels, Counter>,
    acknowledged: Counter,
    appended: Counter,
    agent_answers: Counter,
    agent_failures: Family<CodeLabels, Counter>,
    purged: Counter,
    refused: Family<CodeLabels, Counter>,
    live: Gauge,
    store_up: Gauge,
    /// What is counted of events.
    pub(crate) events: EventMetrics,
    /// What is counted of requests to the gateway.
    pub(crate) gateway_keys: GatewayKeyMetrics,
    /// What waits for the store.
    pub(crate) outage: OutageMetrics,
    /// How streams and consumer groups stand.
    pub(crate) standing: StandingMetrics,
    /// What is measured of the gateway.
    pub(crate) gateway: GatewayMetrics,
    /// What became of refreshes of credentials.
    refreshes: RefreshMetrics,
    /// What is measured of live delivery.
    pub(crate) delivery: DeliveryMetrics,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TypeLabels {
    r#type: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CodeLabels {
    code: &'static str,
}

/// A request that was answered.
pub(crate) struct Answered<'a> {
    /// The pattern of its route: the paths themselves would be without number.
    pub route: &'a str,
    pub method: &'a http::Method,
    pub status: http::StatusCode,
    pub took: Duration,
}

impl Metrics {
    /// Nothing has been counted yet. The clock is that of the store's events.
    pub(crate) fn new(clock: &Arc<dyn Clock>) -> Self {
        let mut registry = Registry::default();
        let new_histogram: fn() -> Histogram = || Histogram::new(BUCKETS);
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(new_histogram),
            sent: Family::default(),
            acknowledged: Counter::default(),
            appended: Counter::default(),
            agent_answers: Counter::default(),
            agent_failures: Family::default(),
            purged: Counter::default(),
            refused: Family::default(),
            live: Gauge::default(),
            store_up: Gauge::default(),
            events: EventMetrics::register(&mut registry),
            gateway_keys: GatewayKeyMetrics::register(&mut registry),
            outage: OutageMetrics::register(&mut registry),
            standing: StandingMetrics::register(&mut registry),
            gateway: GatewayMetrics::register(&mut registry),
            refreshes: RefreshMetrics::register(&mut registry),
            delivery: DeliveryMetrics::register(&mut registry, clock),
            registry: Registry::default(),
        };
        registry.register("http_requests", "Requests answered", metrics.requests.clone());
        registry.register(
            "http_request_duration_seconds",
            "Time until the head of the answer",
            metrics.durations.clone(),
        );
        registry.register("mainstay_mail_sent", "Messages stored, by type", metrics.sent.clone());
        registry.register("mainstay_mail_acknowledged", "Acknowledgements recorded", metrics.acknowledged.clone());
        registry.register(
            "mainstay_conversation_messages",
            "Messages appended to conversations by callers and agents",
            metrics.appended.clone(),
        );
        registry.register("mainstay_chat_answers", "Messages that the agent answered", metrics.agent_answers.clone());
        registry.register(
            "mainstay_chat_failures",
            "Messages that were refused or not answered, by code",
            metrics.agent_failures.clone(),
        );
        registry.register("mainstay_purged", "Expired records deleted by this node", metrics.purged.clone());
        registry.register(
            "mainstay_access_refused",
            "Requests refused for their credential or its scopes, by code",
            metrics.refused.clone(),
        );
        registry.register("mainstay_live_subscriptions", "Live streams and long polls now", metrics.live.clone());
        registry.register("mainstay_store_up", "Whether the store answered when last asked", metrics.store_up.clone());
        Self { registry, ..metrics }
    }

    /// Counts a message that was stored, not one that was replayed.
    pub fn sent(&self, kind: &MessageType) {
        self.sent.get_or_create(&TypeLabels { r#type: kind.as_str().to_owned() }).inc();
    }

    /// Counts an acknowledgement that was recorded, not one that stood before.
    pub fn acknowledged(&self) {
        self.acknowledged.inc();
    }

    /// Counts messages that were appended to a conversation, not those that were replayed.
    pub(crate) fn appended(&self, messages: usize) {
        self.appended.inc_by(u64::try_from(messages).unwrap_or(u64::MAX));
    }

    /// Counts a message that was answered with so many others.
    pub(crate) fn answered_by_agent(&self, messages: usize) {
        self.agent_answers.inc();
        self.appended(messages.saturating_add(1));
    }

    /// Counts a message that was refused, or not answered.
    pub(crate) fn agent_failed(&self, code: Code) {
        self.agent_failures.get_or_create(&CodeLabels { code: code.as_str() }).inc();
    }

    pub(crate) fn purged(&self, count: u32) {
        self.purged.inc_by(count.into());
    }

    /// Counts a request that was refused for its credential or its scopes.
    pub(crate) fn refused(&self, code: Code) {
        self.refused.get_or_create(&CodeLabels { code: code.as_str() }).inc();
    }

    pub(crate) fn store_up(&self, up: bool) {
        self.store_up.set(up.into());
    }

    pub(crate) fn answered(&self, answered: &Answered<'_>) {
        let labels = RequestLabels {
            route: answered.route.to_owned(),
            method: method_label(answered.method),
            status: answered.status.as_u16(),
        };
        self.requests.get_or_create(&labels).inc();
        let route = RouteLabels { route: labels.route };
        self.durations.get_or_create(&route).observe(answered.took.as_secs_f64());
    }

    fn write(&self) -> Result<String, Error> {
        let mut text = String::new();
        encode(&mut text, &self.registry).map_err(|e| Error::bug(format!("the metrics cannot be written: {e}")))?;
        Ok(text)
    }
}

/// A method as a label: callers can invent methods, and each label value costs memory for good.
fn method_label(method: &http::Method) -> String {
    match method.as_str() {
        known @ ("GET" | "HEAD" | "POST" | "PUT" | "DELETE" | "PATCH" | "OPTIONS") => known.to_owned(),
        _ => "OTHER".to_owned(),
    }
}

/// Reads the metrics of this node.
///
/// In the OpenMetrics text format, for Prometheus. Needs the owner key unless the server is configured to answer
/// without.
#[utoipa::path(get, path = "/metrics", operation_id = "read_metrics", tag = "server", responses(
    (status = 200, description = "The metrics", body = String, content_type = "application/openmetrics-text")
))]
pub(crate) async fn read(State(app): State<Arc<App>>) -> Result<Response, Failure> {
    let metrics = &app.services.metrics;
    metrics.live.set(i64::try_from(app.admission.live_now()).unwrap_or(i64::MAX));
    metrics.gateway.in_flight(app.services.gateway.as_ref().map_or(0, |gateway| gateway.in_flight()));
    metrics.delivery.take_over(&app.services.live.counts());
    metrics.refreshes.take_over(app.services.tokens.counts());
    health::ask_store(&app).await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(CONTENT_TYPE, kind)], metrics.write()?).into_response())
}
