//! `mainstay totp recovery-codes`.

use super::{proof, told};
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;

/// Replaces the recovery codes; the password and a code are asked for. Every other session ends.
#[derive(Debug, Args)]
pub struct Codes {}

impl Codes {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let proof = proof(context)?;
        told(context, &context.client_plain().await?.account().renew_codes(&proof).await?)
    }
}
