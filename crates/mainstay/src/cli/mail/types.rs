//! `mainstay mail types`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;

/// Lists the types that a message may have.
#[derive(Debug, Args)]
pub struct Types {}

impl Types {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let types = context.client().await?.mail().types().await?;
        context.printer.data(&types, || types.types.join("\n"))
    }
}
