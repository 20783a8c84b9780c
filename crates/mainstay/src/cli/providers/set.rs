//! `mainstay providers set`.

use super::{Which, changed, json};
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;

/// Writes the settings of a provider whole; adds it where it is not there. A mask that is given back keeps the secret behind it.
/// Health, counters and credential stay as they are.
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay providers set openai-custom work - < provider.json")]
pub struct Set {
    #[command(flatten)]
    which: Which,
    /// Its settings, as JSON; `-` reads them from stdin, which other users of the machine cannot see.
    settings: String,
    /// Only where its settings have this version; 0 where it must not be there.
    #[arg(long, value_name = "VERSION")]
    expected: Option<u64>,
}

impl Set {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let settings = json(self.settings)?;
        context.ready_to_seal().await?;
        let providers = context.client_plain().await?.providers();
        let put = providers.provider(&self.which.pool, &self.which.provider).put(&settings, self.expected).await?;
        changed(context, &put)
    }
}
