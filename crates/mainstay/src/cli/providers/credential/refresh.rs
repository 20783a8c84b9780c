//! `mainstay providers credential refresh`.

use super::Whose;
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;

/// Refreshes the credential of a provider now, whatever its age, and even where it failed before.
#[derive(Debug, Args)]
pub struct Refresh {
    #[command(flatten)]
    whose: Whose,
}

impl Refresh {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let Whose { pool, provider } = &self.whose;
        let credential = context.client_plain().await?.credential(pool, provider).refresh().await?;
        super::print(context, &credential)
    }
}
