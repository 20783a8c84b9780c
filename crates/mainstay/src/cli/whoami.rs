//! `mainstay whoami`.

use super::context::Context;
use crate::failure::Result;
use clap::Args;

/// Shows what the server makes of the caller.
#[derive(Debug, Args)]
pub struct Whoami {}

impl Whoami {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let caller = context.client().await?.whoami().await?;
        context.printer.data(&caller, || {
            let instance = caller.instance.as_ref().map_or("-", |instance| instance.as_str());
            format!(
                "principal {}\nsubject   {}\ninstance  {}\nnamespace {}\nscopes    {}",
                caller.principal,
                crate::printer::one_line(&format!(
                    "{}/{}/{}",
                    caller.subject.realm, caller.subject.tenant, caller.subject.user
                )),
                crate::printer::one_line(instance),
                crate::printer::one_line(caller.namespace.as_str()),
                caller.scopes.join(" ")
            )
        })
    }
}
