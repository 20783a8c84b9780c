//! `mainstay store journal replay`.

use crate::cli::context::Context;
use crate::failure::{Failure, Result};
use clap::Args;
use mainstay_api::Code;
use mainstay_api::store::ReplayJournal;

/// Has the server write to the store now what waits.
#[derive(Debug, Args)]
pub struct Replay {
    /// Also to a store that is not the one that was lost: what waits is written whatever is there.
    #[arg(long)]
    onto_empty: bool,
}

impl Replay {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        if context.settings.url.is_none() {
            let help = "Name it with --url or MAINSTAY_URL. A server that starts writes what waits by itself.";
            return Err(Failure::new(Code::SettingInvalid, "it is the running server that writes what waits", help));
        }
        let replay = ReplayJournal { onto_empty: self.onto_empty };
        let begun = context.client().await?.replay_store_journal(&replay, None).await?;
        context.printer.data(&begun, || format!("{} entries wait and are written now", begun.waiting))
    }
}
