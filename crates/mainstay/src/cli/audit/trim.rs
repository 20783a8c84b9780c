//! `mainstay audit trim`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::audit::TrimReport;

/// Removes entries that are older than the retention [MAINSTAY_AUDIT_RETENTION_DAYS] and that a checkpoint vouches for.
/// `mainstay serve` does it by itself.
#[derive(Debug, Args)]
pub struct Trim {}

impl Trim {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let client = context.client().await?;
        let mut total = TrimReport { removed: 0, chains: 0, more: true };
        while total.more {
            let step = client.audit().trim().await?;
            total.removed += step.removed;
            total.chains = total.chains.max(step.chains);
            total.more = step.more && step.removed > 0;
        }
        context.printer.data(&total, || match total.removed {
            0 => "nothing is old enough, or no checkpoint vouches for it".to_owned(),
            removed => format!("{removed} entries removed, from {} chains", total.chains),
        })
    }
}
