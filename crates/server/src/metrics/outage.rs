//! What waits for the store, as gauges.

use mainstay_core::api::Timestamp;
use mainstay_core::outage::{OutageService, Phase};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Gauges of an outage.
pub(crate) struct OutageMetrics {
    waiting: Gauge,
    refused: Gauge,
    bytes: Gauge,
    away: Gauge,
    halted: Gauge,
    replayed: Gauge,
}

impl OutageMetrics {
    /// Registers them.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            waiting: Gauge::default(),
            refused: Gauge::default(),
            bytes: Gauge::default(),
            away: Gauge::default(),
            halted: Gauge::default(),
            replayed: Gauge::default(),
        };
        let mut gauge = |name: &str, help: &str, gauge: &Gauge| registry.register(name, help, gauge.clone());
        gauge("mainstay_journal_waiting", "Writes that wait at this node for the store", &metrics.waiting);
        gauge("mainstay_journal_refused", "Writes that the store did not take after an outage", &metrics.refused);
        gauge("mainstay_journal_bytes", "Bytes of the writes that this node keeps", &metrics.bytes);
        gauge("mainstay_store_away_seconds", "How long this node has been reading from copies", &metrics.away);
        gauge(
            "mainstay_journal_halted",
            "Whether the store is not the one that was lost, so that nothing is written to it",
            &metrics.halted,
        );
        gauge("mainstay_journal_replayed", "Writes that were brought to the store after outages", &metrics.replayed);
        metrics
    }

    /// Takes over how it stands.
    pub(crate) async fn looked(&self, outage: &OutageService, now: Timestamp) {
        let Some(stood) = outage.stood() else { return };
        match outage.held().await {
            Ok(held) => {
                let held = held.unwrap_or_default();
                self.waiting.set(signed(held.waiting));
                self.refused.set(signed(held.refused));
                self.bytes.set(signed(held.bytes));
            }
            Err(error) => tracing::warn!(%error, internal = error.internal, "the journal cannot be read"),
        }
        let away_ms = stood.phase.since().map_or(0, |since| now.as_millis().saturating_sub(since.as_millis()));
        self.away.set(away_ms.max(0) / 1_000);
        self.halted.set(i64::from(matches!(stood.phase, Phase::Halted { .. })));
        self.replayed.set(signed(stood.replayed));
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}
