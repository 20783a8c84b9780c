//! `mainstay agent watch`.

use crate::cli::context::Context;
use crate::failure::Result;
use crate::printer::one_line;
use clap::Args;
use futures::StreamExt;
use mainstay_api::presence::{Instance, PresenceEvent};
use mainstay_client::PresenceChange;

/// Follows who comes, changes and goes, until it is stopped; first those who are there.
#[derive(Debug, Args)]
pub struct Watch {}

impl Watch {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let mut changes = context.client().await?.presence().events();
        let mut interrupted = false;
        while let Some(change) = changes.next().await {
            match change? {
                PresenceChange::Event(event) => context.printer.item(&event, || line(&event))?,
                PresenceChange::Ready if interrupted => context.printer.note("connected again"),
                PresenceChange::Ready => {}
                PresenceChange::Interrupted(problem) if !interrupted => {
                    context.printer.warning(&format!("interrupted, trying again: {problem}"));
                    interrupted = true;
                    continue;
                }
                PresenceChange::Interrupted(_) => continue,
            }
            interrupted = false;
        }
        Ok(())
    }
}

fn line(event: &PresenceEvent) -> String {
    let known = |what: &str, instance: &Instance| {
        let work = instance.details.current_work.as_deref().map(|work| format!("\t{work}")).unwrap_or_default();
        format!("{what}\t{}{}", one_line(instance.instance.as_str()), one_line(&work))
    };
    match event {
        PresenceEvent::Joined(instance) => known("joined", instance),
        PresenceEvent::Updated(instance) => known("updated", instance),
        PresenceEvent::Inactive(instance) => known("inactive", instance),
        PresenceEvent::Left { instance } => format!("left\t{}", one_line(instance.as_str())),
    }
}
