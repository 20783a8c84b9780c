//! `mainstay settings delete`.

use super::{Which, write};
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::documents::WriteOp;

/// Deletes a document. Its history stays for a time, so that it can be rolled back.
#[derive(Debug, Args)]
pub struct Delete {
    #[command(flatten)]
    which: Which,
    /// Only where it has this revision.
    #[arg(long, value_name = "REVISION")]
    expected: Option<u64>,
}

impl Delete {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let mut change = self.which.write(WriteOp::Delete);
        change.expected = self.expected;
        write(context, change, (false, None)).await
    }
}
