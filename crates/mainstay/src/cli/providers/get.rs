//! `mainstay providers get`.

use super::view;
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::providers::{PoolType, ProviderId};

/// Shows a pool with its settings and its providers; or one provider with all that is known of it, and its settings as they
/// were written, with masks in the place of secrets.
#[derive(Debug, Args)]
pub struct Get {
    /// The pool.
    pool: PoolType,
    /// One provider of it.
    provider: Option<ProviderId>,
    /// Print the secrets in settings as well, which is recorded.
    #[arg(long, requires = "provider")]
    reveal: bool,
}

impl Get {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let providers = context.client_plain().await?.providers();
        let Some(provider) = &self.provider else {
            let pool = providers.pool(&self.pool).await?;
            return context.printer.data(&pool, || view::pool(context.printer, &pool));
        };
        let client = providers.provider(&self.pool, provider);
        let provider = if self.reveal { client.reveal().await? } else { client.read().await? };
        context.printer.data(&provider, || view::whole(&provider))
    }
}
