//! `mainstay providers add`.

use super::{changed, json};
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::ids::RequestId;
use mainstay_api::providers::{AddProvider, PoolType, ProviderId};

/// Adds a provider at the end of a pool, which is made where there is none. Secrets in its settings are sealed.
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay providers add openai-custom --id work - < provider.json")]
pub struct Add {
    /// The pool.
    pool: PoolType,
    /// Its settings, as JSON; `-` reads them from stdin, which other users of the machine cannot see.
    settings: String,
    /// Its id; made where none is given.
    #[arg(long)]
    id: Option<ProviderId>,
    /// An id of this call: repeated with the same id, it is done once.
    #[arg(long, value_name = "ID")]
    request_id: Option<RequestId>,
}

impl Add {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let add = AddProvider { id: self.id, settings: json(self.settings)? };
        context.ready_to_seal().await?;
        let added = context.client_plain().await?.providers().add(&self.pool, &add, self.request_id).await?;
        changed(context, &added)
    }
}
