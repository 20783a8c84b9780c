//! `mainstay totp remove`.

use super::proof;
use crate::cli::context::Context;
use crate::cli::login::renewed;
use crate::failure::Result;
use clap::Args;
use serde_json::json;

/// Takes the second factor away; the password and a code are asked for. Every other session ends.
#[derive(Debug, Args)]
pub struct Remove {}

impl Remove {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let proof = proof(context)?;
        let session = context.client_plain().await?.account().remove_factor(&proof).await?;
        renewed(context, &session)?;
        match context.settings.token {
            Some(_) => Ok(()),
            None => context.printer.data(&json!({ "removed": true }), || "the second factor is removed".into()),
        }
    }
}
