//! `mainstay conversation erase`.

use crate::cli::context::Context;
use crate::failure::{Failure, Result};
use clap::Args;
use mainstay_api::{Code, Realm, Subject, SubjectId, TenantId};

/// Erases every conversation of a user, for good.
#[derive(Debug, Args)]
pub struct Erase {
    /// Say that it is meant.
    #[arg(long)]
    yes: bool,
    /// All of this user, as realm/tenant/user, in the place of one's own; needs the scope conversations:admin.
    #[arg(long, value_name = "USER", value_parser = another, requires = "reason")]
    of: Option<Subject>,
    /// Why the data of another user is erased; it is recorded.
    #[arg(long, requires = "of")]
    reason: Option<String>,
}

/// A user, as realm/tenant/user.
pub fn another(text: &str) -> Result<Subject, String> {
    let parts: Vec<&str> = text.splitn(3, '/').collect();
    let [realm, tenant, user] = parts.as_slice() else {
        return Err("expected realm/tenant/user, as `mainstay whoami` names them".into());
    };
    Ok(Subject {
        realm: Realm::parse(*realm).map_err(|broken| broken.to_string())?,
        tenant: TenantId::parse(*tenant).map_err(|broken| broken.to_string())?,
        user: SubjectId::parse(*user).map_err(|broken| broken.to_string())?,
    })
}

impl Erase {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let client = context.client().await?;
        let own = client.whoami().await?.subject;
        if !self.yes {
            let Subject { realm, tenant, user } = self.of.as_ref().unwrap_or(&own);
            let detail = format!("this erases every conversation of {realm}/{tenant}/{user}");
            return Err(Failure::new(Code::InvalidRequest, detail, "Repeat it with --yes."));
        }
        let erased = match &self.of {
            Some(of) => client.conversations().erase_of(of, self.reason.as_deref().unwrap_or_default()).await?,
            None => client.conversations().erase(own.user.as_str()).await?,
        };
        context.printer.data(&erased, || format!("{} erased", erased.conversations))
    }
}
