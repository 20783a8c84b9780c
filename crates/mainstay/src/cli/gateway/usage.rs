//! `mainstay gateway usage`.

use super::money::amount;
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::gateway::{GatewayUsage, ListGatewayUsage, MAX_USAGE_ROWS};
use mainstay_client::Client;

/// Shows what was used in the namespace, by day, key, pool, provider and model.
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay gateway usage --from 2026-11-01 --csv > november.csv")]
pub struct Usage {
    /// The first day, such as 2026-11-01; 30 days before the last when absent.
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// The last day; today when absent.
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// Only what this key, or this principal, used.
    #[arg(long)]
    key: Option<String>,
    /// Print it as CSV.
    #[arg(long)]
    csv: bool,
    /// Print each row as it is; else rows are summed, one for each key and day.
    #[arg(long)]
    details: bool,
}

impl Usage {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let list = ListGatewayUsage {
            from: self.from,
            to: self.to,
            key: self.key,
            limit: Some(MAX_USAGE_ROWS),
            ..Default::default()
        };
        let client = context.client_plain().await?;
        if self.csv {
            return csv(client, list, context).await;
        }
        let rows = all(client, list).await?;
        let table = || {
            let shown = if self.details { rows.clone() } else { summed(&rows) };
            let head = ["DAY", "KEY", "POOL", "PROVIDER", "MODEL", "REQUESTS", "FAILED", "IN", "CACHED", "OUT", "COST"];
            context.printer.rows(&head, shown.iter().map(row).collect())
        };
        context.printer.data(&rows, table)?;
        if rows.is_empty() && !context.printer.is_json() {
            context.printer.note("nothing was used");
        }
        Ok(())
    }
}

async fn csv(client: &Client, list: ListGatewayUsage, context: &Context<'_>) -> Result {
    context.printer.verbatim(GatewayUsage::CSV_HEAD)?;
    each_page(client, list, |rows| {
        let lines: String = rows.iter().map(GatewayUsage::csv_line).collect();
        context.printer.verbatim(&lines)
    })
    .await
}

async fn all(client: &Client, list: ListGatewayUsage) -> Result<Vec<GatewayUsage>> {
    let mut all = Vec::new();
    each_page(client, list, |rows| {
        all.extend(rows);
        Ok(())
    })
    .await?;
    Ok(all)
}

async fn each_page(
    client: &Client,
    mut list: ListGatewayUsage,
    mut take: impl FnMut(Vec<GatewayUsage>) -> Result,
) -> Result {
    loop {
        let page = client.gateway_keys().usage(&list).await?;
        take(page.items)?;
        match page.next {
            Some(next) => list.cursor = Some(next),
            None => return Ok(()),
        }
    }
}

/// One row for each key and day.
fn summed(rows: &[GatewayUsage]) -> Vec<GatewayUsage> {
    let mut sums: Vec<GatewayUsage> = Vec::new();
    for row in rows {
        let last = sums.last_mut().filter(|last| last.day == row.day && last.key == row.key);
        let Some(sum) = last else {
            let all = || "-".to_owned();
            sums.push(GatewayUsage { pool: all(), provider: all(), model: all(), ..row.clone() });
            continue;
        };
        sum.requests += row.requests;
        sum.failed += row.failed;
        sum.input_tokens += row.input_tokens;
        sum.cached_tokens += row.cached_tokens;
        sum.output_tokens += row.output_tokens;
        sum.cost_millionths += row.cost_millionths;
        sum.estimated |= row.estimated;
    }
    sums
}

fn row(row: &GatewayUsage) -> Vec<String> {
    let about = if row.estimated { "~" } else { "" };
    vec![
        row.day.clone(),
        row.key.clone(),
        row.pool.clone(),
        row.provider.clone(),
        row.model.clone(),
        row.requests.to_string(),
        row.failed.to_string(),
        row.input_tokens.to_string(),
        row.cached_tokens.to_string(),
        row.output_tokens.to_string(),
        format!("{about}{}", amount(row.cost_millionths)),
    ]
}
