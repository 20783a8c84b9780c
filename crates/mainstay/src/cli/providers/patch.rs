//! `mainstay providers patch`.

use super::{Which, changed, json};
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;

/// Changes only the settings of a provider that are given (RFC 7396: null removes one); all others keep their text.
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay providers patch openai-custom work '{\"weight\": 3}'")]
pub struct Patch {
    #[command(flatten)]
    which: Which,
    /// What to change, as JSON; `-` reads it from stdin, which other users of the machine cannot see.
    patch: String,
    /// Only where its settings have this version.
    #[arg(long, value_name = "VERSION")]
    expected: Option<u64>,
}

impl Patch {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let patch = json(self.patch)?;
        context.ready_to_seal().await?;
        let providers = context.client_plain().await?.providers();
        let patched = providers.provider(&self.which.pool, &self.which.provider).patch(&patch, self.expected).await?;
        changed(context, &patched)
    }
}
