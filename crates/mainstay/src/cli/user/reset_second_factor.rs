//! `mainstay user reset-second-factor`.

use super::{find, told};
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;

/// Takes the second factor of a user away, for one who has lost it; its sessions end.
#[derive(Debug, Args)]
pub struct ResetSecondFactor {
    /// The name, or the id.
    user: String,
}

impl ResetSecondFactor {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let id = find(context, &self.user).await?;
        told(context, &context.client_plain().await?.users().reset_factor(&id).await?)
    }
}
