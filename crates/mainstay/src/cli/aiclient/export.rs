//! `mainstay export aiclient`.

use super::import::client;
use super::report;
use super::source::{Source, places};
use crate::aiclient::stored;
use crate::aiclient::writing::{Options, write};
use crate::cli::context::Context;
use crate::failure::{Failure, Result};
use clap::Args;
use std::path::PathBuf;

/// Writes all that an import took, as it is now, into a folder that the original reads and that can be imported again to the same
/// state. Every file is for its owner alone: they hold secrets in clear.
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay export aiclient ./configs-backup")]
pub struct Export {
    /// The folder; created when it is not there.
    pub folder: PathBuf,
    /// Write what a source of the original holds, a folder or redis://host/db, and not what the store holds.
    #[arg(long, value_name = "SOURCE")]
    pub from: Option<String>,
    /// What the keys of that source begin with.
    #[arg(long, value_name = "PREFIX", default_value = "aiclient:")]
    pub key_prefix: String,
    /// Say what would happen, write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Replace files that are there with other content.
    #[arg(long)]
    pub force: bool,
}

impl Export {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let reading = match &self.from {
            Some(text) => Source { text, key_prefix: &self.key_prefix }.read(context).await?,
            None => stored::read(client(context).await?).await?,
        };
        let failed = |cause: std::io::Error| {
            Failure::io(format!("the folder {} cannot be written", self.folder.display()), &cause)
        };
        let folder = std::path::absolute(&self.folder).map_err(failed)?;
        let options = Options { force: self.force, dry_run: self.dry_run };
        let mut written = write(&reading.picture, &places(&folder), options).map_err(failed)?;
        written.failed.extend(reading.failed);
        report::export(context, &written)
    }
}
