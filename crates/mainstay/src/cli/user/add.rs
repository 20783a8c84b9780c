//! `mainstay user add`.

use super::{grant, told};
use crate::cli::context::Context;
use crate::failure::Result;
use crate::secret_input;
use clap::Args;
use mainstay_api::identity::{AddUser, RoleGrant};
use secrecy::ExposeSecret;
use std::path::PathBuf;

/// Adds a user. The first password is read from the terminal or stdin.
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay user add ada --grant member --grant admin@team-a")]
pub struct Add {
    /// The name to log in with; small and capital letters are the same.
    name: String,
    /// The name for people.
    #[arg(long)]
    display_name: Option<String>,
    /// A role: owner, admin, member or viewer; with @<namespace>, there alone. May be repeated.
    #[arg(long = "grant", value_name = "ROLE[@NAMESPACE]", value_parser = grant)]
    grants: Vec<RoleGrant>,
    /// A file whose first line is the password.
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl Add {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let password = secret_input::ask_new(context.printer, "password", self.password_file.as_deref())?;
        let user = AddUser {
            name: self.name,
            display_name: self.display_name,
            password: password.expose_secret().to_owned(),
            grants: self.grants,
        };
        let user = context.client_plain().await?.users().add(&user).await?;
        if user.grants.is_empty() {
            context.printer.note("the user may do nothing yet; give it a role with `mainstay user set --grant`");
        }
        told(context, &user)
    }
}
