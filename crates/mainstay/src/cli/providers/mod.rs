//! `mainstay providers`.

mod credential;

use super::context::Context;
use crate::failure::Result;
use clap::Subcommand;

/// Commands about providers.
#[derive(Debug, Subcommand)]
pub enum ProvidersCommand {
    /// Care for the credential of a provider.
    #[command(subcommand)]
    Credential(credential::CredentialCommand),
}

impl ProvidersCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::Credential(command) => command.run(context).await,
        }
    }
}
