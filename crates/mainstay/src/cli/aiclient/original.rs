//! The commands of the original, by their names and options.

use super::{export, import};
use crate::cli::context::Context;
use crate::failure::Result;
use crate::settings::Setting;
use clap::Args;
use std::path::PathBuf;

/// Where the original's commands were told to write: the store of Mainstay.
#[derive(Debug, Args)]
pub struct Destination {
    /// The store, as the original called it; the configured one when absent.
    #[arg(long, value_name = "URL")]
    redis_url: Option<String>,
    /// What every key of the store begins with [MAINSTAY_REDIS_KEY_PREFIX].
    #[arg(long, value_name = "PREFIX")]
    key_prefix: Option<String>,
}

impl Destination {
    /// The settings that the flags stand for.
    pub fn flags(&self) -> Vec<(Setting, String)> {
        let given = [(Setting::Store, &self.redis_url), (Setting::RedisKeyPrefix, &self.key_prefix)];
        given.into_iter().filter_map(|(setting, value)| Some((setting, value.clone()?))).collect()
    }
}

/// Imports the folder of the original: `mainstay import aiclient` with the options of the original.
#[derive(Debug, Args)]
pub struct Migrate {
    /// The folder.
    #[arg(long, value_name = "FOLDER", default_value = "./configs")]
    config_dir: String,
    #[command(flatten)]
    destination: Destination,
    /// Say what would happen, write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Replace what the store holds otherwise.
    #[arg(long)]
    force: bool,
    /// Everything is read back and compared, with this option and without.
    #[arg(long)]
    verify: bool,
    /// Succeed also where token files are missing that providers name.
    #[arg(long)]
    allow_missing: bool,
}

impl Migrate {
    /// The settings that the flags stand for.
    pub fn flags(&self) -> Vec<(Setting, String)> {
        self.destination.flags()
    }

    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let import = import::Import {
            source: self.config_dir,
            key_prefix: String::new(),
            dry_run: self.dry_run,
            force: self.force,
            allow_missing: self.allow_missing,
        };
        import.run(context).await
    }
}

/// The options of the original's export, which stand beside the commands of `mainstay export`.
#[derive(Debug, Args)]
pub struct ExportOptions {
    /// The folder: `mainstay export aiclient` with the options of the original.
    #[arg(long, value_name = "FOLDER", default_value = "./configs")]
    output_dir: PathBuf,
    #[command(flatten)]
    destination: Destination,
    /// Say what would happen, write nothing.
    #[arg(long)]
    dry_run: bool,
    /// Replace files that are there with other content.
    #[arg(long)]
    force: bool,
}

impl ExportOptions {
    /// The settings that the flags stand for.
    pub fn flags(&self) -> Vec<(Setting, String)> {
        self.destination.flags()
    }

    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let export = export::Export {
            folder: self.output_dir,
            from: None,
            key_prefix: String::new(),
            dry_run: self.dry_run,
            force: self.force,
        };
        export.run(context).await
    }
}
