//! `mainstay store journal`.

mod discard;
mod list;
mod replay;

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Subcommand;

/// Commands about what a server keeps while its Redis is away.
#[derive(Debug, Subcommand)]
pub enum JournalCommand {
    /// List what waits, and what the store did not take.
    List(list::List),
    /// Have what waits written to the store now.
    Replay(replay::Replay),
    /// Give up what waits, or what the store did not take.
    Discard(discard::Discard),
}

impl JournalCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::List(command) => command.run(context).await,
            Self::Replay(command) => command.run(context).await,
            Self::Discard(command) => command.run(context).await,
        }
    }
}
