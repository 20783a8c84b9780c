//! What is counted of requests to the gateway.

use mainstay_core::api::Code;
use mainstay_core::providers::keys::{MeterWatch, Spent};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

/// Counters of the meter. Keys are not among the labels: there may be many, and usage has them.
#[derive(Debug, Clone, Default)]
pub(crate) struct GatewayKeyMetrics {
    admitted: Counter,
    refused: Family<RefusalLabels, Counter>,
    cost: Counter,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabels {
    code: &'static str,
}

impl GatewayKeyMetrics {
    /// Nothing has been counted yet.
    pub fn register(registry: &mut Registry) -> Self {
        let metrics = Self::default();
        let admitted = metrics.admitted.clone();
        registry.register("mainstay_gateway_admitted", "Requests to the gateway that were let in", admitted);
        let refused = metrics.refused.clone();
        registry.register("mainstay_gateway_refused", "Requests to the gateway that were not let in, by code", refused);
        let cost = metrics.cost.clone();
        registry.register("mainstay_gateway_cost_millionths", "Costs counted in usage, in millionths", cost);
        metrics
    }
}

impl MeterWatch for GatewayKeyMetrics {
    fn admitted(&self) {
        self.admitted.inc();
    }

    fn refused(&self, code: Code) {
        self.refused.get_or_create(&RefusalLabels { code: code.as_str() }).inc();
    }

    fn settled(&self, spent: &Spent) {
        self.cost.inc_by(spent.cost);
    }
}
