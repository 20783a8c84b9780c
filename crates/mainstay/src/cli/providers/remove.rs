//! `mainstay providers remove`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::providers::{PoolType, ProviderId};
use serde_json::json;

/// Removes a provider with its counters and its credential; or with --all a pool with all that is in it.
#[derive(Debug, Args)]
pub struct Remove {
    /// The pool.
    pool: PoolType,
    /// The provider.
    #[arg(required_unless_present = "all")]
    provider: Option<ProviderId>,
    /// The pool itself, with all of its providers.
    #[arg(long, conflicts_with = "provider")]
    all: bool,
    /// Only where the pool has this revision.
    #[arg(long, value_name = "REVISION", requires = "all")]
    expected: Option<u64>,
}

impl Remove {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let providers = context.client_plain().await?.providers();
        let name = match &self.provider {
            Some(provider) => {
                providers.provider(&self.pool, provider).remove().await?;
                format!("{}/{provider}", self.pool)
            }
            None => {
                providers.remove_pool(&self.pool, self.expected).await?;
                self.pool.to_string()
            }
        };
        context.printer.data(&json!({ "removed": name }), || format!("removed {name}"))
    }
}
