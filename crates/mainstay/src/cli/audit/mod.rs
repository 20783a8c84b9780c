//! `mainstay audit`.

mod checkpoint;
mod export;
mod key;
mod list;
mod trim;
mod verify;
mod walk;

use super::context::Context;
use crate::failure::Result;
use clap::Subcommand;

/// Commands about the audit trail.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// List entries, newest first.
    List(Box<list::List>),
    /// Verify that nothing was changed, removed or cut off.
    Verify(verify::Verify),
    /// Take entries out: as stored, as FHIR AuditEvent, or as OCSF.
    Export(export::Export),
    /// Sign where the chains end, and keep that outside of the store.
    Checkpoint(checkpoint::Checkpoint),
    /// Show the public key that checks the signatures.
    Key(key::Key),
    /// Remove entries that are older than the retention.
    Trim(trim::Trim),
}

impl AuditCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::List(command) => command.run(context).await,
            Self::Verify(command) => command.run(context).await,
            Self::Export(command) => command.run(context).await,
            Self::Checkpoint(command) => command.run(context).await,
            Self::Key(command) => command.run(context).await,
            Self::Trim(command) => command.run(context).await,
        }
    }
}
