//! `mainstay providers credential`.

mod refresh;
mod remove;
mod set;
mod show;

use crate::cli::context::Context;
use crate::failure::Result;
use crate::printer::one_line;
use clap::{Args, Subcommand};
use mainstay_api::providers::{Credential, PoolType, ProviderId, RefreshPhase};

/// Commands about the credential of a provider.
#[derive(Debug, Subcommand)]
pub enum CredentialCommand {
    /// Write it: a token file as it is, from a file or stdin.
    Set(set::Set),
    /// Show it without its secrets, and how its refresh stands.
    Show(show::Show),
    /// Refresh it now.
    Refresh(refresh::Refresh),
    /// Remove it.
    Remove(remove::Remove),
}

/// Whose credential.
#[derive(Debug, Args)]
pub struct Whose {
    /// The pool.
    pool: PoolType,
    /// The provider.
    provider: ProviderId,
}

impl CredentialCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::Set(command) => command.run(context).await,
            Self::Show(command) => command.run(context).await,
            Self::Refresh(command) => command.run(context).await,
            Self::Remove(command) => command.run(context).await,
        }
    }
}

/// Prints a credential, which comes without its secrets.
fn print(context: &Context<'_>, credential: &Credential) -> Result {
    context.printer.data(credential, || {
        let time = |at: Option<mainstay_api::Timestamp>| at.map_or_else(|| "-".to_owned(), |at| at.to_string());
        let refresh = &credential.refresh;
        let standing = match refresh.phase {
            RefreshPhase::Idle => "idle".to_owned(),
            RefreshPhase::Running => format!("running until {}", time(refresh.until)),
            RefreshPhase::Waiting => format!("failed {} times, not before {}", refresh.failures, time(refresh.until)),
            RefreshPhase::Dead => format!("dead: {}", refresh.reason.as_deref().unwrap_or_default()),
        };
        let lines = [
            ("provider", format!("{}/{}", credential.pool, credential.provider)),
            ("version", credential.version.to_string()),
            ("written", credential.updated_at.to_string()),
            ("expires", time(credential.expires_at)),
            ("refreshed at", time(credential.refresh_at)),
            ("refresh", standing),
            ("sealed with", credential.seal_key.clone()),
            ("credential", credential.credential.as_str().to_owned()),
        ];
        lines.map(|(name, value)| format!("{name:<13}{}", one_line(&value))).join("\n")
    })
}
