//! `mainstay providers credential show`.

use super::Whose;
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;

/// Shows the credential of a provider without its secrets, and how its refresh stands.
#[derive(Debug, Args)]
pub struct Show {
    #[command(flatten)]
    whose: Whose,
}

impl Show {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let Whose { pool, provider } = &self.whose;
        let credential = context.client_plain().await?.credential(pool, provider).show().await?;
        super::print(context, &credential)
    }
}
