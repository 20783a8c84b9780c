//! Keys of those who use the gateway.

use crate::providers::GatewayKeyId;
use crate::raw::RawJson;
use crate::time::Timestamp;
use serde::{Deserialize, Serialize};

/// Most keys of one page.
pub const MAX_GATEWAY_KEYS: u32 = 200;
/// Most models, and most pools, that a key names.
pub const MAX_LISTED_NAMES: usize = 200;

/// How long a budget lasts before it begins anew, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetPeriod {
    /// A day.
    Day,
    /// A week, from Monday.
    Week,
    /// A month of the calendar.
    Month,
    /// For as long as the key lives.
    Total,
}

/// What a key may use. What is absent is not limited.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct GatewayLimits {
    /// Requests in any 60 seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<u32>,
    /// Tokens, in and out, in any 60 seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<u64>,
    /// Requests in a day of UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_day: Option<u32>,
    /// Requests beyond those of a day that are left; each is used once.
    #[serde(default)]
    pub bonus_requests: u32,
    /// Requests at a time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub in_flight: Option<u32>,
    /// What may be spent in a period, in millionths of the unit of the prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_millionths: Option<u64>,
    /// The period of the budget; `month` where only a budget is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget_period: Option<BudgetPeriod>,
}

/// Makes a key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateGatewayKey {
    /// What it is for.
    pub name: String,
    /// Models that it may ask for, with `*` for any text; every one when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// Pools that it may use; every one when empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<String>,
    /// What it may use.
    #[serde(default)]
    pub limits: GatewayLimits,
    /// Whether it is refused.
    #[serde(default)]
    pub disabled: bool,
    /// When it ends; never when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// Changes a key. What is absent stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeGatewayKey {
    /// The version that is replaced; the present one when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<u64>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Models that it may ask for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<String>>,
    /// Pools that it may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pools: Option<Vec<String>>,
    /// What it may use, as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<GatewayLimits>,
    /// Whether it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<bool>,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// That it never ends.
    #[serde(default)]
    pub never_expires: bool,
}

/// What a key used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GatewayKeyUse {
    /// Requests, ever.
    pub requests: u64,
    /// Requests of this day of UTC.
    pub requests_today: u32,
    /// Tokens in and out, ever.
    pub tokens: u64,
    /// What it spent in the current period of its budget with what is reserved, in millionths of the unit of the prices.
    pub spent_millionths: u64,
    /// Requests in flight.
    pub in_flight: u32,
    /// When it was last used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
}

/// A key, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct GatewayKey {
    /// Its id, which is no secret.
    #[schema(value_type = String)]
    pub id: GatewayKeyId,
    /// What it is for.
    pub name: String,
    /// Models that it may ask for; every one when empty.
    pub models: Vec<String>,
    /// Pools that it may use; every one when empty.
    pub pools: Vec<String>,
    /// What it may use.
    pub limits: GatewayLimits,
    /// Whether it is refused.
    pub disabled: bool,
    /// When it ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Grows with every change of what is above.
    pub version: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// The principal that made it.
    pub created_by: String,
    /// Whether it was imported, so that an export can write it.
    pub imported: bool,
    /// What it used.
    pub used: GatewayKeyUse,
}

/// A key that was just made.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct CreatedGatewayKey {
    /// The key.
    #[serde(flatten)]
    pub key: GatewayKey,
    /// The secret, shown this once: only its hash is kept.
    pub secret: String,
}

impl std::fmt::Debug for CreatedGatewayKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedGatewayKey").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Which keys to list.
#[derive(Debug, Clone, Default, Serialize, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListGatewayKeys {
    /// Where the page before this one ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Keys on the page: 1 to 200, 100 when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// Imports keys from the file `api-potluck-keys.json`.
#[derive(Debug, Clone, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ImportGatewayKeys {
    /// The file.
    pub file: RawJson,
    /// Say what would become of it, and write nothing.
    #[serde(default)]
    pub dry_run: bool,
}

/// A key of a file that was not imported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct KeyNotImported {
    /// Its place in the file, from 1.
    pub place: u32,
    /// Its name.
    pub name: String,
    /// Why.
    pub cause: String,
}

/// What became of the keys of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ImportedGatewayKeys {
    /// Keys that were made.
    pub created: u32,
    /// Keys that were there already.
    pub unchanged: u32,
    /// Keys that were not made.
    pub failed: Vec<KeyNotImported>,
    /// Members of the file besides `keys`, which are not kept.
    pub ignored: Vec<String>,
}

/// Imported keys as the file that they came from, with their secrets.
#[derive(Clone, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ExportedGatewayKeys {
    /// The file.
    pub file: RawJson,
    /// Keys that are not in it: their secrets are not kept.
    #[schema(value_type = Vec<String>)]
    pub left_out: Vec<GatewayKeyId>,
}

impl std::fmt::Debug for ExportedGatewayKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExportedGatewayKeys").field("left_out", &self.left_out).finish_non_exhaustive()
    }
}
