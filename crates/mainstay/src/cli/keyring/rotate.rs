//! `mainstay keyring rotate`.

use crate::cli::context::Context;
use crate::failure::Result;
use crate::keyring;
use clap::Args;
use serde_json::json;

/// Adds a new key to the ring, which secrets are sealed with from now on. Restart every server with the new ring before
/// `mainstay keyring reseal`.
#[derive(Debug, Args)]
pub struct Rotate {}

impl Rotate {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let rotated = super::ring(context).await?.rotated()?;
        let backbone = super::open(context).await?;
        let id = rotated.primary().id.clone();
        // Recorded first: a key that could not be recorded is not used.
        let recorded = super::record(&backbone, "keyring.rotate", &id).await;
        backbone.close().await;
        recorded?;
        keyring::replace(&context.settings, &rotated)?;
        context.printer.note("give every server the new ring and restart it, then run `mainstay keyring reseal`");
        context.printer.data(&json!({ "primary": id }), || id.clone())
    }
}
