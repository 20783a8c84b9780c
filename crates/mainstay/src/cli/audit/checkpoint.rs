//! `mainstay audit checkpoint`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;

/// Signs where the chains end, and keeps that outside of the store. `mainstay serve` does it by itself.
#[derive(Debug, Args)]
pub struct Checkpoint {}

impl Checkpoint {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let made = context.client().await?.audit().checkpoint().await?;
        context.printer.data(&made, || match made.written {
            true => format!("checkpoint {} vouches for {} chains that grew\n{}", made.number, made.chains, made.hash),
            false => format!("nothing has changed since checkpoint {}", made.number),
        })
    }
}
