//! `mainstay session revoke-all`.

use crate::cli::context::Context;
use crate::cli::user;
use crate::failure::Result;
use clap::Args;
use mainstay_api::identity::EndOwnSessions;

/// Ends all of one's own sessions, or those of a user.
#[derive(Debug, Args)]
pub struct RevokeAll {
    /// The user, by name or id.
    #[arg(long)]
    user: Option<String>,
    /// Keep the session that this command speaks with.
    #[arg(long, conflicts_with = "user")]
    keep_this: bool,
}

impl RevokeAll {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let client = context.client_plain().await?;
        let ended = match &self.user {
            Some(user) => client.users().end_sessions(&user::find(context, user).await?).await?,
            None => client.account().end_sessions(&EndOwnSessions { keep_this: self.keep_this }).await?,
        };
        context.printer.data(&ended, || format!("{} sessions ended", ended.ended))
    }
}
