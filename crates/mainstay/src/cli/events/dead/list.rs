//! `mainstay events dead list`.

use super::super::group_of;
use super::Of;
use crate::cli::context::Context;
use crate::failure::Result;
use crate::printer::one_line;
use clap::Args;
use mainstay_api::events::{DeadWork, EventToken, ListDead};

/// Lists the events that a group gave up on, oldest first.
#[derive(Debug, Args)]
pub struct List {
    #[command(flatten)]
    of: Of,
    /// Most events to list, 1 to 100.
    #[arg(long)]
    limit: Option<u32>,
    /// Go on behind this event.
    #[arg(long, value_name = "TOKEN")]
    cursor: Option<EventToken>,
}

impl List {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let list = ListDead { limit: self.limit, cursor: self.cursor };
        let named = group_of(self.of.group, context)?;
        let page = context.client().await?.group(&self.of.stream, &named).dead(&list).await?;
        let head = ["TOKEN", "DIED", "DELIVERIES", "TYPE", "ROOM", "ID", "WHY"];
        context.printer.data(&page, || context.printer.rows(&head, page.items.iter().map(row).collect()))?;
        if let Some(next) = &page.next {
            context.printer.note(&format!("there are more: --cursor {next}"));
        }
        Ok(())
    }
}

fn row(dead: &DeadWork) -> Vec<String> {
    vec![
        dead.token.to_string(),
        dead.died_at.to_seconds_text(),
        dead.deliveries.to_string(),
        one_line(dead.event.kind.as_str()),
        one_line(dead.event.room.as_str()),
        one_line(dead.event.id.as_str()),
        one_line(&dead.reason),
    ]
}
