//! `mainstay events health`.

use super::lag::word;
use crate::cli::context::Context;
use crate::failure::{FAILED, Failure, Result};
use clap::Args;
use mainstay_api::Timestamp;
use mainstay_api::events::{Standing, StreamHealth};

/// Shows how the streams of the namespace stand. Exit status 1 where one is unhealthy: a group is more than 1,000 events
/// behind.
#[derive(Debug, Args)]
pub struct Health;

impl Health {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let health = context.client().await?.events().health().await?;
        context.printer.data(&health, || context.printer.rows(&HEAD, health.streams.iter().map(row).collect()))?;
        if health.status == Standing::Unhealthy { Err(Failure::Status(FAILED)) } else { Ok(()) }
    }
}

/// The columns of [`row`].
pub(super) const HEAD: [&str; 5] = ["STREAM", "STATUS", "EVENTS", "LAST EVENT", "LARGEST LAG"];

/// A stream.
pub(super) fn row(stream: &StreamHealth) -> Vec<String> {
    vec![
        stream.stream.to_string(),
        word(stream.status).to_owned(),
        stream.length.to_string(),
        stream.last_event_at.map_or_else(|| "-".into(), Timestamp::to_seconds_text),
        stream.max_lag.to_string(),
    ]
}
