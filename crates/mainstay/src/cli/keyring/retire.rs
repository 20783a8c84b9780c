//! `mainstay keyring retire`.

use crate::cli::context::Context;
use crate::failure::{Failure, Result};
use crate::keyring;
use crate::wiring::Backbone;
use clap::Args;
use mainstay_api::Code;
use mainstay_core::Caller;
use mainstay_core::secrets::KeyRing;
use serde_json::json;

/// Takes a key out of the ring. Refuses while anything in the store is sealed with it.
#[derive(Debug, Args)]
pub struct Retire {
    /// The id of the key.
    id: String,
}

impl Retire {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let ring = super::ring(context).await?;
        let rest = ring.without(&self.id)?;
        let backbone = super::open(context).await?;
        let retired = retire(context, &backbone, &self.id, &rest).await;
        backbone.close().await;
        retired?;
        context.printer.data(&json!({ "retired": self.id }), || format!("retired {}", self.id))
    }
}

async fn retire(context: &Context<'_>, backbone: &Backbone, id: &str, rest: &KeyRing) -> Result {
    if backbone.services.seal_keys(&Caller::owner()).await?.contains(id) {
        let detail = format!("secrets in the store are still sealed with {id}");
        return Err(Failure::new(Code::InvalidRequest, detail, "Run `mainstay keyring reseal` first."));
    }
    super::record(backbone, "keyring.retire", id).await?;
    keyring::replace(&context.settings, rest)
}
