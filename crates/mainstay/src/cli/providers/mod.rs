//! `mainstay providers`: pools of upstreams, and who is in them.

mod add;
mod breaker;
mod credential;
mod get;
mod list;
mod patch;
mod remove;
mod replace;
mod reset;
mod set;
mod settings;
mod switch;
mod view;

use super::context::Context;
use super::conversation::input;
use crate::failure::{Failure, Result};
use clap::{Args, Subcommand};
use mainstay_api::providers::{PoolType, Provider, ProviderId};
use mainstay_api::{Code, RawJson};

/// Commands about pools of providers.
#[derive(Debug, Subcommand)]
pub enum ProvidersCommand {
    /// List the pools, or the providers of one and how they do.
    List(list::List),
    /// Show a pool or a provider, with its settings.
    Get(get::Get),
    /// Add a provider at the end of a pool, which is made where there is none.
    Add(add::Add),
    /// Change some settings of a provider.
    Patch(patch::Patch),
    /// Write the settings of a provider whole; adds it where it is not there.
    Set(set::Set),
    /// Show, or change, the settings of a pool itself.
    Settings(settings::SettingsOfPool),
    /// Leave a provider out of every choice.
    Disable(switch::Disable),
    /// Let a provider be chosen again.
    Enable(switch::Enable),
    /// Set counters or health back.
    Reset(reset::Reset),
    /// Remove a provider, or a pool with all that is in it.
    Remove(remove::Remove),
    /// Replace a pool as a whole, in one step.
    Replace(replace::Replace),
    /// See a circuit, force it open, or close it.
    #[command(subcommand)]
    Breaker(breaker::BreakerCommand),
    /// Care for the credential of a provider.
    #[command(subcommand)]
    Credential(credential::CredentialCommand),
}

/// Which provider.
#[derive(Debug, Clone, Args)]
pub struct Which {
    /// The pool.
    pool: PoolType,
    /// The provider.
    provider: ProviderId,
}

impl ProvidersCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::List(command) => command.run(context).await,
            Self::Get(command) => command.run(context).await,
            Self::Add(command) => command.run(context).await,
            Self::Patch(command) => command.run(context).await,
            Self::Set(command) => command.run(context).await,
            Self::Settings(command) => command.run(context).await,
            Self::Disable(command) => command.run(context).await,
            Self::Enable(command) => command.run(context).await,
            Self::Reset(command) => command.run(context).await,
            Self::Remove(command) => command.run(context).await,
            Self::Replace(command) => command.run(context).await,
            Self::Breaker(command) => command.run(context).await,
            Self::Credential(command) => command.run(context).await,
        }
    }
}

/// JSON from an argument, or from stdin where it is `-`. What a parser says of it may repeat parts of a secret.
fn json(given: String) -> Result<RawJson> {
    RawJson::parse(&input::text(given)?).map_err(|_| {
        let help = "Give an object, such as '{\"base_url\": \"https://api.example.com/v1\"}'.";
        Failure::new(Code::InvalidRequest, "the settings are no JSON", help)
    })
}

/// Prints a provider that was changed.
fn changed(context: &Context<'_>, provider: &Provider) -> Result {
    context.printer.data(provider, || view::line(provider))
}
