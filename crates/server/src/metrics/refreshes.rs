//! What became of refreshes of credentials, as a counter by outcome.

use mainstay_core::providers::credentials::TokenCounts;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;
use std::sync::atomic::Ordering;

/// Counts refreshes.
pub(crate) struct RefreshMetrics(Family<OutcomeLabel, Counter>);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: &'static str,
}

impl RefreshMetrics {
    /// Registers the family.
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let refreshes = Family::default();
        registry.register(
            "mainstay_credential_refreshes",
            "Refreshes of credentials by this node: refreshed, adopted from another, failed for now, died",
            refreshes.clone(),
        );
        Self(refreshes)
    }

    /// Takes over what the rules have counted.
    pub(crate) fn take_over(&self, counts: &TokenCounts) {
        let outcomes = [
            ("refreshed", &counts.refreshed),
            ("adopted", &counts.adopted),
            ("failed", &counts.failed),
            ("died", &counts.died),
        ];
        for (outcome, count) in outcomes {
            let counter = self.0.get_or_create(&OutcomeLabel { outcome });
            counter.inner().store(count.load(Ordering::Relaxed), Ordering::Relaxed);
        }
    }
}
