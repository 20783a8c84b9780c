//! `mainstay events dead`.

mod change;
mod list;

use crate::cli::context::Context;
use crate::failure::Result;
use clap::{Args, Subcommand};
use mainstay_api::events::{GroupName, StreamName};

/// Commands about events that a group gave up on.
#[derive(Debug, Subcommand)]
pub enum DeadCommand {
    /// List them, with why each was given up.
    List(list::List),
    /// Bring some back, to be delivered as if they never had been.
    Revive(change::Change),
    /// Forget some.
    Forget(change::Change),
}

/// Of which group.
#[derive(Debug, Args)]
struct Of {
    /// The stream.
    stream: StreamName,
    /// The consumer group; that of the settings (MAINSTAY_CONSUMER_GROUP) when absent.
    #[arg(long)]
    group: Option<GroupName>,
}

impl DeadCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::List(command) => command.run(context).await,
            Self::Revive(command) => command.run(context, change::What::Revive).await,
            Self::Forget(command) => command.run(context, change::What::Forget).await,
        }
    }
}
