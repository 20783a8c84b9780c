//! `mainstay init`.

use super::import::{client, remember};
use super::original::Destination;
use super::report;
use crate::aiclient::applying::{Options, apply, texts};
use crate::aiclient::defaults::{Chosen, picture};
use crate::aiclient::picture::Reading;
use crate::aiclient::plan::{self, named};
use crate::aiclient::report::Report;
use crate::cli::context::Context;
use crate::failure::{FAILED, Failure, Result};
use crate::settings::Setting;
use clap::Args;
use mainstay_api::Code;

/// Makes first settings in an empty store: the key of clients, the port, how providers are tried, the plugins `api-potluck` and
/// `default-auth`, and no pools. A store that has settings is left as it is, with exit status 1, unless `--force` is given.
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay init --api-key sk-my-team")]
pub struct Init {
    #[command(flatten)]
    destination: Destination,
    /// The key of clients; a random one when absent, which is shown this once.
    #[arg(long, value_name = "KEY")]
    api_key: Option<String>,
    /// The port that the original would listen on.
    #[arg(long, default_value_t = 3_000)]
    port: u16,
    /// The password of the original's own pages; none when absent.
    #[arg(long, value_name = "PASSWORD")]
    password: Option<String>,
    /// Replace settings that are there.
    #[arg(long)]
    force: bool,
    /// Say what would happen, write nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Init {
    /// The settings that the flags stand for.
    pub fn flags(&self) -> Vec<(Setting, String)> {
        self.destination.flags()
    }

    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let client = client(context).await?;
        let Ok(settings) = named("settings", "main") else { unreachable!("constant names are valid") };
        if !self.force && texts::document(client, &settings).await?.is_some() {
            context.printer.warning("the store has settings already; nothing was changed (--force replaces them)");
            return Err(Failure::Status(FAILED));
        }
        let made = self.api_key.is_none();
        let api_key = self.api_key.map_or_else(random_key, Ok)?;
        let chosen = Chosen { api_key: api_key.clone(), port: self.port, password: self.password };
        let picture = picture(&chosen).map_err(|cause| {
            Failure::new(Code::InvalidRequest, format!("the settings have no JSON form: {cause}"), "Choose others.")
        })?;
        let reading = Reading { picture, ..Reading::default() };
        let mut report = Report::of(&reading, context.now().as_millis());
        let (items, failed) = plan::of(&reading.picture);
        report.failed.extend(failed);
        // What is there beside the settings, such as plugins, is replaced by force alone.
        apply(client, &items, Options { force: self.force, dry_run: self.dry_run }, &mut report).await?;
        if !self.dry_run {
            remember(client, "init", context.now()).await?;
            if made {
                context.printer.note(&format!("the key of clients is {api_key}"));
            }
        }
        report::import(context, &report, false)
    }
}

/// `sk-` and 48 hexadecimal digits.
fn random_key() -> Result<String> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).map_err(|cause| {
        Failure::new(Code::InvalidRequest, format!("there is no randomness: {cause}"), "Give a key with --api-key.")
    })?;
    Ok(bytes.iter().fold(String::from("sk-"), |text, byte| format!("{text}{byte:02x}")))
}
