//! `mainstay totp confirm`.

use super::told;
use crate::cli::context::Context;
use crate::failure::Result;
use crate::secret_input;
use clap::Args;
use mainstay_api::identity::ConfirmEnrolment;
use secrecy::ExposeSecret;

/// Confirms an authenticator with its first code, and prints recovery codes. Every other session ends.
#[derive(Debug, Args)]
pub struct Confirm {}

impl Confirm {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let code = secret_input::ask(context.printer, "code of the authenticator", None)?;
        let confirm = ConfirmEnrolment { code: code.expose_secret().trim().to_owned() };
        told(context, &context.client_plain().await?.account().confirm(&confirm).await?)
    }
}
