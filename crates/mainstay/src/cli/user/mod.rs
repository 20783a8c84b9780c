//! `mainstay user`.

mod add;
mod list;
mod password;
mod remove;
mod reset_second_factor;
mod set;
mod show;

use super::context::Context;
use crate::failure::{Failure, Result};
use crate::printer::one_line;
use clap::{Args, Subcommand};
use mainstay_api::identity::{ChangeUser, RoleGrant, User};
use mainstay_api::{Code, Namespace, UserId};
use mainstay_core::Role;

/// Commands about users.
#[derive(Debug, Subcommand)]
pub enum UserCommand {
    /// Add a user.
    Add(add::Add),
    /// List the users.
    List(list::List),
    /// Show a user.
    Show(show::Show),
    /// Change what a user is called or may do.
    Set(set::Set),
    /// Keep a user out, and end its sessions.
    Disable(Named),
    /// Let a user in again.
    Enable(Named),
    /// Remove a user with every session.
    Remove(remove::Remove),
    /// Give a user a new password, and end its sessions.
    Password(password::Password),
    /// Take the second factor of a user away, for one who has lost it.
    ResetSecondFactor(reset_second_factor::ResetSecondFactor),
}

/// A user by name or id.
#[derive(Debug, Args)]
pub struct Named {
    /// The name, or the id.
    user: String,
}

impl UserCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::Add(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
            Self::Show(command) => command.run(context).await,
            Self::Set(command) => command.run(context).await,
            Self::Disable(named) => disable(context, &named, true).await,
            Self::Enable(named) => disable(context, &named, false).await,
            Self::Remove(command) => command.run(context).await,
            Self::Password(command) => command.run(context).await,
            Self::ResetSecondFactor(command) => command.run(context).await,
        }
    }
}

async fn disable(context: &Context<'_>, named: &Named, disabled: bool) -> Result {
    let id = find(context, &named.user).await?;
    let change = ChangeUser { disabled: Some(disabled), ..ChangeUser::default() };
    let user = context.client_plain().await?.users().change(&id, &change).await?;
    told(context, &user)
}

/// The id of a user that was given by name or id.
pub(super) async fn find(context: &Context<'_>, given: &str) -> Result<UserId> {
    let users = context.client_plain().await?.users().list().await?.users;
    let same = |user: &User| user.id.as_str() == given || user.name.to_lowercase() == given.to_lowercase();
    users.into_iter().find(same).map(|user| user.id).ok_or_else(|| {
        let detail = format!("there is no user {given:?}");
        Failure::new(Code::IdentityNotFound, detail, "List the users with `mainstay user list`.")
    })
}

/// Prints a user.
fn told(context: &Context<'_>, user: &User) -> Result {
    context.printer.data(user, || {
        let name = user.display_name.as_deref().unwrap_or("-");
        format!(
            "id                {}\nname              {}\ndisplay name      {}\ngrants            {}\nstate             {}\n\
             second factor     {}\nrecovery codes    {}\nadded             {}\npassword changed  {}",
            user.id,
            one_line(&user.name),
            one_line(name),
            grants(&user.grants),
            state(user),
            if user.second_factor { "yes" } else { "no" },
            user.recovery_codes,
            user.created_at.to_seconds_text(),
            user.password_changed_at.to_seconds_text(),
        )
    })
}

/// Whether a user can come in, for people.
fn state(user: &User) -> &'static str {
    if user.disabled { "disabled" } else { "enabled" }
}

/// Grants in the form in which they are given.
fn grants(grants: &[RoleGrant]) -> String {
    let one = |grant: &RoleGrant| match &grant.namespace {
        Some(namespace) => format!("{}@{}", grant.role, one_line(namespace.as_str())),
        None => grant.role.clone(),
    };
    if grants.is_empty() { "-".into() } else { grants.iter().map(one).collect::<Vec<_>>().join(" ") }
}

/// Reads a grant: `<role>`, or `<role>@<namespace>`.
fn grant(text: &str) -> Result<RoleGrant, String> {
    let (role, namespace) = match text.split_once('@') {
        Some((role, namespace)) => (role, Some(Namespace::parse(namespace).map_err(|broken| broken.to_string())?)),
        None => (text, None),
    };
    let role = Role::parse(role).map_err(|error| {
        let valid = error.problem.valid_values.join(", ");
        format!("{}; valid: {valid}", error.problem.detail)
    })?;
    Ok(RoleGrant { namespace, role: role.as_str().to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_names_a_role_and_perhaps_a_namespace() {
        assert_eq!(grants(&[grant("member@team-a").unwrap(), grant("viewer").unwrap()]), "member@team-a viewer");
        assert!(grant("root").unwrap_err().contains("viewer"));
        assert!(grant("member@").is_err());
    }
}
