//! `mainstay events rooms present`.

use super::At;
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::events::PresentMember;

/// Shows who is in a room now, by name.
#[derive(Debug, Args)]
pub struct Present {
    #[command(flatten)]
    at: At,
}

impl Present {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let presence = context.client().await?.room(&self.at.stream, &self.at.room).presence().await?;
        let head = ["MEMBER", "SINCE", "CONNECTIONS", "SAYS"];
        context.printer.data(&presence, || context.printer.rows(&head, presence.present.iter().map(row).collect()))?;
        if presence.more {
            context.printer.note("more are there than one answer tells of");
        }
        Ok(())
    }
}

fn row(present: &PresentMember) -> Vec<String> {
    vec![
        present.member.to_string(),
        present.since.to_seconds_text(),
        present.connections.to_string(),
        present.info.as_ref().map_or_else(|| "-".into(), |info| info.as_str().to_owned()),
    ]
}
