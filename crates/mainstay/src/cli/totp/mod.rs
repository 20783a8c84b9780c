//! `mainstay totp`.

mod codes;
mod confirm;
mod enroll;
mod remove;

use super::context::Context;
use super::login::renewed;
use crate::failure::Result;
use crate::secret_input;
use clap::Subcommand;
use mainstay_api::identity::{Proof, RecoveryCodes};
use secrecy::ExposeSecret;
use serde_json::json;

/// Commands about one's own second factor.
#[derive(Debug, Subcommand)]
pub enum TotpCommand {
    /// Begin to enrol an authenticator.
    Enroll(enroll::Enroll),
    /// Confirm it with its first code, and get recovery codes.
    Confirm(confirm::Confirm),
    /// Take the second factor away.
    Remove(remove::Remove),
    /// Replace the recovery codes.
    RecoveryCodes(codes::Codes),
}

impl TotpCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::Enroll(command) => command.run(context).await,
            Self::Confirm(command) => command.run(context).await,
            Self::Remove(command) => command.run(context).await,
            Self::RecoveryCodes(command) => command.run(context).await,
        }
    }
}

/// Asks for the password and a code of the authenticator.
fn proof(context: &Context<'_>) -> Result<Proof> {
    let password = secret_input::ask(context.printer, "password", None)?;
    let code = secret_input::ask(context.printer, "code of the authenticator", None)?;
    Ok(Proof { password: password.expose_secret().to_owned(), code: Some(code.expose_secret().trim().to_owned()) })
}

/// Prints recovery codes, this once.
fn told(context: &Context<'_>, codes: &RecoveryCodes) -> Result {
    renewed(context, &codes.session)?;
    context.printer.note("recovery codes, each good for one login; this is the only time that they are shown:");
    context.printer.data(&json!({ "codes": codes.codes }), || codes.codes.join("\n"))
}
