//! `mainstay events lag`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::events::{GroupLag, Standing};

/// Shows how far the consumer groups of the namespace are behind.
#[derive(Debug, Args)]
pub struct Lag;

impl Lag {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let lag = context.client().await?.events().consumer_lag().await?;
        context.printer.data(&lag, || context.printer.rows(&HEAD, lag.groups.iter().map(row).collect()))
    }
}

/// The columns of [`row`].
pub(super) const HEAD: [&str; 9] =
    ["STREAM", "GROUP", "STATUS", "LAG", "PENDING", "HELD FOR", "CONSUMERS", "DEAD", "LOST"];

/// A group.
pub(super) fn row(group: &GroupLag) -> Vec<String> {
    vec![
        group.stream.to_string(),
        group.group.to_string(),
        word(group.status).to_owned(),
        counted(group.lag, group.lag_at_least),
        group.pending.to_string(),
        held_for(group.oldest_pending_ms),
        group.consumers.len().to_string(),
        group.dead.to_string(),
        group.lost.to_string(),
    ]
}

/// How something stands, in a word.
pub(super) fn word(standing: Standing) -> &'static str {
    match standing {
        Standing::Healthy => "healthy",
        Standing::Degraded => "degraded",
        Standing::Unhealthy => "unhealthy",
    }
}

/// A lag, which may be known as far as it was counted.
pub(super) fn counted(lag: u64, at_least: bool) -> String {
    if at_least { format!("{lag} or more") } else { lag.to_string() }
}

/// For how long something has been held, in seconds.
pub(super) fn held_for(held_ms: Option<u64>) -> String {
    held_ms.map_or_else(|| "-".into(), |held_ms| format!("{}s", held_ms / 1_000))
}
