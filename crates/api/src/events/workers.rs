//! Working on events in a group: taking, keeping, acknowledging, giving back, giving up.

use super::{ConsumerName, Event, EventToken};
use crate::Timestamp;
use serde::{Deserialize, Serialize};

/// Most events that one call takes, keeps or acknowledges, and most dead events on a page.
pub const MAX_WORK: u32 = 100;
/// Events that one call takes where it does not say.
pub const DEFAULT_WORK: u32 = 10;
/// Longest wait of a call for events, in milliseconds.
pub const MAX_WORK_WAIT_MS: u64 = 60_000;
/// How long an event may be left alone before another consumer takes it, where the call does not say, in milliseconds.
pub const DEFAULT_IDLE_MS: u64 = 60_000;
/// The shortest such time, in milliseconds.
pub const MIN_IDLE_MS: u64 = 100;
/// The longest such time, in milliseconds: a day.
pub const MAX_IDLE_MS: u64 = 24 * 60 * 60 * 1_000;
/// Deliveries after which an event is given up, where the call does not say.
pub const DEFAULT_DELIVERIES: u32 = 5;
/// Most deliveries that may be asked for.
pub const MAX_DELIVERIES: u32 = 1_000;
/// Longest reason for giving an event up, in bytes.
pub const MAX_REASON_BYTES: usize = 1_000;

/// Takes events for a consumer.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TakeWork {
    /// Who takes: one process, under a name that no other process uses.
    pub consumer: ConsumerName,
    /// Events at most: 1 to 100, 10 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// How long to wait where there is nothing to take, in milliseconds; at most 60,000, 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
    /// What a consumer has held for at least so long, in milliseconds, without keeping it, is taken from it: 100 to
    /// 86,400,000, 60,000 when absent. All consumers of a group give the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_ms: Option<u64>,
    /// An event that was delivered this often, and is idle, is put among the dead instead of being delivered again: 1 to
    /// 1,000, 5 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_deliveries: Option<u32>,
}

/// What was taken.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct TakenWork {
    /// The events: each is the consumer's until it is acknowledged, buried, given back, or left alone for too long.
    pub events: Vec<WorkEvent>,
    /// How many were put among the dead by this call, because consumers kept leaving them alone.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub buried: u32,
    /// How many had been delivered and not acknowledged when they were trimmed, and are gone.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lost: u32,
    /// Entries that others wrote and that are no events: they count as acknowledged.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unreadable: u32,
}

/// An event in the hands of a consumer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct WorkEvent {
    /// By what it is acknowledged, kept, given back or buried.
    pub token: EventToken,
    /// Which delivery this is, from 1.
    pub delivery: u32,
    /// The event.
    pub event: Event,
}

/// Says that a consumer still works on events.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct KeepWork {
    /// Who has them.
    pub consumer: ConsumerName,
    /// The events, 1 to 100.
    pub tokens: Vec<EventToken>,
}

/// The answer to [`KeepWork`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct KeptWork {
    /// Those that are still the consumer's.
    pub kept: Vec<EventToken>,
}

/// Acknowledges events: their work is done.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeWork {
    /// The events, 1 to 100.
    pub tokens: Vec<EventToken>,
}

/// The answer to [`AcknowledgeWork`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct AcknowledgedWork {
    /// How many were waiting for it.
    pub acknowledged: u64,
}

/// Gives an event back, to be delivered again.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseWork {
    /// Who has it.
    pub consumer: ConsumerName,
    /// The event.
    pub token: EventToken,
    /// How long it is left before it is delivered again, in milliseconds; at most `idle_ms`, 0 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// The `idle_ms` of those who take, 60,000 when absent: the delay is counted by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle_ms: Option<u64>,
}

/// The answer to [`ReleaseWork`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct WorkReleased {
    /// Whether it was the consumer's to give back.
    pub released: bool,
}

/// Puts an event among the dead: it is not delivered again.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BuryWork {
    /// Who has it.
    pub consumer: ConsumerName,
    /// The event.
    pub token: EventToken,
    /// Why, at most 1,000 bytes.
    pub reason: String,
}

/// The answer to [`BuryWork`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct WorkBuried {
    /// Whether it was the consumer's to bury, and still in the stream.
    pub buried: bool,
}

/// Which dead events to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListDead {
    /// Events at most: 1 to 100, 50 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// The token behind which to go on, as the page before gave it in `next`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<EventToken>,
}

/// Dead events on a page where the call does not say.
pub const DEFAULT_DEAD_PAGE: u32 = 50;

/// An event that a group gave up on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct DeadWork {
    /// By what it is revived or forgotten.
    pub token: EventToken,
    /// The event as it was, whether the stream still has it or not.
    pub event: Event,
    /// How often it was delivered.
    pub deliveries: u32,
    /// Why it was given up.
    pub reason: String,
    /// When.
    pub died_at: Timestamp,
}

/// The answer to a call that revives or forgets a dead event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct DeadChanged {
    /// Whether it was among the dead.
    pub changed: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}
