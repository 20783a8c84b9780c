//! What was used.

use super::{GatewayKeyService, bounded, day_text, foreign_cursor};
use crate::error::{Error, Result};
use crate::providers::keys::port::{ListUsage, UsagePlace, UsageRow};
use crate::providers::keys::rules::day_of;
use crate::{Caller, Scope};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mainstay_api::Timestamp;
use mainstay_api::gateway::{GatewayUsage, ListGatewayUsage, MAX_USAGE_DAYS, MAX_USAGE_ROWS};
use mainstay_api::page::Page;

/// Rows of a page where nobody says how many.
const USUAL_ROWS: u32 = 500;
/// Days before the last one where nobody says the first.
const USUAL_DAYS: u32 = 30;

impl GatewayKeyService {
    /// Usage of the namespace of the call, by day, key, pool, provider and model.
    ///
    /// # Errors
    /// An invalid request.
    pub async fn usage(&self, caller: &Caller, list: ListGatewayUsage) -> Result<Page<GatewayUsage>> {
        caller.require(Scope::GatewayAdmin)?;
        let to_day = list.to.as_deref().map_or_else(|| Ok(day_of(self.clock.now())), |text| parse_day("to", text))?;
        let usual = to_day.saturating_sub(USUAL_DAYS);
        let from_day = list.from.as_deref().map_or(Ok(usual), |text| parse_day("from", text))?;
        if from_day > to_day || to_day - from_day >= MAX_USAGE_DAYS {
            return Err(Error::invalid(format!("from, to: they span 1 to {MAX_USAGE_DAYS} days")));
        }
        let limit = bounded(list.limit, USUAL_ROWS, MAX_USAGE_ROWS)?;
        let after = list.cursor.as_deref().map(from_cursor).transpose()?;
        let namespace = caller.namespace.clone();
        let label = list.key.filter(|key| !key.is_empty());
        let rows = self.store.usage(ListUsage { namespace, label, from_day, to_day, after, limit }).await?;
        let full = rows.len() == limit as usize;
        let next = rows.last().filter(|_| full).map(|last| to_cursor(&last.place)).transpose()?;
        Ok(Page { items: rows.into_iter().map(told).collect(), next })
    }
}

fn told(row: UsageRow) -> GatewayUsage {
    let UsagePlace { day, label, pool, provider, model } = row.place;
    GatewayUsage {
        day: day_text(day),
        key: label,
        pool,
        provider,
        model,
        requests: row.requests,
        failed: row.failed,
        input_tokens: row.spent.input_tokens,
        cached_tokens: row.spent.cached_tokens,
        output_tokens: row.spent.output_tokens,
        cost_millionths: row.spent.cost,
        estimated: !row.spent.reported,
    }
}

/// A day as it is written, such as `2026-11-25`.
pub(super) fn parse_day(field: &str, text: &str) -> Result<u32> {
    let start: Result<Timestamp, _> = format!("{text}T00:00:00Z").parse();
    let valid = start.ok().filter(|start| text.len() == 10 && start.as_millis() >= 0);
    let start = valid.ok_or_else(|| Error::invalid(format!("{field}: {text:?} is not a day such as 2026-11-25")))?;
    Ok(day_of(start))
}

fn to_cursor(place: &UsagePlace) -> Result<String> {
    let parts = (place.day, &place.label, &place.pool, &place.provider, &place.model);
    let text = serde_json::to_vec(&parts).map_err(|e| Error::bug(format!("a cursor cannot be written: {e}")))?;
    Ok(URL_SAFE_NO_PAD.encode(text))
}

fn from_cursor(cursor: &str) -> Result<UsagePlace> {
    let text = URL_SAFE_NO_PAD.decode(cursor).ok();
    let parts = text.and_then(|text| serde_json::from_slice(&text).ok());
    let (day, label, pool, provider, model) = parts.ok_or_else(|| foreign_cursor(cursor))?;
    Ok(UsagePlace { day, label, pool, provider, model })
}
