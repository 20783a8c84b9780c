//! How publishers choose between the HTTP bridge and the streams.

use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// Shortest time that a publisher waits for a stream, in milliseconds.
pub const MIN_PUBLISH_TIMEOUT_MS: u32 = 10;
/// Longest time that a publisher waits for a stream, in milliseconds.
pub const MAX_PUBLISH_TIMEOUT_MS: u32 = 5_000;

/// How a publisher sends events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TransportSettings {
    /// Whether streams are used at all; without, everything goes over the HTTP bridge.
    pub use_streams: bool,
    /// The share of rooms whose events go to streams, in percent: 0 to 100. A room is on one side or the other, and
    /// stays there while the share grows past it.
    #[schemars(range(max = 100))]
    #[schema(maximum = 100)]
    pub percentage: u8,
    /// Whether every event of these rooms goes over the bridge as well, under the same id, so that it is seen once.
    #[serde(default)]
    pub dual_write: bool,
    /// Whether an event that a stream did not take in time goes over the bridge, under the same id.
    #[serde(default = "yes")]
    pub fallback: bool,
    /// How long a stream may take, in milliseconds: 10 to 5,000.
    #[serde(default = "usual_timeout")]
    #[schemars(range(min = 10, max = 5_000))]
    #[schema(minimum = 10, maximum = 5_000)]
    pub publish_timeout_ms: u32,
}

fn yes() -> bool {
    true
}

fn usual_timeout() -> u32 {
    TransportSettings::default().publish_timeout_ms
}

impl Default for TransportSettings {
    /// Everything over the bridge, as the founding system began.
    fn default() -> Self {
        Self { use_streams: false, percentage: 0, dual_write: false, fallback: true, publish_timeout_ms: 100 }
    }
}

impl TransportSettings {
    /// Checks the bounds.
    ///
    /// # Errors
    /// The rule that is broken.
    pub fn check(&self) -> Result<(), String> {
        if self.percentage > 100 {
            return Err(format!("percentage: {} is not 0 to 100", self.percentage));
        }
        if !(MIN_PUBLISH_TIMEOUT_MS..=MAX_PUBLISH_TIMEOUT_MS).contains(&self.publish_timeout_ms) {
            let given = self.publish_timeout_ms;
            return Err(format!(
                "publish_timeout_ms: {given} is not {MIN_PUBLISH_TIMEOUT_MS} to {MAX_PUBLISH_TIMEOUT_MS}"
            ));
        }
        Ok(())
    }
}

/// How the publishers of a namespace send events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct TransportChoice {
    /// The settings; absent where nobody has set any: each publisher then does as its own environment says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<TransportSettings>,
    /// Grows by one with each change; 0 where it was never set.
    pub version: u64,
    /// When it was last changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_at: Option<Timestamp>,
    /// Who changed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub updated_by: Option<String>,
}

/// A change of that.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeTransport {
    /// The settings from now on.
    pub settings: TransportSettings,
    /// The version that is replaced, 0 where it was never set; whatever it is where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_version: Option<u64>,
}
