//! `mainstay settings rollback`.

use super::{Which, write};
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::documents::WriteOp;

/// Writes an earlier revision of a document again, secrets and all, as a new revision.
#[derive(Debug, Args)]
pub struct Rollback {
    #[command(flatten)]
    which: Which,
    /// The revision, as the history shows it.
    #[arg(long, value_name = "REVISION")]
    to: u64,
    /// Show what would change, and change nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Rollback {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let mut change = self.which.write(WriteOp::RollBack);
        change.revision = Some(self.to);
        write(context, change, (self.dry_run, None)).await
    }
}
