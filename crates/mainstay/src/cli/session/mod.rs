//! `mainstay session`.

mod list;
mod revoke;
mod revoke_all;

use super::context::Context;
use crate::failure::Result;
use clap::Subcommand;

/// Commands about sessions.
#[derive(Debug, Subcommand)]
pub enum SessionCommand {
    /// List one's own sessions, or those of a user.
    List(list::List),
    /// End one of one's own sessions.
    Revoke(revoke::Revoke),
    /// End all of one's own sessions, or those of a user.
    RevokeAll(revoke_all::RevokeAll),
}

impl SessionCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::List(command) => command.run(context).await,
            Self::Revoke(command) => command.run(context).await,
            Self::RevokeAll(command) => command.run(context).await,
        }
    }
}
