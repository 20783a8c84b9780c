//! `mainstay events rooms members`.

use super::At;
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::Timestamp;
use mainstay_api::events::{ListMembers, MemberId, RoomMember};

/// Lists who may be in a room, by name.
#[derive(Debug, Args)]
pub struct Members {
    #[command(flatten)]
    at: At,
    /// Most members to list, 1 to 1000.
    #[arg(long)]
    limit: Option<u32>,
    /// Go on behind this member.
    #[arg(long, value_name = "MEMBER")]
    cursor: Option<MemberId>,
}

impl Members {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let list = ListMembers { limit: self.limit, cursor: self.cursor };
        let page = context.client().await?.room(&self.at.stream, &self.at.room).members(&list).await?;
        let rows = || page.items.iter().map(row).collect();
        context.printer.data(&page, || context.printer.rows(&["MEMBER", "UNTIL"], rows()))?;
        if let Some(next) = &page.next {
            context.printer.note(&format!("there are more: --cursor {next}"));
        }
        Ok(())
    }
}

fn row(member: &RoomMember) -> Vec<String> {
    vec![member.member.to_string(), member.until.map_or_else(|| "-".into(), Timestamp::to_seconds_text)]
}
