//! `mainstay user list`.

use super::{grants, state};
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::identity::User;

/// Lists the users, by name.
#[derive(Debug, Args)]
pub struct List {}

impl List {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let users = context.client_plain().await?.users().list().await?;
        let head = ["NAME", "ID", "GRANTS", "STATE", "SECOND FACTOR"];
        let rows = || users.users.iter().map(row).collect();
        context.printer.data(&users, || context.printer.rows(&head, rows()))
    }
}

fn row(user: &User) -> Vec<String> {
    let factor = if user.second_factor { "yes" } else { "no" };
    vec![user.name.clone(), user.id.to_string(), grants(&user.grants), state(user).into(), factor.into()]
}
