//! What is counted of events. The names, labels and buckets are those that dashboards of the founding system use.

use mainstay_core::api::events::{EventType, GroupName, StreamName};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// Upper bounds of the time to publish, in seconds.
const PUBLISH_BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
/// Upper bounds of the time from publication to delivery, in seconds.
const DELIVERY_BUCKETS: [f64; 9] = [0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];
/// Types that are told apart; publishers can invent others, and each value of a label costs memory for good.
const KNOWN_TYPES: [&str; 12] = [
    "chat_message",
    "typing_start",
    "typing_stop",
    "read_receipt",
    "status_change",
    "assignment_change",
    "ticket_list_update",
    "notification",
    "remote_session_start",
    "remote_session_end",
    "remote_session_reconnect",
    "remote_control_mode",
];

/// How an event came in, or goes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Transport {
    /// The HTTP bridge of the founding system (`/internal/*`).
    Bridge,
    /// The HTTP API and what stands on it.
    Http,
    /// MCP.
    Mcp,
    /// Our WebSocket protocol.
    WebSocket,
    /// Server-Sent Events.
    Sse,
    /// SignalR.
    SignalR,
}

impl Transport {
    fn label(self) -> &'static str {
        match self {
            Self::Bridge => "http",
            Self::Http => "stream",
            Self::Mcp => "mcp",
            Self::WebSocket => "websocket",
            Self::Sse => "sse",
            Self::SignalR => "signalr",
        }
    }
}

/// What became of a publication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PublishStatus {
    /// It was stored.
    Success,
    /// It had been stored before.
    Duplicate,
    /// It was refused, or failed.
    Failure,
}

impl PublishStatus {
    fn label(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Duplicate => "duplicate",
            Self::Failure => "failure",
        }
    }
}

/// Counters of events.
pub(crate) struct EventMetrics {
    publish_seconds: Family<TransportType, Histogram>,
    delivery_seconds: Family<TransportType, Histogram>,
    published: Family<PublishedLabels, Counter>,
    coalesced: Family<TypeLabel, Counter>,
    queue_depth: Family<StreamLabel, Gauge>,
    lag: Family<GroupLabels, Gauge>,
    node_lag: Family<StreamLabel, Gauge>,
    connections: Family<TransportLabel, Gauge>,
    queue_bytes: Gauge,
    slow: Family<TransportLabel, Counter>,
    unreadable: Family<StreamLabel, Counter>,
    trimmed_unread: Family<StreamLabel, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TransportType {
    transport: &'static str,
    event_type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct PublishedLabels {
    transport: &'static str,
    event_type: &'static str,
    status: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TypeLabel {
    event_type: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct TransportLabel {
    transport: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StreamLabel {
    stream: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GroupLabels {
    stream: String,
    consumer_group: String,
}

impl EventMetrics {
    /// Registers every family, under the names of the founding system where it had one.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let publish: fn() -> Histogram = || Histogram::new(PUBLISH_BUCKETS);
        let delivery: fn() -> Histogram = || Histogram::new(DELIVERY_BUCKETS);
        let metrics = Self {
            publish_seconds: Family::new_with_constructor(publish),
            delivery_seconds: Family::new_with_constructor(delivery),
            published: Family::default(),
            coalesced: Family::default(),
            queue_depth: Family::default(),
            lag: Family::default(),
            node_lag: Family::default(),
            connections: Family::default(),
            queue_bytes: Gauge::default(),
            slow: Family::default(),
            unreadable: Family::default(),
            trimmed_unread: Family::default(),
        };
        let of = &metrics;
        registry.register("event_publish_duration_seconds", "Time to store an event", of.publish_seconds.clone());
        registry.register(
            "event_delivery_duration_seconds",
            "Time from the storing of an event until it is written to a client",
            of.delivery_seconds.clone(),
        );
        registry.register("events_published", "Events published, each once", of.published.clone());
        registry.register("events_coalesced", "Events that a later one stood for", of.coalesced.clone());
        registry.register("event_queue_depth", "Events kept in a stream", of.queue_depth.clone());
        registry.register("event_consumer_lag", "Events that a group has not been given", of.lag.clone());
        registry.register(
            "mainstay_event_node_lag_seconds",
            "How far the live feed of this node is behind the stream",
            of.node_lag.clone(),
        );
        registry.register("mainstay_event_connections", "Live connections now", of.connections.clone());
        registry.register("mainstay_event_queue_bytes", "Bytes that wait for live connections", of.queue_bytes.clone());
        registry.register("mainstay_event_slow_closed", "Connections closed because they were slow", of.slow.clone());
        registry.register(
            "mainstay_event_unreadable",
            "Entries of others in a stream that are no events",
            of.unreadable.clone(),
        );
        registry.register(
            "mainstay_event_trimmed_unread",
            "Events trimmed before a group had acknowledged them",
            of.trimmed_unread.clone(),
        );
        metrics
    }

    /// An event was published, or was not.
    pub(crate) fn published(&self, from: Transport, kind: &EventType, status: PublishStatus, took: Duration) {
        let (transport, event_type) = (from.label(), known(kind));
        self.published.get_or_create(&PublishedLabels { transport, event_type, status: status.label() }).inc();
        self.publish_seconds.get_or_create(&TransportType { transport, event_type }).observe(took.as_secs_f64());
    }

    /// An event was written to a client.
    pub(crate) fn delivered(&self, to: Transport, kind: &EventType, since_stored: Duration) {
        let labels = TransportType { transport: to.label(), event_type: known(kind) };
        self.delivery_seconds.get_or_create(&labels).observe(since_stored.as_secs_f64());
    }

    /// So many events will not be published, because a later one stands for them.
    pub(crate) fn coalesced(&self, kind: &EventType, events: u64) {
        self.coalesced.get_or_create(&TypeLabel { event_type: known(kind) }).inc_by(events);
    }

    /// A stream keeps so many events.
    pub(crate) fn queue_depth(&self, stream: &StreamName, length: u64) {
        self.queue_depth.get_or_create(&stream_label(stream)).set(signed(length));
    }

    /// A group has not been given so many; −1 where that cannot be said.
    pub(crate) fn lag(&self, stream: &StreamName, group: &GroupName, lag: Option<u64>) {
        let labels = GroupLabels { stream: stream.to_string(), consumer_group: group.to_string() };
        self.lag.get_or_create(&labels).set(lag.map_or(-1, signed));
    }

    /// The feed of this node is so far behind.
    pub(crate) fn node_lag(&self, stream: &StreamName, behind: Duration) {
        self.node_lag.get_or_create(&stream_label(stream)).set(signed(behind.as_secs()));
    }

    /// A live connection began.
    pub(crate) fn connected(&self, by: Transport) {
        self.connections.get_or_create(&TransportLabel { transport: by.label() }).inc();
    }

    /// A live connection ended, by being slow or otherwise.
    pub(crate) fn disconnected(&self, by: Transport, slow: bool) {
        let label = TransportLabel { transport: by.label() };
        self.connections.get_or_create(&label).dec();
        if slow {
            self.slow.get_or_create(&label).inc();
        }
    }

    /// So many bytes wait for live connections.
    pub(crate) fn queue_bytes(&self, bytes: u64) {
        self.queue_bytes.set(signed(bytes));
    }

    /// Entries that are no events were passed over.
    pub(crate) fn unreadable(&self, stream: &StreamName, entries: u32) {
        self.unreadable.get_or_create(&stream_label(stream)).inc_by(entries.into());
    }

    /// Events were trimmed that a group had not acknowledged.
    pub(crate) fn trimmed_unread(&self, stream: &StreamName, events: u64) {
        self.trimmed_unread.get_or_create(&stream_label(stream)).inc_by(events);
    }
}

fn stream_label(stream: &StreamName) -> StreamLabel {
    StreamLabel { stream: stream.to_string() }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// The type as a label.
fn known(kind: &EventType) -> &'static str {
    KNOWN_TYPES.into_iter().find(|known| *known == kind.as_str()).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;
    use prometheus_client::encoding::text::encode;

    #[test]
    fn an_event_is_counted_once_and_types_of_others_share_a_label() {
        let mut registry = Registry::default();
        let metrics = EventMetrics::register(&mut registry);
        let kind = |text: &str| EventType::parse(text).unwrap();
        let took = Duration::from_millis(7);
        metrics.published(Transport::Bridge, &kind("chat_message"), PublishStatus::Success, took);
        metrics.published(Transport::Http, &kind("invented-1"), PublishStatus::Duplicate, took);
        metrics.published(Transport::Http, &kind("invented-2"), PublishStatus::Duplicate, took);
        metrics.lag(&StreamName::parse("chat").unwrap(), &GroupName::parse("billing").unwrap(), None);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            r#"events_published_total{transport="http",event_type="chat_message",status="success"} 1"#,
            r#"events_published_total{transport="stream",event_type="other",status="duplicate"} 2"#,
            r#"event_publish_duration_seconds_bucket{le="0.01",transport="http",event_type="chat_message"} 1"#,
            r#"event_consumer_lag{stream="chat",consumer_group="billing"} -1"#,
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
