//! `mainstay bench`.

mod conditions;
mod crowd;
mod ear;
mod events;
mod meter;
mod node;
mod plan;
mod plot;
mod publishing;
mod report;
mod tally;
mod typing;
mod user;

use super::context::Context;
use crate::failure::Result;
use clap::Subcommand;

/// Commands that measure.
#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// Measure how fast events reach live clients, and count what is lost on the way.
    Events(events::Events),
}

impl BenchCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::Events(command) => command.run(context).await,
        }
    }
}
