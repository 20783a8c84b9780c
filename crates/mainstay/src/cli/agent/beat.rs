//! `mainstay agent beat`.

use super::instance;
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::presence::Heartbeat;

/// Says that one is alive.
#[derive(Debug, Args)]
pub struct Beat {
    /// What one is doing now.
    #[arg(long = "work", value_name = "TEXT")]
    current_work: Option<String>,
    /// The run that beats.
    #[arg(long, value_name = "ID")]
    session_id: Option<String>,
}

impl Beat {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let heartbeat = Heartbeat { current_work: self.current_work, session_id: self.session_id };
        let beat = context.client().await?.presence().heartbeat(instance(context)?, &heartbeat).await?;
        if !beat.changed {
            context.printer.warning("another run has taken this name over; the beat changed nothing");
        }
        context.printer.data(&beat, || beat.at.to_seconds_text())
    }
}
