//! `mainstay store journal discard`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::store::DiscardJournal;

/// Gives up what waits, or what the store did not take: for good.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct Discard {
    /// This entry.
    #[arg(long, value_name = "NUMBER")]
    entry: Option<u64>,
    /// Every entry that the store did not take.
    #[arg(long)]
    refused: bool,
    /// Every write; what is to be recorded in the audit trail stays.
    #[arg(long)]
    all: bool,
}

impl Discard {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let which = DiscardJournal { seq: self.entry, refused: self.refused, all: self.all };
        let given_up = context.client().await?.discard_store_journal(&which, None).await?;
        context.printer.data(&given_up, || format!("gave up {} entries", given_up.discarded))
    }
}
