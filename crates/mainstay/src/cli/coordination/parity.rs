//! `mainstay parity`.

use super::report;
use crate::cli::context::Context;
use crate::coordination::parity::{self, Options};
use crate::coordination::source::{self, Place};
use crate::failure::Result;
use clap::Args;

/// Compares two places, message by message. Exit status 0 only where both hold the same.
#[derive(Debug, Args)]
pub struct Parity {
    /// A folder, `coord+redis://host/db` for the keys of the original, the URL of a store, or `store` for the one
    /// that is configured.
    source: String,
    /// The same forms.
    destination: String,
    /// Do not mind messages that only the destination holds.
    #[arg(long)]
    one_way: bool,
    /// Do not mind entries that cannot be read; they are still listed.
    #[arg(long)]
    ignore_unreadable: bool,
}

impl Parity {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let (from, to) = (Place::parse(&self.source)?, Place::parse(&self.destination)?);
        let left = source::read(&from, &context.settings).await?;
        let right = source::read(&to, &context.settings).await?;
        let options = Options {
            legacy_shape: from.is_legacy() || to.is_legacy(),
            one_way: self.one_way,
            ignore_unreadable: self.ignore_unreadable,
        };
        report::parity(context, &parity::compare(&left, &right, options))
    }
}
