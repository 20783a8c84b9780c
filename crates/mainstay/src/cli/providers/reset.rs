//! `mainstay providers reset`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::providers::{PoolType, ProviderId, ResetProviders};

/// Sets counters and health of a provider back, or of all in a pool; with an option, only that. A circuit that was forced open stays
/// so.
#[derive(Debug, Args)]
pub struct Reset {
    /// The pool.
    pool: PoolType,
    /// One provider of it; all where none is named.
    provider: Option<ProviderId>,
    /// Begin to count at 0 again.
    #[arg(long)]
    counters: bool,
    /// Let it be as healthy as a new one, with a closed circuit.
    #[arg(long)]
    health: bool,
}

impl Reset {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let reset = ResetProviders { counters: self.counters, health: self.health };
        let providers = context.client_plain().await?.providers();
        let done = match &self.provider {
            Some(provider) => providers.provider(&self.pool, provider).reset(&reset).await?,
            None => providers.reset_pool(&self.pool, &reset).await?,
        };
        context.printer.data(&done, || match done.providers {
            1 => "1 provider was set back".to_owned(),
            count => format!("{count} providers were set back"),
        })
    }
}
