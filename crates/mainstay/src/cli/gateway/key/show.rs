//! `mainstay gateway key show`.

use crate::cli::context::Context;
use crate::cli::gateway::money::{amount, period};
use crate::failure::Result;
use crate::printer::one_line;
use clap::Args;
use mainstay_api::Timestamp;
use mainstay_api::gateway::{BudgetPeriod, GatewayKey};
use mainstay_api::providers::GatewayKeyId;

/// Shows a key of the gateway: what it may use, and what it used.
#[derive(Debug, Args)]
pub struct Show {
    /// The id.
    id: GatewayKeyId,
}

impl Show {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let key = context.client_plain().await?.gateway_keys().read(&self.id).await?;
        show(&key, context)
    }
}

/// Prints a key.
pub(super) fn show(key: &GatewayKey, context: &Context<'_>) -> Result {
    context.printer.data(key, || text(key))
}

fn text(key: &GatewayKey) -> String {
    let list = |names: &[String]| if names.is_empty() { "every".to_owned() } else { one_line(&names.join(" ")) };
    let of = |used: String, most: Option<String>| match most {
        Some(most) => format!("{used} of {most}"),
        None => used,
    };
    let moment = |at: Option<Timestamp>, none: &str| at.map_or_else(|| none.to_owned(), Timestamp::to_seconds_text);
    let most = |most: Option<u64>| most.map_or_else(|| "no limit".to_owned(), |most| most.to_string());
    let (limits, used) = (&key.limits, &key.used);
    let budget = limits.budget_millionths.map(|most| {
        let lasts = period(limits.budget_period.unwrap_or(BudgetPeriod::Month));
        format!("{} in a {lasts}", amount(most))
    });
    let rows = [
        ("id", key.id.to_string()),
        ("name", one_line(&key.name)),
        ("state", if key.disabled { "disabled" } else { "enabled" }.to_owned()),
        ("ends", moment(key.expires_at, "never")),
        ("models", list(&key.models)),
        ("pools", list(&key.pools)),
        ("requests", used.requests.to_string()),
        ("requests today", of(used.requests_today.to_string(), limits.requests_per_day.map(|most| most.to_string()))),
        ("requests beyond", limits.bonus_requests.to_string()),
        ("in flight", of(used.in_flight.to_string(), limits.in_flight.map(|most| most.to_string()))),
        ("requests/minute", most(limits.requests_per_minute.map(u64::from))),
        ("tokens/minute", most(limits.tokens_per_minute)),
        ("tokens", used.tokens.to_string()),
        ("spent", of(amount(used.spent_millionths), budget)),
        ("last used", moment(used.last_used_at, "never")),
        ("made", format!("{} by {}", key.created_at.to_seconds_text(), one_line(&key.created_by))),
        ("version", key.version.to_string()),
    ];
    let lines = rows.iter().map(|(name, value)| format!("{name:<16} {value}"));
    lines.collect::<Vec<_>>().join("\n")
}
