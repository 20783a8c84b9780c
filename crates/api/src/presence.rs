//! Presence of instances: requests and responses.

use crate::{InstanceId, Timestamp};
use serde::{Deserialize, Serialize};

/// Longest text field of a registration, in bytes.
pub const MAX_FIELD_BYTES: usize = 2_000;
/// Most capabilities that an instance names.
pub const MAX_CAPABILITIES: usize = 64;

/// Says who an instance is and what it works on. Registering again replaces what was said before.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RegisterInstance {
    /// What it does in the team, such as `backend`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// The machine it runs on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// Its process id there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process_id: Option<u32>,
    /// The repository it works in: a path or a URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    /// The branch it works on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// What it can be asked for, at most 64.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub capabilities: Vec<String>,
    /// What it is doing now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_work: Option<String>,
    /// The run of the program: a later run under the same name takes the name over, and the earlier one can then
    /// neither beat for it nor unregister it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// Says that an instance is alive.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Heartbeat {
    /// What it is doing now; unchanged when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current_work: Option<String>,
    /// The run that beats. A beat of a run that another one has replaced changes nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// Whether an instance is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    /// It has beaten within the time-out (5 minutes unless configured).
    Active,
    /// It has not, and is kept in the list for a longer time (24 hours unless configured).
    Inactive,
}

/// An instance and its state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Instance {
    /// Its name.
    pub instance: InstanceId,
    /// Whether it is there.
    pub state: PresenceState,
    /// When it registered.
    pub registered_at: Timestamp,
    /// When it last beat.
    pub last_heartbeat: Timestamp,
    /// What it said of itself.
    #[serde(flatten)]
    pub details: RegisterInstance,
}

/// Every instance of a namespace, by name.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct Presence {
    /// The instances.
    pub instances: Vec<Instance>,
}

/// Ends the registration of an instance.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct UnregisterInstance {
    /// The run that ends: where another run has taken the name over, nothing changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
}

/// The answer to a heartbeat or to the end of a registration.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
pub struct PresenceChanged {
    /// Whether it took effect; `false` where another run holds the name, or none did.
    pub changed: bool,
    /// When.
    pub at: Timestamp,
}

/// A change of presence, as the live stream reports it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum PresenceEvent {
    /// An instance appeared, or became active again.
    Joined(Instance),
    /// It said something new of itself.
    Updated(Instance),
    /// It has not beaten for the time-out.
    Inactive(Instance),
    /// It unregistered, or was silent for the longer time.
    Left {
        /// Its name.
        instance: InstanceId,
    },
}
