//! `mainstay events groups`.

mod create;
mod list;
mod remove;

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Subcommand;

/// Commands about consumer groups.
#[derive(Debug, Subcommand)]
pub enum GroupsCommand {
    /// List the groups of a stream, and how each stands.
    List(list::List),
    /// Make a group; one that is there is unchanged.
    Create(create::Create),
    /// Remove a group, with what its consumers hold and with its dead events.
    Remove(remove::Remove),
}

impl GroupsCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::List(command) => command.run(context).await,
            Self::Create(command) => command.run(context).await,
            Self::Remove(command) => command.run(context).await,
        }
    }
}
