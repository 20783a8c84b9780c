//! `mainstay providers breaker`.

use super::{Which, view};
use crate::cli::context::Context;
use crate::failure::Result;
use clap::{Args, Subcommand};
use mainstay_api::providers::{BreakerAction, Provider, SetBreaker};

/// Commands about the circuit of a provider.
#[derive(Debug, Subcommand)]
pub enum BreakerCommand {
    /// Force it open: no request is let through until somebody closes it.
    Open(Open),
    /// Close it, however it was opened; from then on the rules decide again.
    Close(Close),
    /// Show how it stands, since when, and why.
    Status(Status),
}

/// Forces the circuit of a provider open.
#[derive(Debug, Args)]
pub struct Open {
    #[command(flatten)]
    which: Which,
    /// Why, for those who look at it later.
    #[arg(long)]
    reason: Option<String>,
}

/// Closes the circuit of a provider.
#[derive(Debug, Args)]
pub struct Close {
    #[command(flatten)]
    which: Which,
    /// Why, for those who look at it later.
    #[arg(long)]
    reason: Option<String>,
}

/// Shows the circuit of a provider.
#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    which: Which,
}

impl BreakerCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::Open(Open { which, reason }) => set(context, which, (BreakerAction::Open, reason)).await,
            Self::Close(Close { which, reason }) => set(context, which, (BreakerAction::Close, reason)).await,
            Self::Status(Status { which }) => {
                let providers = context.client_plain().await?.providers();
                print(context, &providers.provider(&which.pool, &which.provider).read().await?)
            }
        }
    }
}

async fn set(context: &Context<'_>, which: Which, (action, reason): (BreakerAction, Option<String>)) -> Result {
    let providers = context.client_plain().await?.providers();
    let set = SetBreaker { action, reason };
    print(context, &providers.provider(&which.pool, &which.provider).set_breaker(&set).await?)
}

fn print(context: &Context<'_>, provider: &Provider) -> Result {
    context.printer.data(&provider.breaker, || {
        let probe = provider.breaker.probe_at.map(|at| format!("\nnext probe {at}")).unwrap_or_default();
        format!("{}{probe}", view::circuit(provider))
    })
}
