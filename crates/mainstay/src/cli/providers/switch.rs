//! `mainstay providers disable` and `enable`.

use super::{Which, changed};
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;

/// Leaves a provider out of every choice. Requests that are with it go on.
#[derive(Debug, Args)]
pub struct Disable {
    #[command(flatten)]
    which: Which,
}

/// Lets a provider be chosen again.
#[derive(Debug, Args)]
pub struct Enable {
    #[command(flatten)]
    which: Which,
}

impl Disable {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let providers = context.client_plain().await?.providers();
        changed(context, &providers.provider(&self.which.pool, &self.which.provider).disable().await?)
    }
}

impl Enable {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let providers = context.client_plain().await?.providers();
        changed(context, &providers.provider(&self.which.pool, &self.which.provider).enable().await?)
    }
}
