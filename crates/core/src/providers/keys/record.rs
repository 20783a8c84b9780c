//! A key as it is kept, and what is told of it.

use super::port::{KeyLimits, KeyRecord, Period};
use super::rules::day_of;
use crate::error::{Error, Result};
use mainstay_api::gateway::{BudgetPeriod, GatewayKey, GatewayKeyUse, GatewayLimits};
use mainstay_api::{RawJson, Timestamp};
use serde::{Deserialize, Serialize};

/// What the store does not look into.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct KeyBody {
    pub name: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pools: Vec<String>,
    pub created_by: String,
    /// Where it was imported: the secret and the record of the file, sealed, because that record holds the secret as well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imported: Option<Imported>,
}

/// What is kept of a key of a file.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Imported {
    /// Its place in the file.
    pub place: u32,
    /// [`Original`], sealed.
    pub sealed: String,
}

/// A key as it stood in a file.
#[derive(Serialize, Deserialize)]
pub(super) struct Original {
    pub secret: String,
    pub record: RawJson,
}

impl KeyBody {
    pub fn of(record: &KeyRecord) -> Result<Self> {
        record.body.read().map_err(|e| Error::inconsistent(format!("the body of a gateway key: {e}")))
    }

    pub fn write(&self) -> Result<RawJson> {
        RawJson::of(self).map_err(|e| Error::bug(format!("a gateway key cannot be written: {e}")))
    }
}

/// What is told of a key.
pub(super) fn told(mut record: KeyRecord, now: Timestamp) -> Result<GatewayKey> {
    let body = KeyBody::of(&record)?;
    record.tally.turn(&record.limits, now);
    let (limits, tally) = (&record.limits, &record.tally);
    let limits = GatewayLimits {
        requests_per_minute: limits.requests_per_minute,
        tokens_per_minute: limits.tokens_per_minute,
        requests_per_day: limits.requests_per_day,
        bonus_requests: limits.bonus_requests.saturating_sub(tally.bonus_used),
        in_flight: limits.in_flight,
        budget_millionths: limits.budget.map(|(most, _)| most),
        budget_period: limits.budget.map(|(_, period)| wire(period)),
    };
    let used = GatewayKeyUse {
        requests: tally.requests,
        requests_today: if tally.day == day_of(now) { tally.requests_today } else { 0 },
        tokens: tally.tokens,
        spent_millionths: tally.spent,
        in_flight: tally.in_flight,
        last_used_at: tally.used_at,
    };
    Ok(GatewayKey {
        id: record.id,
        name: body.name,
        models: body.models,
        pools: body.pools,
        limits,
        disabled: record.disabled,
        expires_at: record.expires_at,
        version: record.version,
        created_at: record.created_at,
        created_by: body.created_by,
        imported: body.imported.is_some(),
        used,
    })
}

/// Limits as they are kept; `bonus_used` are those beyond a day's that were used already.
pub(super) fn limits(wanted: &GatewayLimits, bonus_used: u32) -> Result<KeyLimits> {
    let most = super::prices::MAX_COUNT;
    if wanted.budget_period.is_some() && wanted.budget_millionths.is_none() {
        return Err(Error::invalid("limits: a period is given, and no budget"));
    }
    if wanted.budget_millionths.is_some_and(|budget| budget > most) {
        return Err(Error::invalid(format!("limits: budget_millionths: at most {most}")));
    }
    if wanted.tokens_per_minute.is_some_and(|tokens| tokens > most) {
        return Err(Error::invalid(format!("limits: tokens_per_minute: at most {most}")));
    }
    let period = match wanted.budget_period {
        Some(BudgetPeriod::Day) => Period::Day,
        Some(BudgetPeriod::Week) => Period::Week,
        None | Some(BudgetPeriod::Month) => Period::Month,
        Some(BudgetPeriod::Total) => Period::Total,
    };
    Ok(KeyLimits {
        requests_per_minute: wanted.requests_per_minute,
        tokens_per_minute: wanted.tokens_per_minute,
        requests_per_day: wanted.requests_per_day,
        bonus_requests: bonus_used.saturating_add(wanted.bonus_requests),
        in_flight: wanted.in_flight,
        budget: wanted.budget_millionths.map(|budget| (budget, period)),
    })
}

fn wire(period: Period) -> BudgetPeriod {
    match period {
        Period::Day => BudgetPeriod::Day,
        Period::Week => BudgetPeriod::Week,
        Period::Month => BudgetPeriod::Month,
        Period::Total => BudgetPeriod::Total,
    }
}
