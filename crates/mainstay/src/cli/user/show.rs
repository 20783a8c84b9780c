//! `mainstay user show`.

use super::{find, told};
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;

/// Shows a user.
#[derive(Debug, Args)]
pub struct Show {
    /// The name, or the id.
    user: String,
}

impl Show {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let id = find(context, &self.user).await?;
        told(context, &context.client_plain().await?.users().user(&id).await?)
    }
}
