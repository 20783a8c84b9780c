//! What is counted of events. The names, labels and buckets are those that dashboards of the founding system use.

use mainstay_core::api::events::{EventType, StreamName};
use mainstay_core::events::Streams;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::time::Duration;

/// Upper bounds of the time to publish, in seconds.
const PUBLISH_BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
/// How an event came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Transport {
    /// The HTTP bridge of the founding system (`/internal/*`).
    Bridge,
    /// The HTTP API and what stands on it.
    Stream,
    /// MCP.
    Mcp,
    /// Our WebSocket protocol.
    WebSocket,
    /// A hub.
    SignalR,
    /// The gateway itself.
    Gateway,
}

impl Transport {
    fn label(self) -> &'static str {
        match self {
            Self::Bridge => "http",
            Self::Stream => "stream",
            Self::Mcp => "mcp",
            Self::WebSocket => "websocket",
            Self::SignalR => "signalr",
            Self::Gateway => "gateway",
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
    published: Family<PublishedLabels, Counter>,
    coalesced: Family<TypeLabel, Counter>,
    trimmed_unread: Family<StreamLabel, Counter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct TransportType {
    pub(super) transport: &'static str,
    pub(super) event_type: &'static str,
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
struct StreamLabel {
    stream: String,
}

impl EventMetrics {
    /// Registers every family, under the names of the founding system where it had one.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let publish: fn() -> Histogram = || Histogram::new(PUBLISH_BUCKETS);
        let metrics = Self {
            publish_seconds: Family::new_with_constructor(publish),
            published: Family::default(),
            coalesced: Family::default(),
            trimmed_unread: Family::default(),
        };
        // A rate is known from the first loss on only where there was a zero before.
        for (stream, _) in Streams::default().iter() {
            metrics.trimmed_unread(stream, 0);
        }
        for event_type in ["typing_start", "typing_stop", "read_receipt"] {
            metrics.coalesced.get_or_create_owned(&TypeLabel { event_type });
        }
        let seconds = metrics.publish_seconds.clone();
        registry.register("event_publish_duration_seconds", "Time to store an event", seconds);
        registry.register("events_published", "Events published, each once", metrics.published.clone());
        registry.register("events_coalesced", "Events that a later one stood for", metrics.coalesced.clone());
        registry.register(
            "mainstay_event_trimmed_unread",
            "Events trimmed before a group had acknowledged them",
            metrics.trimmed_unread.clone(),
        );
        metrics
    }

    /// An event was published, or was not.
    pub(crate) fn published(&self, from: Transport, kind: &EventType, status: PublishStatus, took: Duration) {
        let (transport, event_type) = (from.label(), known(kind));
        self.published.get_or_create(&PublishedLabels { transport, event_type, status: status.label() }).inc();
        self.publish_seconds.get_or_create(&TransportType { transport, event_type }).observe(took.as_secs_f64());
    }

    /// So many events were not published, because this type's later one stood for them.
    pub(crate) fn coalesced(&self, kind: &EventType, events: u32) {
        self.coalesced.get_or_create(&TypeLabel { event_type: known(kind) }).inc_by(events.into());
    }

    /// Events were trimmed that a group had not acknowledged.
    pub(crate) fn trimmed_unread(&self, stream: &StreamName, events: u64) {
        self.trimmed_unread.get_or_create(&StreamLabel { stream: stream.to_string() }).inc_by(events);
    }
}

/// The type as a label. Publishers can invent types, and each value of a label costs memory for good.
fn known(kind: &EventType) -> &'static str {
    kind.known().map_or("other", |at| EventType::KNOWN[at])
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
        metrics.published(Transport::Stream, &kind("invented-1"), PublishStatus::Duplicate, took);
        metrics.published(Transport::Stream, &kind("invented-2"), PublishStatus::Duplicate, took);
        metrics.trimmed_unread(&StreamName::parse("chat").unwrap(), 3);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            r#"events_published_total{transport="http",event_type="chat_message",status="success"} 1"#,
            r#"events_published_total{transport="stream",event_type="other",status="duplicate"} 2"#,
            r#"event_publish_duration_seconds_bucket{le="0.01",transport="http",event_type="chat_message"} 1"#,
            r#"mainstay_event_trimmed_unread_total{stream="chat"} 3"#,
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
