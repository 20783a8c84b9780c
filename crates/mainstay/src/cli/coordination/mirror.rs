//! `mainstay mirror`.

use super::report;
use crate::cli::context::Context;
use crate::coordination::import::{self, Report};
use crate::coordination::parity::{self, Options, Parity};
use crate::coordination::source::{self, Entry, Place};
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
            Self::Repair => report::import(context, &repair(&context.settings, &mirror).await?, "the store"),
            Self::Finish => {
                let repaired = repair(&context.settings, &mirror).await?;
                let found = compare(&context.settings, &mirror).await?;
                report::finish(context, &repaired, &found)?;
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
    compare_with(&left, settings, mirror).await
}

/// Compares what was read of the store with its mirror.
///
/// # Errors
/// Where the mirror cannot be read.
pub async fn compare_with(store: &[Entry], settings: &Settings, mirror: &Place) -> Result<Parity> {
    let right = match mirror {
        // The folder is made when the first message is written there.
        Place::Folder(folder) if !folder.exists() => Vec::new(),
        _ => source::read(mirror, settings).await?,
    };
    let options = Options { legacy_shape: mirror.is_legacy(), ..Options::default() };
    Ok(parity::compare(store, &right, options))
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
    Place::parse(mirror)
}

/// The store itself, not through a server: both sides are read in the same way.
fn store_of(settings: &Settings) -> Place {
    Place::Store(Some(settings.store.text.clone()))
}

async fn repair(settings: &Settings, mirror: &Place) -> Result<Report> {
    let entries = source::read(&store_of(settings), settings).await?;
    match mirror {
        Place::Folder(folder) => import::into_folder(folder, &entries),
        Place::Store(Some(url)) => {
            let opened = Connection::to_store(settings, url).await?;
            let imported = import::into_store(&opened.client, &entries, false, |_| {}).await;
            opened.close().await;
            imported
        }
        Place::LegacyRedis(_) | Place::Store(None) => {
            let help = "A mirror is the URL of a second store, or a folder.";
            Err(Failure::new(Code::SettingInvalid, "this mirror cannot be written", help))
        }
    }
}
