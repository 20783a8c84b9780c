//! `mainstay export`.

use super::report;
use crate::cli::aiclient;
use crate::cli::context::Context;
use crate::coordination::import;
use crate::coordination::source::{self, Place};
use crate::failure::Result;
use crate::settings::Setting;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Exports data.
#[derive(Debug, Subcommand)]
pub enum ExportCommand {
    /// Messages, as the folder of the file-based coordination system.
    Coordination(Coordination),
    /// Settings, pools of providers, tokens and all else, as the JSON files of the gateway that they came from.
    Aiclient(aiclient::export::Export),
}

/// A command of the export, or the options of the original's.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, arg_required_else_help = true)]
pub struct Export {
    #[command(subcommand)]
    command: Option<ExportCommand>,
    #[command(flatten)]
    original: aiclient::original::ExportOptions,
}

impl Export {
    /// The settings that the flags stand for.
    pub fn flags(&self) -> Vec<(Setting, String)> {
        if self.command.is_none() { self.original.flags() } else { Vec::new() }
    }

    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self.command {
            Some(command) => command.run(context).await,
            None => self.original.run(context).await,
        }
    }
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
        let command = match self {
            Self::Coordination(command) => command,
            Self::Aiclient(command) => return command.run(context).await,
        };
        let entries = source::read(&Place::Store(None), &context.settings).await?;
        let written = import::into_folder(&command.folder, &entries)?;
        report::import(context, &written, "the store")
    }
}
