//! How streams and consumer groups stand, as gauges. The names and labels are those that dashboards of the founding system
//! use.

use mainstay_core::api::events::{GroupName, StreamName};
use mainstay_core::events::Survey;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// The value of a gauge that cannot be said.
const UNKNOWN: i64 = -1;

/// Gauges of streams and groups.
pub(crate) struct StandingMetrics {
    queue_depth: Family<StreamLabel, Gauge>,
    lag: Family<GroupLabels, Gauge>,
    node_lag: Family<StreamLabel, Gauge>,
    /// The groups that have a gauge: one that is removed must not go on being behind.
    groups: Mutex<BTreeMap<StreamName, BTreeSet<GroupName>>>,
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

impl StandingMetrics {
    /// Registers both families.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            queue_depth: Family::default(),
            lag: Family::default(),
            node_lag: Family::default(),
            groups: Mutex::default(),
        };
        registry.register("event_queue_depth", "Events kept in a stream", metrics.queue_depth.clone());
        registry.register("event_consumer_lag", "Events that a group has not taken yet", metrics.lag.clone());
        registry.register(
            "mainstay_event_node_lag_milliseconds",
            "Time between the last event of a stream and the last one that this node has read for live clients",
            metrics.node_lag.clone(),
        );
        metrics
    }

    /// How far this node is behind a stream; none where it does not follow it.
    pub(crate) fn node_behind(&self, stream: &StreamName, behind_ms: Option<u64>) {
        match behind_ms {
            Some(behind_ms) => drop(self.node_lag.get_or_create(&stream_label(stream)).set(signed(behind_ms))),
            None => drop(self.node_lag.remove(&stream_label(stream))),
        }
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
        if let Some(behind) = self.node_lag.get(&stream_label(stream)) {
            behind.set(UNKNOWN);
        }
        let known = self.groups.lock().unwrap_or_else(PoisonError::into_inner);
        for group in known.get(stream).into_iter().flatten() {
            self.lag.get_or_create(&group_labels(stream, group)).set(UNKNOWN);
        }
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
        Survey { health, groups: groups.iter().map(lag).collect(), ends: Vec::new() }
    }

    #[test]
    fn a_group_that_is_gone_is_behind_no_more_and_one_that_cannot_be_seen_is_at_minus_one() {
        let mut registry = Registry::default();
        let metrics = StandingMetrics::register(&mut registry);
        let shown = || {
            let mut text = String::new();
            encode(&mut text, &registry).unwrap();
            let ours =
                text.lines().filter(|line| line.starts_with("event_consumer_lag{") || line.starts_with("event_queue"));
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
}
