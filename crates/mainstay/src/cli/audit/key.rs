//! `mainstay audit key`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;

/// Shows the public key that checks the signatures of checkpoints. Note it down in a place of its own: who can write to
/// the store and to the checkpoints could also put another key in its place.
#[derive(Debug, Args)]
pub struct Key {}

impl Key {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let key = context.client().await?.audit().key().await?;
        context.printer.data(&key, || key.public_key.clone())
    }
}
