//! The three scripts of the coordination system that Mainstay replaces: their arguments, their output byte for byte,
//! and exit statuses that tell the truth. The shell files in `compat/` only call these commands.

mod ack;
mod arguments;
mod check;
mod identity;
mod publish;
mod text;

use crate::cli::context::Context;
use crate::failure::{FAILED, Failure, Result};
use clap::{Args, Subcommand};
use mainstay_api::{Code, Problem};
use mainstay_client::Client;

/// The scripts.
#[derive(Debug, Subcommand)]
pub enum CompatCommand {
    /// publish-message.sh.
    Publish(Script),
    /// check-messages.sh.
    Check(Script),
    /// ack-message.sh.
    Ack(Script),
}

/// A call of a script.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub struct Script {
    /// The name that the script was called by.
    name: String,
    /// Its arguments.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

/// Whose output and rules a script follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The first, on files.
    A,
    /// The last, on Redis.
    D,
}

impl CompatCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let stage = if context.settings.compat_stage_a { Stage::A } else { Stage::D };
        match self {
            Self::Publish(script) => publish::run(context, stage, &script).await,
            Self::Check(script) => check::run(context, stage, &script).await,
            Self::Ack(script) => ack::run(context, stage, &script).await,
        }
    }
}

/// A mistake in the arguments: the originals say it on stdout, with the usage, and exit with 1.
fn usage_error(context: &Context<'_>, error: &str, usage: &str) -> Result {
    context.printer.verbatim(&format!("{error}\n{usage}"))?;
    Err(Failure::Status(FAILED))
}

/// A failure of the call, in the words of the originals.
fn call_failed(context: &Context<'_>, problem: &Problem) -> Failure {
    let redis = context.settings.url.is_none() && context.settings.store.text.contains("redis");
    if redis && matches!(problem.code, Code::StoreUnavailable | Code::Unreachable) {
        context.printer.note("Error: Redis not available. Ensure Redis is running.");
    } else {
        context.printer.note(&format!("Error: {} ({})", problem.detail, problem.help));
    }
    Failure::Status(FAILED)
}

/// The same for a store that cannot be opened at all.
fn not_opened(context: &Context<'_>, failure: Failure) -> Failure {
    match failure {
        Failure::Problem(problem) => call_failed(context, &problem),
        other => other,
    }
}

/// A type that nobody knows, in the words of the originals.
async fn invalid_type(context: &Context<'_>, client: &Client, kind: &str) -> Result {
    let types = client.mail().types().await.map_err(|error| call_failed(context, &error.problem()))?.types;
    let valid = types.join(" ");
    context.printer.verbatim(&format!("Error: Invalid message type '{kind}'\nValid types: {valid}\n"))?;
    Err(Failure::Status(FAILED))
}
