//! `mainstay mail stats`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;

/// Shows the mail of the namespace in numbers.
#[derive(Debug, Args)]
pub struct Stats {}

impl Stats {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let stats = context.client().await?.mail().stats().await?;
        context.printer.data(&stats, || {
            let line = |name: &str, number: u64| format!("{name:<24} {number}\n");
            let mut text = line("messages", stats.total_messages);
            text += &line("pending", stats.pending_messages);
            text += &line("instances", stats.instances);
            stats.messages_by_type.iter().fold(text, |text, (kind, number)| text + &line(kind, *number))
        })
    }
}
