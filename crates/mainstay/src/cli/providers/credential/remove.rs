//! `mainstay providers credential remove`.

use super::Whose;
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use serde_json::json;

/// Removes the credential of a provider.
#[derive(Debug, Args)]
pub struct Remove {
    #[command(flatten)]
    whose: Whose,
}

impl Remove {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let Whose { pool, provider } = &self.whose;
        context.client_plain().await?.credential(pool, provider).remove().await?;
        let name = format!("{pool}/{provider}");
        context.printer.data(&json!({ "removed": name }), || format!("removed the credential of {name}"))
    }
}
