//! What is counted of events. The names, labels and buckets are those that dashboards of the founding system use.

use mainstay_core::api::events::{EventType, GroupName, StreamName};
use mainstay_core::events::{Streams, Survey};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Upper bounds of the time to publish, in seconds.
const PUBLISH_BUCKETS: [f64; 10] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
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

/// How an event came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Transport {
    /// The HTTP bridge of the founding system (`/internal/*`).
    Bridge,
    /// The HTTP API and what stands on it.
    Stream,
    /// MCP.
    Mcp,
}

impl Transport {
    fn label(self) -> &'static str {
        match self {
            Self::Bridge => "http",
            Self::Stream => "stream",
            Self::Mcp => "mcp",
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
    trimmed_unread: Family<StreamLabel, Counter>,
    queue_depth: Family<StreamLabel, Gauge>,
    lag: Family<GroupLabels, Gauge>,
    /// The groups that have a gauge: one that is removed must not go on being behind.
    groups: Mutex<BTreeMap<StreamName, BTreeSet<GroupName>>>,
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
struct StreamLabel {
    stream: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GroupLabels {
    stream: String,
    consumer_group: String,
}

/// The value of a gauge that cannot be said.
const UNKNOWN: i64 = -1;

impl EventMetrics {
    /// Registers every family, under the names of the founding system where it had one.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let publish: fn() -> Histogram = || Histogram::new(PUBLISH_BUCKETS);
        let metrics = Self {
            publish_seconds: Family::new_with_constructor(publish),
            published: Family::default(),
            trimmed_unread: Family::default(),
            queue_depth: Family::default(),
            lag: Family::default(),
            groups: Mutex::default(),
        };
        // A rate is known from the first loss on only where there was a zero before.
        for (stream, _) in Streams::default().iter() {
            metrics.trimmed_unread(stream, 0);
        }
        let seconds = metrics.publish_seconds.clone();
        registry.register("event_publish_duration_seconds", "Time to store an event", seconds);
        registry.register("events_published", "Events published, each once", metrics.published.clone());
        registry.register(
            "mainstay_event_trimmed_unread",
            "Events trimmed before a group had acknowledged them",
            metrics.trimmed_unread.clone(),
        );
        registry.register("event_queue_depth", "Events kept in a stream", metrics.queue_depth.clone());
        registry.register("event_consumer_lag", "Events that a group has not taken yet", metrics.lag.clone());
        metrics
    }

    /// How a stream stands, and its groups.
    pub(crate) fn surveyed(&self, survey: &Survey) {
        let stream = &survey.health.stream;
        self.queue_depth.get_or_create(&stream_label(stream)).set(signed(survey.health.length));
        let found: BTreeSet<GroupName> = survey.groups.iter().map(|group| group.group.clone()).collect();
        for group in &survey.groups {
            self.lag.get_or_create(&group_labels(stream, &group.group)).set(signed(group.lag));
        }
        let mut known = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        let before = known.insert(stream.clone(), found.clone()).unwrap_or_default();
        for gone in before.difference(&found) {
            self.lag.remove(&group_labels(stream, gone));
        }
    }

    /// How a stream and its groups stand cannot be said now.
    pub(crate) fn not_surveyed(&self, stream: &StreamName) {
        self.queue_depth.get_or_create(&stream_label(stream)).set(UNKNOWN);
        let known = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        for group in known.get(stream).into_iter().flatten() {
            self.lag.get_or_create(&group_labels(stream, group)).set(UNKNOWN);
        }
    }

    /// An event was published, or was not.
    pub(crate) fn published(&self, from: Transport, kind: &EventType, status: PublishStatus, took: Duration) {
        let (transport, event_type) = (from.label(), known(kind));
        self.published.get_or_create(&PublishedLabels { transport, event_type, status: status.label() }).inc();
        self.publish_seconds.get_or_create(&TransportType { transport, event_type }).observe(took.as_secs_f64());
    }

    /// Events were trimmed that a group had not acknowledged.
    pub(crate) fn trimmed_unread(&self, stream: &StreamName, events: u64) {
        self.trimmed_unread.get_or_create(&stream_label(stream)).inc_by(events);
    }
}

fn stream_label(stream: &StreamName) -> StreamLabel {
    StreamLabel { stream: stream.to_string() }
}

fn group_labels(stream: &StreamName, group: &GroupName) -> GroupLabels {
    GroupLabels { stream: stream.to_string(), consumer_group: group.to_string() }
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
    use mainstay_core::api::events::{GroupLag, Standing, StreamHealth};
    use prometheus_client::encoding::text::encode;

    fn survey(groups: &[(&str, u64)]) -> Survey {
        let stream = StreamName::parse("chat").unwrap();
        let lag = |(group, lag): &(&str, u64)| GroupLag {
            stream: stream.clone(),
            group: GroupName::parse(*group).unwrap(),
            status: Standing::of_lag(*lag),
            lag: *lag,
            lag_at_least: false,
            pending: 0,
            oldest_pending_ms: None,
            consumers: Vec::new(),
            dead: 0,
            lost: 0,
        };
        let status = Standing::Healthy;
        let health = StreamHealth { stream: stream.clone(), status, length: 9, last_event_at: None, max_lag: 0 };
        Survey { health, groups: groups.iter().map(lag).collect() }
    }

    #[test]
    fn a_group_that_is_gone_is_behind_no_more_and_one_that_cannot_be_seen_is_at_minus_one() {
        let mut registry = Registry::default();
        let metrics = EventMetrics::register(&mut registry);
        let shown = || {
            let mut text = String::new();
            encode(&mut text, &registry).unwrap();
            let ours = text.lines().filter(|line| line.starts_with("event_consumer_lag{") || line.starts_with("event_queue"));
            ours.map(str::to_owned).collect::<BTreeSet<_>>()
        };
        metrics.surveyed(&survey(&[("billing", 7), ("search", 0)]));
        metrics.surveyed(&survey(&[("billing", 8)]));
        let lag = |value: i64| format!(r#"event_consumer_lag{{stream="chat",consumer_group="billing"}} {value}"#);
        let depth = |value: i64| format!(r#"event_queue_depth{{stream="chat"}} {value}"#);
        assert_eq!(shown(), BTreeSet::from([lag(8), depth(9)]));
        metrics.not_surveyed(&StreamName::parse("chat").unwrap());
        assert_eq!(shown(), BTreeSet::from([lag(-1), depth(-1)]));
    }

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
