//! `mainstay events groups create`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::events::{CreateGroup, GroupFrom, GroupName, StreamName};

/// Makes a consumer group; one that is there is unchanged.
#[derive(Debug, Args)]
pub struct Create {
    /// The stream.
    stream: StreamName,
    /// The name of the group.
    group: GroupName,
    /// Where it begins: oldest, new, or a position.
    #[arg(long, value_name = "START", default_value = "oldest")]
    from: GroupFrom,
}

impl Create {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let client = context.client().await?;
        let created = client.group(&self.stream, &self.group).create(&CreateGroup { from: self.from }).await?;
        context.printer.data(&created, || match created.created {
            true => format!("made {}", self.group),
            false => format!("{} was there", self.group),
        })
    }
}
