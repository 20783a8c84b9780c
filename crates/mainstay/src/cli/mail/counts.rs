//! `mainstay mail counts`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;

/// Counts the mail in the inbox.
#[derive(Debug, Args)]
pub struct Counts {}

impl Counts {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let counts = context.client().await?.mail().counts().await?;
        context.printer.data(&counts, || {
            format!("unread  {}\npending {}\ntotal   {}", counts.unread, counts.pending, counts.total)
        })
    }
}
