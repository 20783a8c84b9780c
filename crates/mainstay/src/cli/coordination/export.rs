//! `mainstay export`.

use super::report;
use crate::cli::context::Context;
use crate::coordination::import;
use crate::coordination::source::{self, Place};
use crate::failure::Result;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Exports data.
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// Messages, as the folder of the file-based coordination system.
    Coordination(Coordination),
}

/// Writes every message into a folder, in the form of the file-based coordination system. That form knows one
/// acknowledgement and whole seconds; threads, priorities and attachments have no place in it.
#[derive(Debug, Args)]
pub struct Coordination {
    /// The folder; created when it is not there. Files of messages that it holds already are brought up to date.
    folder: PathBuf,
}

impl ExportCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let Self::Coordination(command) = self;
        let entries = source::read(&Place::Store(None), &context.settings).await?;
        let written = import::into_folder(&command.folder, &entries)?;
        report::import(context, &written, "the store")
    }
}
