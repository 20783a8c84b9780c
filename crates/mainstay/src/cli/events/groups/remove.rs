//! `mainstay events groups remove`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::events::{GroupName, StreamName};

/// Removes a consumer group, with what its consumers hold and with its dead events.
#[derive(Debug, Args)]
pub struct Remove {
    /// The stream.
    stream: StreamName,
    /// The name of the group.
    group: GroupName,
}

impl Remove {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let removed = context.client().await?.group(&self.stream, &self.group).remove().await?;
        context.printer.data(&removed, || match removed.removed {
            true => format!("removed {}", self.group),
            false => format!("there was no {}", self.group),
        })
    }
}
