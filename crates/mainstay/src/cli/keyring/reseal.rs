//! `mainstay keyring reseal`.

use crate::cli::context::Context;
use crate::failure::Result;
use crate::wiring::Backbone;
use clap::Args;
use mainstay_core::Caller;
use serde_json::json;

/// Seals every secret in the store with the newest key of the ring. Doing it twice is doing it once.
#[derive(Debug, Args)]
pub struct Reseal {}

impl Reseal {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let ring = super::ring(context).await?;
        let backbone = super::open(context).await?;
        let resealed = reseal(&backbone, &ring.primary().id).await;
        backbone.close().await;
        let resealed = resealed?;
        context.printer.data(&json!({ "resealed": resealed }), || format!("{resealed} secrets sealed anew"))
    }
}

async fn reseal(backbone: &Backbone, primary: &str) -> Result<u32> {
    let resealed = backbone.services.reseal(&Caller::owner()).await?;
    super::record(backbone, "keyring.reseal", primary).await?;
    Ok(resealed)
}
