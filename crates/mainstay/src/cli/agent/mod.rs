//! `mainstay agent`.

mod beat;
mod details;
mod list;
mod register;
mod run;
mod unregister;
mod watch;

use super::context::Context;
use crate::failure::{Failure, Result};
use clap::Subcommand;
use mainstay_api::{Code, InstanceId};

/// Commands about presence.
#[derive(Debug, Subcommand)]
pub enum AgentCommand {
    /// Run a program as an agent: register, beat while it runs, unregister.
    Run(Box<run::Run>),
    /// List the instances that are there.
    List(list::List),
    /// Say who one is and what one works on.
    Register(Box<register::Register>),
    /// Say that one is alive.
    Beat(beat::Beat),
    /// Say that one has gone.
    Unregister(unregister::Unregister),
    /// Follow who comes, changes and goes.
    Watch(watch::Watch),
}

impl AgentCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::Run(command) => command.run(context).await,
            Self::List(command) => command.run(context).await,
            Self::Register(command) => command.run(context).await,
            Self::Beat(command) => command.run(context).await,
            Self::Unregister(command) => command.run(context).await,
            Self::Watch(command) => command.run(context).await,
        }
    }
}

/// The instance of the settings: presence has no use for a guess.
fn instance<'a>(context: &'a Context<'_>) -> Result<&'a InstanceId> {
    context.settings.instance.as_ref().ok_or_else(|| {
        let detail = "it is not known which instance this is about";
        Failure::new(Code::InstanceUnknown, detail, "Name it with --as <instance>, or set MAINSTAY_INSTANCE.")
    })
}
