//! `mainstay import`.

use super::report;
use crate::cli::aiclient;
use crate::cli::context::Context;
use crate::coordination::source::{self, Place};
use crate::coordination::{import, source::Entry};
use crate::failure::Result;
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

/// Imports data from elsewhere.
#[derive(Debug, Subcommand)]
pub enum ImportCommand {
    /// Messages of the file-based or Redis-based coordination system, or of another store.
    Coordination(Coordination),
    /// Settings, pools of providers, tokens and all else of a gateway that keeps them in JSON files or Redis.
    Aiclient(aiclient::import::Import),
}

/// Imports messages with their ids, times and acknowledgements. Done twice, the second changes nothing.
#[derive(Debug, Args)]
pub struct Coordination {
    /// A folder such as .claude/coordination, `coord+redis://host/db` for the keys of the original, or the URL of a
    /// store.
    source: String,
    /// Say what would happen, write nothing.
    #[arg(long)]
    dry_run: bool,
}

impl ImportCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let command = match self {
            Self::Coordination(command) => command,
            Self::Aiclient(command) => return command.run(context).await,
        };
        let place = Place::parse(&command.source)?;
        let entries = source::read(&place, &context.settings).await?;
        let bar = progress(&entries, context);
        let client = context.client_or_user().await?;
        let imported =
            import::into_store(client, &entries, command.dry_run, |done| bar.set_position(done as u64)).await;
        bar.finish_and_clear();
        report::import(context, &imported?, &place.to_string())
    }
}

/// A bar on stderr, on a terminal only.
fn progress(entries: &[Entry], context: &Context<'_>) -> ProgressBar {
    if context.printer.is_json() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(entries.len() as u64);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} messages {eta}") {
        bar.set_style(style);
    }
    bar
}
