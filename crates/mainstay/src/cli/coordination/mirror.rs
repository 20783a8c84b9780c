//! `mainstay mirror`.

use super::report;
use crate::cli::context::Context;
use crate::coordination::import;
use crate::coordination::parity::{self, Options, Parity};
use crate::coordination::source::{self, Place};
use crate::failure::{Failure, Result};
use crate::settings::Settings;
use crate::wiring::Connection;
use clap::Subcommand;
use mainstay_api::Code;

/// The mirror: the second place that every write is repeated to.
#[derive(Debug, Subcommand)]
pub enum MirrorCommand {
    /// Compare the store with its mirror.
    Status,
    /// Copy to the mirror what it lacks.
    Repair,
    /// End the period of dual writes: repair, compare, and say how to go on.
    Finish,
}

impl MirrorCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let mirror = mirror_of(&context.settings)?;
        match self {
            Self::Status => report::parity(context, &compare(&context.settings, &mirror).await?),
            Self::Repair => repair(context, &mirror).await,
            Self::Finish => {
                repair(context, &mirror).await?;
                let found = compare(&context.settings, &mirror).await?;
                report::parity(context, &found)?;
                context.printer.note(
                    "the store and its mirror are at parity; remove MAINSTAY_MIRROR to end the dual writes, or \
                     exchange it with MAINSTAY_STORE to go on there",
                );
                Ok(())
            }
        }
    }
}

/// Compares the store of the settings with its mirror.
///
/// # Errors
/// Where one of them cannot be read.
pub async fn compare(settings: &Settings, mirror: &Place) -> Result<Parity> {
    let left = source::read(&store_of(settings), settings).await?;
    let right = source::read(mirror, settings).await?;
    let options = Options { legacy_shape: mirror.is_legacy(), ..Options::default() };
    Ok(parity::compare(&left, &right, options))
}

/// The mirror that the settings name.
///
/// # Errors
/// `settings.invalid` where they name none.
pub fn mirror_of(settings: &Settings) -> Result<Place> {
    let mirror = settings.mirror.as_deref().ok_or_else(|| {
        let help = "Set MAINSTAY_MIRROR to the URL of a second store, or to a folder of the file-based system.";
        Failure::new(Code::SettingInvalid, "no mirror is configured", help)
    })?;
    Ok(Place::parse(mirror))
}

/// The store itself, not through a server: both sides are read in the same way.
fn store_of(settings: &Settings) -> Place {
    Place::Store(Some(settings.store.text.clone()))
}

async fn repair(context: &Context<'_>, mirror: &Place) -> Result {
    let entries = source::read(&store_of(&context.settings), &context.settings).await?;
    let report = match mirror {
        Place::Folder(folder) => import::into_folder(folder, &entries)?,
        Place::Store(Some(url)) => {
            let opened = Connection::to_store(&context.settings, url).await?;
            let imported = import::into_store(&opened.client, &entries, false, |_| {}).await;
            opened.close().await;
            imported?
        }
        Place::LegacyRedis(_) | Place::Store(None) => {
            let help = "A mirror is the URL of a second store, or a folder.";
            return Err(Failure::new(Code::SettingInvalid, "this mirror cannot be written", help));
        }
    };
    report::import(context, &report, "the store")
}
