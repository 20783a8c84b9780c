//! `mainstay totp enroll`.

use crate::cli::context::Context;
use crate::failure::Result;
use crate::secret_input;
use clap::Args;
use mainstay_api::identity::Proof;
use secrecy::ExposeSecret;

/// Begins to enrol an authenticator; the password is asked for. Type the secret into it, or make a QR code of the URI;
/// then `mainstay totp confirm`.
#[derive(Debug, Args)]
pub struct Enroll {}

impl Enroll {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        context.ready_to_seal().await?;
        let password = secret_input::ask(context.printer, "password", None)?;
        let proof = Proof { password: password.expose_secret().to_owned(), code: None };
        let enrolment = context.client_plain().await?.account().enrol(&proof).await?;
        context.printer.data(&enrolment, || format!("secret  {}\nuri     {}", enrolment.secret, enrolment.uri))
    }
}
