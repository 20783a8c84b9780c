//! `mainstay gateway key`.

mod change;
mod create;
mod export;
mod import;
mod limits;
mod list;
mod remove;
mod show;

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Subcommand;

/// Commands about keys of the gateway.
#[derive(Debug, Subcommand)]
pub enum GatewayKeyCommand {
    /// Make a key, and print its secret this once.
    Create(Box<create::Create>),
    /// List the keys of the namespace.
    List(list::List),
    /// Show a key and what it used.
    Show(show::Show),
    /// Change what a key may use.
    Change(Box<change::Change>),
    /// Remove a key at once.
    Remove(remove::Remove),
    /// Import the keys of an api-potluck-keys.json.
    Import(import::Import),
    /// Write imported keys as an api-potluck-keys.json, with their secrets.
    Export(export::Export),
}

impl GatewayKeyCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::Create(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
            Self::Show(command) => command.run(context).await,
            Self::Change(command) => command.run(context).await,
            Self::Remove(command) => command.run(context).await,
            Self::Import(command) => command.run(context).await,
            Self::Export(command) => command.run(context).await,
        }
    }
}
