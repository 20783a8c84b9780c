//! `mainstay events groups list`.

use crate::cli::context::Context;
use crate::cli::events::lag::{counted, held_for, word};
use crate::failure::Result;
use clap::Args;
use mainstay_api::events::{ConsumerGroup, StreamName};

/// Lists the consumer groups of a stream, and how each stands.
#[derive(Debug, Args)]
pub struct List {
    /// The stream.
    stream: StreamName,
}

impl List {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let listed = context.client().await?.events().groups(&self.stream).await?;
        let head = ["GROUP", "STATUS", "LAG", "PENDING", "HELD FOR", "CONSUMERS", "DEAD", "LOST"];
        context.printer.data(&listed, || context.printer.rows(&head, listed.groups.iter().map(row).collect()))
    }
}

fn row(group: &ConsumerGroup) -> Vec<String> {
    let consumers = group.consumers.iter().map(|consumer| format!("{} ({})", consumer.name, consumer.holds));
    vec![
        group.name.to_string(),
        word(group.status).to_owned(),
        counted(group.lag, group.lag_at_least),
        group.pending.to_string(),
        held_for(group.oldest_pending_ms),
        consumers.collect::<Vec<_>>().join(", "),
        group.dead.to_string(),
        group.lost.to_string(),
    ]
}
