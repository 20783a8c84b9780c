//! `mainstay login`.

use super::context::Context;
use crate::failure::{Failure, Result};
use crate::{secret_input, session_file};
use clap::Args;
use mainstay_api::Code;
use mainstay_api::identity::{AnswerChallenge, Challenge, Login as Request, LoginOutcome, NewSession};
use secrecy::ExposeSecret;
use serde_json::json;
use std::path::PathBuf;

/// Digits of a code of an authenticator; a recovery code is longer.
const CODE_DIGITS: usize = 6;

/// Logs in with a name and a password. Later commands at the same server, or store, speak with the session.
#[derive(Debug, Args)]
#[command(
    after_help = "The password is read from the terminal or stdin; on stdin, the code of a second factor follows \
                        in the next line."
)]
pub struct Login {
    /// The name; that of the user of the operating system when absent.
    #[arg(long)]
    name: Option<String>,
    /// A file whose first line is the password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// Print the token instead of keeping it.
    #[arg(long)]
    print: bool,
}

impl Login {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let user = || context.settings.user.as_ref().map(|user| user.as_str().to_owned());
        let name = self
            .name
            .or_else(user)
            .ok_or_else(|| Failure::new(Code::InvalidRequest, "it is not known who logs in", "Give --name <name>."))?;
        let password = secret_input::ask(context.printer, "password", self.password_file.as_deref())?;
        let request = Request { name: name.clone(), password: password.expose_secret().to_owned() };
        let session = match context.client_plain().await?.account().login(&request).await? {
            LoginOutcome::Session(session) => session,
            LoginOutcome::Challenge(challenge) => answer(context, challenge).await?,
        };
        if self.print {
            return context.printer.data(&session, || session.token.clone());
        }
        session_file::keep(&context.settings, &session.token)?;
        let told = json!({ "id": session.id, "expires_at": session.expires_at });
        context.printer.data(&told, || format!("logged in as {name} until {}", session.expires_at.to_seconds_text()))
    }
}

async fn answer(context: &Context<'_>, challenge: Challenge) -> Result<NewSession> {
    let code = secret_input::ask(context.printer, "code of the authenticator, or a recovery code", None)?;
    let code = code.expose_secret().trim().to_owned();
    let of_authenticator = code.len() == CODE_DIGITS && code.bytes().all(|byte| byte.is_ascii_digit());
    let (code, recovery_code) = if of_authenticator { (Some(code), None) } else { (None, Some(code)) };
    let answer = AnswerChallenge { challenge: challenge.challenge, code, recovery_code };
    Ok(context.client_plain().await?.account().answer(&answer).await?)
}

/// Keeps the new token of a session that was rotated, or prints it where the old one was given from outside.
pub(super) fn renewed(context: &Context<'_>, session: &NewSession) -> Result {
    if context.settings.token.is_none() {
        return session_file::keep(&context.settings, &session.token);
    }
    context.printer.note("the session has a new token, for MAINSTAY_TOKEN:");
    context.printer.data(session, || session.token.clone())
}
