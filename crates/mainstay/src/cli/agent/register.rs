//! `mainstay agent register`.

use super::details::Details;
use super::instance;
use crate::cli::context::Context;
use crate::failure::Result;
use crate::printer::one_line;
use clap::Args;

/// Says who one is and what one works on. Replaces what was said before.
#[derive(Debug, Args)]
pub struct Register {
    #[command(flatten)]
    details: Details,
    /// The process.
    #[arg(long, value_name = "PID")]
    process_id: Option<u32>,
    /// The run: later beats and the end of the registration name it too.
    #[arg(long, value_name = "ID")]
    session_id: Option<String>,
}

impl Register {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let registration = self.details.registration(self.process_id, self.session_id);
        let registered = context.client().await?.presence().register(instance(context)?, &registration).await?;
        context.printer.data(&registered, || one_line(registered.instance.as_str()))
    }
}
