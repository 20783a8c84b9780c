//! The gateway: keys of those who use it, and what they used.

mod keys;
mod usage;

pub use keys::{
    BudgetPeriod, ChangeGatewayKey, CreateGatewayKey, CreatedGatewayKey, ExportedGatewayKeys, GatewayKey,
    GatewayKeyUse, GatewayLimits, ImportGatewayKeys, ImportedGatewayKeys, KeyNotImported, ListGatewayKeys,
    MAX_GATEWAY_KEYS, MAX_LISTED_NAMES,
};
pub use usage::{GatewayUsage, ListGatewayUsage, MAX_USAGE_DAYS, MAX_USAGE_ROWS, UsageFormat};
