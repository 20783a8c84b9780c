//! `mainstay agent unregister`.

use super::instance;
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::presence::UnregisterInstance;

/// Says that one has gone.
#[derive(Debug, Args)]
pub struct Unregister {
    /// The run that ends: where another one has taken the name over, nothing changes.
    #[arg(long, value_name = "ID")]
    session_id: Option<String>,
}

impl Unregister {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let unregister = UnregisterInstance { session_id: self.session_id };
        let done = context.client().await?.presence().unregister(instance(context)?, &unregister).await?;
        if !done.changed {
            context.printer.note("nothing was registered, or another run holds the name");
        }
        context.printer.data(&done, || done.at.to_seconds_text())
    }
}
