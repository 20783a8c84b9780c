//! What is measured of live delivery.

use super::events::TransportType;
use mainstay_core::Clock;
use mainstay_core::api::events::EventType;
use mainstay_hub::live::{Closed, LiveCounts, Meter, Stamp};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// Upper bounds of the time from the storing of an event to its delivery, in seconds.
const DELIVERY_BUCKETS: [f64; 9] = [0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0];

/// What carries events to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carrier {
    /// Our WebSocket protocol.
    WebSocket,
    /// Server-sent events.
    Sse,
    /// A hub.
    SignalR,
}

impl Carrier {
    const ALL: [Self; 3] = [Self::WebSocket, Self::Sse, Self::SignalR];

    fn label(self) -> &'static str {
        match self {
            Self::WebSocket => "websocket",
            Self::Sse => "sse",
            Self::SignalR => "signalr",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CarrierLabel {
    transport: &'static str,
}

/// Counters of live delivery.
pub(crate) struct DeliveryMetrics {
    meters: [Arc<CarrierMeter>; Carrier::ALL.len()],
    queue_bytes: Gauge,
    subscriptions: Gauge,
    conflated: Gauge,
    repeats: Gauge,
    gaps: Gauge,
}

impl DeliveryMetrics {
    /// Registers every family, under the names of the founding system where it had one.
    pub(crate) fn register(registry: &mut Registry, clock: &Arc<dyn Clock>) -> Self {
        let new_histogram: fn() -> Histogram = || Histogram::new(DELIVERY_BUCKETS);
        let seconds = Family::new_with_constructor(new_histogram);
        let connections: Family<CarrierLabel, Gauge> = Family::default();
        let slow: Family<CarrierLabel, Counter> = Family::default();
        registry.register(
            "event_delivery_duration_seconds",
            "Time from the storing of an event until it is written to a client",
            seconds.clone(),
        );
        registry.register("mainstay_event_connections", "Live connections now", connections.clone());
        registry.register("mainstay_event_slow_closed", "Connections closed because they were slow", slow.clone());
        let meters = Carrier::ALL.map(|carrier| {
            let label = CarrierLabel { transport: carrier.label() };
            Arc::new(CarrierMeter {
                transport: carrier.label(),
                clock: Arc::clone(clock),
                family: seconds.clone(),
                seconds: [const { OnceLock::new() }; EventType::KNOWN.len() + 1],
                connections: connections.get_or_create_owned(&label),
                slow: slow.get_or_create_owned(&label),
            })
        });
        let [queue_bytes, subscriptions, conflated, repeats, gaps] = [
            ("queue_bytes", "Bytes that wait for live connections now"),
            ("subscriptions", "Subscriptions of live connections to rooms now"),
            ("conflated", "Events left out for slow connections since the start"),
            ("repeats", "Events that were in a stream twice and were delivered once, since the start"),
            ("gaps", "Gaps that live clients were told of since the start"),
        ]
        .map(|(name, help)| {
            let gauge = Gauge::default();
            registry.register(format!("mainstay_event_{name}"), help, gauge.clone());
            gauge
        });
        Self { meters, queue_bytes, subscriptions, conflated, repeats, gaps }
    }

    /// What the connections of a carrier tell.
    pub(crate) fn meter(&self, carrier: Carrier) -> Arc<dyn Meter> {
        Arc::clone(&self.meters[carrier as usize]) as _
    }

    /// Takes over what the live layer counts by itself.
    pub(crate) fn take_over(&self, counts: &LiveCounts) {
        let signed = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        self.queue_bytes.set(counts.queued_bytes);
        self.subscriptions.set(counts.subscriptions);
        self.conflated.set(signed(counts.conflated));
        self.repeats.set(signed(counts.repeats));
        self.gaps.set(signed(counts.gaps));
    }
}

/// Measures the connections of one carrier.
struct CarrierMeter {
    transport: &'static str,
    clock: Arc<dyn Clock>,
    family: Family<TransportType, Histogram, fn() -> Histogram>,
    /// By the known types, and one for all others: found once, because there are many deliveries.
    seconds: [OnceLock<Histogram>; EventType::KNOWN.len() + 1],
    connections: Gauge,
    slow: Counter,
}

impl CarrierMeter {
    fn seconds(&self, known: Option<u8>) -> &Histogram {
        let at = known.map_or(EventType::KNOWN.len(), usize::from);
        self.seconds[at].get_or_init(|| {
            let event_type = EventType::KNOWN.get(at).copied().unwrap_or("other");
            self.family.get_or_create_owned(&TransportType { transport: self.transport, event_type })
        })
    }
}

impl Meter for CarrierMeter {
    fn opened(&self) {
        self.connections.inc();
    }

    fn ended(&self, closed: Closed) {
        self.connections.dec();
        if closed == Closed::Slow {
            self.slow.inc();
        }
    }

    fn delivered(&self, stamps: &[Stamp]) {
        let now_ms = self.clock.now().as_millis();
        for stamp in stamps {
            // The store's clock may be ahead of this one.
            let took_ms = u64::try_from(now_ms).unwrap_or(0).saturating_sub(stamp.stored_ms);
            self.seconds(stamp.known).observe(Duration::from_millis(took_ms).as_secs_f64());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mainstay_core::FakeClock;
    use prometheus_client::encoding::text::encode;

    #[test]
    fn deliveries_are_told_apart_by_carrier_and_known_type() {
        let mut registry = Registry::default();
        let clock: Arc<dyn Clock> = Arc::new(FakeClock::at(10_300));
        let metrics = DeliveryMetrics::register(&mut registry, &clock);
        let stored_ms = 10_000;
        let meter = metrics.meter(Carrier::Sse);
        meter.opened();
        meter.delivered(&[Stamp { stored_ms, known: Some(0) }, Stamp { stored_ms, known: None }]);
        let other = metrics.meter(Carrier::SignalR);
        other.opened();
        other.delivered(&[Stamp { stored_ms: stored_ms + 3_600_000, known: Some(0) }]);
        other.ended(Closed::Slow);
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            r#"event_delivery_duration_seconds_bucket{le="0.2",transport="sse",event_type="chat_message"} 0"#,
            r#"event_delivery_duration_seconds_count{transport="sse",event_type="chat_message"} 1"#,
            r#"event_delivery_duration_seconds_count{transport="sse",event_type="other"} 1"#,
            r#"event_delivery_duration_seconds_bucket{le="0.01",transport="signalr",event_type="chat_message"} 1"#,
            r#"mainstay_event_connections{transport="sse"} 1"#,
            r#"mainstay_event_connections{transport="signalr"} 0"#,
            r#"mainstay_event_slow_closed_total{transport="signalr"} 1"#,
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}
