//! `mainstay store`.

mod journal;
mod status;

use super::context::Context;
use crate::failure::Result;
use clap::Subcommand;

/// Commands about the store.
#[derive(Debug, Subcommand)]
pub enum StoreCommand {
    /// Show how the store stands, and what waits for it.
    Status(status::Status),
    /// See and settle what a server keeps while its Redis is away.
    #[command(subcommand)]
    Journal(journal::JournalCommand),
}

impl StoreCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::Status(command) => command.run(context).await,
            Self::Journal(command) => command.run(context).await,
        }
    }
}
