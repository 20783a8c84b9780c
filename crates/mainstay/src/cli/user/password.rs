//! `mainstay user password`.

use super::{find, told};
use crate::cli::context::Context;
use crate::cli::login::renewed;
use crate::failure::Result;
use crate::secret_input;
use clap::Args;
use mainstay_api::Code;
use mainstay_api::identity::{ChangePassword, SetPassword};
use mainstay_client::ClientError;
use secrecy::ExposeSecret;
use serde_json::json;
use std::path::PathBuf;

/// Gives a user a new password, and ends its sessions; without a user, changes one's own: the present one is asked for
/// first, and at the end a code where there is a second factor.
#[derive(Debug, Args)]
pub struct Password {
    /// The name, or the id; oneself when absent.
    user: Option<String>,
    /// A file whose first line is the new password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Password {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let Some(user) = &self.user else { return self.own(context).await };
        let id = find(context, user).await?;
        let password = secret_input::ask_new(context.printer, "new password", self.password_file.as_deref())?;
        let set = SetPassword { password: password.expose_secret().to_owned() };
        told(context, &context.client_plain().await?.users().set_password(&id, &set).await?)
    }

    async fn own(&self, context: &Context<'_>) -> Result {
        let present = secret_input::ask(context.printer, "present password", None)?;
        let new = secret_input::ask_new(context.printer, "new password", self.password_file.as_deref())?;
        let (password, new_password) = (present.expose_secret().to_owned(), new.expose_secret().to_owned());
        let mut change = ChangePassword { password, new_password, code: None };
        let client = context.client_plain().await?;
        let session = match client.account().change_password(&change).await {
            Err(ClientError::Problem(problem)) if problem.code == Code::SecondFactorRequired => {
                let code = secret_input::ask(context.printer, "code of the authenticator", None)?;
                change.code = Some(code.expose_secret().trim().to_owned());
                client.account().change_password(&change).await?
            }
            session => session?,
        };
        renewed(context, &session)?;
        match context.settings.token {
            Some(_) => Ok(()),
            None => context.printer.data(&json!({ "changed": true }), || "the password is changed".into()),
        }
    }
}
