//! `mainstay user set`.

use super::{find, grant, told};
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::identity::{ChangeUser, RoleGrant};

/// Changes what a user is called or may do; what is not said stays.
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay user set ada --grant viewer")]
pub struct Set {
    /// The name, or the id.
    user: String,
    /// The name for people; none when empty.
    #[arg(long)]
    display_name: Option<String>,
    /// A role, in place of all that there were; ends the sessions of the user. May be repeated.
    #[arg(long = "grant", value_name = "ROLE[@NAMESPACE]", value_parser = grant)]
    grants: Vec<RoleGrant>,
    /// Take every role away; ends the sessions of the user.
    #[arg(long, conflicts_with = "grants")]
    no_grants: bool,
}

impl Set {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let id = find(context, &self.user).await?;
        let grants = (self.no_grants || !self.grants.is_empty()).then_some(self.grants);
        let change = ChangeUser { display_name: self.display_name, grants, disabled: None };
        told(context, &context.client_plain().await?.users().change(&id, &change).await?)
    }
}
