//! `mainstay gateway key remove`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::providers::GatewayKeyId;
use serde_json::json;

/// Removes a key of the gateway at once. What it used stays in usage.
#[derive(Debug, Args)]
pub struct Remove {
    /// The id.
    id: GatewayKeyId,
}

impl Remove {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        context.client_plain().await?.gateway_keys().remove(&self.id).await?;
        context.printer.data(&json!({ "removed": self.id }), || format!("removed {}", self.id))
    }
}
