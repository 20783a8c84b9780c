//! `mainstay session list`.

use crate::cli::context::Context;
use crate::cli::user;
use crate::failure::Result;
use clap::Args;
use mainstay_api::identity::Session;

/// Lists one's own sessions, or those of a user, the newest first.
#[derive(Debug, Args)]
pub struct List {
    /// The user, by name or id.
    #[arg(long)]
    user: Option<String>,
}

impl List {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let client = context.client_plain().await?;
        let sessions = match &self.user {
            Some(user) => client.users().sessions(&user::find(context, user).await?).await?,
            None => client.account().sessions().await?,
        };
        let head = ["ID", "CURRENT", "BEGUN", "LAST USED", "ENDS", "FROM", "PROGRAM"];
        let rows = || sessions.sessions.iter().map(row).collect();
        context.printer.data(&sessions, || context.printer.rows(&head, rows()))
    }
}

fn row(session: &Session) -> Vec<String> {
    let text = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".into());
    vec![
        session.id.to_string(),
        if session.current { "yes" } else { "no" }.into(),
        session.created_at.to_seconds_text(),
        session.last_used_at.to_seconds_text(),
        session.expires_at.to_seconds_text(),
        text(&session.from),
        text(&session.agent),
    ]
}
