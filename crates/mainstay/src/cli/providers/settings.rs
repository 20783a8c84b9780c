//! `mainstay providers settings`.

use super::json;
use crate::cli::context::Context;
use crate::failure::Result;
use crate::printer::printable;
use clap::Args;
use mainstay_api::providers::{PoolType, PutPool};

/// Shows the settings of a pool itself: its protocol, how providers are chosen, and the rules of health, circuits and checks. With a
/// JSON, writes them whole, and makes the pool where there is none; with --merge, changes only what is given.
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay providers settings openai-custom --merge '{\"strategy\": \"round_robin\"}'")]
pub struct SettingsOfPool {
    /// The pool.
    pool: PoolType,
    /// The settings, as JSON; `-` reads them from stdin.
    settings: Option<String>,
    /// Change only the members that are given (RFC 7396: null removes one).
    #[arg(long, requires = "settings")]
    merge: bool,
    /// Only where the pool has this revision; 0 where there must be none.
    #[arg(long, value_name = "REVISION", requires = "settings")]
    expected: Option<u64>,
}

impl SettingsOfPool {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let given = self.settings.map(json).transpose()?;
        let providers = context.client_plain().await?.providers();
        let pool = match given {
            None => providers.pool(&self.pool).await?,
            Some(patch) if self.merge => providers.patch_pool(&self.pool, &patch, self.expected).await?,
            Some(settings) => {
                let put = PutPool { settings: Some(settings), providers: None };
                providers.put_pool(&self.pool, &put, self.expected).await?
            }
        };
        context.printer.data(&pool.settings, || printable(pool.settings.as_str()).into_owned())
    }
}
