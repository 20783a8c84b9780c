//! `mainstay user remove`.

use super::find;
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use serde_json::json;

/// Removes a user with every session. Its conversations stay; `mainstay user disable` keeps it out and can be undone.
#[derive(Debug, Args)]
pub struct Remove {
    /// The name, or the id.
    user: String,
}

impl Remove {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let id = find(context, &self.user).await?;
        context.client_plain().await?.users().remove(&id).await?;
        context.printer.data(&json!({ "removed": id }), || format!("removed {id}"))
    }
}
