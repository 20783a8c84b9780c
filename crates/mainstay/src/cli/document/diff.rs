//! `mainstay settings diff`.

use super::{Which, write};
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::documents::WriteOp;

/// Shows what a document would change if it were written, and changes nothing. It is checked against its schema.
#[derive(Debug, Args)]
pub struct Diff {
    #[command(flatten)]
    which: Which,
    /// The JSON to compare with; `-` reads it from stdin.
    value: String,
    /// Compare with only the members that are given.
    #[arg(long)]
    merge: bool,
}

impl Diff {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let op = if self.merge { WriteOp::Patch } else { WriteOp::Put };
        let mut change = self.which.write(op);
        change.value = Some(super::set::document(self.value)?);
        write(context, change, (true, None)).await
    }
}
