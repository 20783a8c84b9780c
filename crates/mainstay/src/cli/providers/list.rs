//! `mainstay providers list`.

use super::view;
use crate::cli::context::Context;
use crate::failure::Result;
use crate::printer::one_line;
use clap::Args;
use mainstay_api::providers::{PoolEntry, PoolType};

/// Lists the pools of the namespace; or the providers of a pool in their order, with how they do.
#[derive(Debug, Args)]
pub struct List {
    /// The pool.
    pool: Option<PoolType>,
}

impl List {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let providers = context.client_plain().await?.providers();
        match self.pool {
            Some(pool) => {
                let pool = providers.pool(&pool).await?;
                context.printer.data(&pool.providers, || view::table(context.printer, &pool.providers))
            }
            None => {
                let list = providers.pools().await?;
                let rows = || list.pools.iter().map(row).collect();
                context.printer.data(&list.pools, || context.printer.rows(&["POOL", "PROVIDERS", "REVISION"], rows()))
            }
        }
    }
}

fn row(entry: &PoolEntry) -> Vec<String> {
    vec![one_line(entry.pool.as_str()), entry.providers.to_string(), entry.revision.to_string()]
}
