//! `mainstay key revoke`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::KeyId;
use serde_json::json;

/// Ends an API key at once.
#[derive(Debug, Args)]
pub struct Revoke {
    /// The id.
    id: KeyId,
}

impl Revoke {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        context.client_plain().await?.keys().revoke(&self.id).await?;
        context.printer.data(&json!({ "revoked": self.id }), || format!("revoked {}", self.id))
    }
}
