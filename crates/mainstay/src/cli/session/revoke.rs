//! `mainstay session revoke`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::SessionId;
use serde_json::json;

/// Ends one of one's own sessions.
#[derive(Debug, Args)]
pub struct Revoke {
    /// The id.
    id: SessionId,
}

impl Revoke {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        context.client_plain().await?.account().end_session(&self.id).await?;
        context.printer.data(&json!({ "revoked": self.id }), || format!("revoked {}", self.id))
    }
}
