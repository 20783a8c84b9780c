//! `mainstay gateway`.

mod key;
mod money;
mod usage;

use super::context::Context;
use crate::failure::Result;
use clap::Subcommand;

/// Commands about the gateway.
#[derive(Debug, Subcommand)]
pub enum GatewayCommand {
    /// Care for the keys of those who use the gateway.
    #[command(subcommand)]
    Key(key::GatewayKeyCommand),
    /// See what was used, by day, key, pool, provider and model.
    Usage(usage::Usage),
}

impl GatewayCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::Key(command) => command.run(context).await,
            Self::Usage(command) => command.run(context).await,
        }
    }
}
