//! `mainstay providers replace`.

use super::view;
use crate::cli::context::Context;
use crate::cli::conversation::input;
use crate::failure::{Failure, Result};
use clap::Args;
use mainstay_api::Code;
use mainstay_api::providers::{PoolType, PutPool};

/// Replaces a pool as a whole, in one step: no request ever meets a part of it. Who is not among its providers leaves it; who
/// stays keeps health, counters and credential, and a secret whose mask is given back.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: mainstay providers replace openai-custom - <<< '{\"settings\": {}, \"providers\": [{\"id\": \"work\", \"settings\": {\"base_url\": \"https://api.example.com/v1\"}}]}'"
)]
pub struct Replace {
    /// The pool; made where there is none.
    pool: PoolType,
    /// Its settings and its providers, as JSON; `-` reads them from stdin, which other users of the machine cannot see.
    whole: String,
    /// Only where the pool has this revision; 0 where there must be none.
    #[arg(long, value_name = "REVISION")]
    expected: Option<u64>,
}

impl Replace {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let text = input::text(self.whole)?;
        let put: PutPool = serde_json::from_str(&text).map_err(|cause| unusable(&cause))?;
        if put.providers.is_none() {
            let help = "Give `providers`, also where there are none: []. To change the settings alone, use `providers settings`.";
            return Err(Failure::new(Code::InvalidRequest, "a pool is replaced together with its providers", help));
        }
        context.ready_to_seal().await?;
        let pool = context.client_plain().await?.providers().put_pool(&self.pool, &put, self.expected).await?;
        context.printer.data(&pool, || view::pool(context.printer, &pool))
    }
}

/// Where it is wrong, and not with which words: they may be secret.
fn unusable(cause: &serde_json::Error) -> Failure {
    let detail = format!("this is no pool: see line {}, column {}", cause.line(), cause.column());
    let help = "Give {\"settings\": {…}, \"providers\": [{\"id\": \"…\", \"settings\": {…}}]}.";
    Failure::new(Code::InvalidRequest, detail, help)
}
