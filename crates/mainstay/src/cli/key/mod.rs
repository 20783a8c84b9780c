//! `mainstay key`.

mod create;
mod list;
mod revoke;

use super::context::Context;
use crate::failure::Result;
use clap::Subcommand;

/// Commands about API keys.
#[derive(Debug, Subcommand)]
pub enum KeyCommand {
    /// Make a key for a service, and print it this once.
    Create(Box<create::Create>),
    /// List the keys.
    List(list::List),
    /// End a key at once.
    Revoke(revoke::Revoke),
}

impl KeyCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::Create(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
            Self::Revoke(command) => command.run(context).await,
        }
    }
}
