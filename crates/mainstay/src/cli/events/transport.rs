//! `mainstay events transport`.

use crate::cli::context::Context;
use crate::failure::Result;
use crate::printer::one_line;
use clap::{Args, Subcommand, ValueEnum};
use mainstay_api::events::{ChangeTransport, TransportChoice, TransportSettings};

/// Commands about how publishers send events.
#[derive(Debug, Subcommand)]
pub enum TransportCommand {
    /// Show the settings that publishers follow.
    Show(Show),
    /// Change them; publishers follow within seconds.
    Set(Set),
}

impl TransportCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::Show(command) => command.run(context).await,
            Self::Set(command) => command.run(context).await,
        }
    }
}

/// Shows the settings that publishers follow.
#[derive(Debug, Args)]
pub struct Show;

impl Show {
    async fn run(self, context: &Context<'_>) -> Result {
        let choice = context.client().await?.events().transport().await?;
        print(context, &choice)
    }
}

/// Changes the settings that publishers follow; what is not given stays as it is.
#[derive(Debug, Args)]
// Without one, the usual settings would take the place of what every publisher's environment says.
#[group(required = true, multiple = true)]
pub struct Set {
    /// Whether streams are used: `off` sends everything over the HTTP bridge.
    #[arg(long, value_enum)]
    streams: Option<Switch>,
    /// The share of rooms whose events go to streams, in percent.
    #[arg(long, value_name = "PERCENT")]
    percentage: Option<u8>,
    /// Whether events of these rooms go over the bridge as well.
    #[arg(long, value_enum)]
    dual_write: Option<Switch>,
    /// Whether an event that a stream does not take in time goes over the bridge.
    #[arg(long, value_enum)]
    fallback: Option<Switch>,
    /// How long a stream may take, in milliseconds.
    #[arg(long, value_name = "MS")]
    publish_timeout_ms: Option<u32>,
}

/// On or off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Switch {
    On,
    Off,
}

impl Set {
    async fn run(self, context: &Context<'_>) -> Result {
        let client = context.client().await?;
        let known = client.events().transport().await?;
        let is_on = |given: Option<Switch>, usual: bool| given.map_or(usual, |switch| switch == Switch::On);
        let usual = known.settings.unwrap_or_default();
        let settings = TransportSettings {
            use_streams: is_on(self.streams, usual.use_streams),
            percentage: self.percentage.unwrap_or(usual.percentage),
            dual_write: is_on(self.dual_write, usual.dual_write),
            fallback: is_on(self.fallback, usual.fallback),
            publish_timeout_ms: self.publish_timeout_ms.unwrap_or(usual.publish_timeout_ms),
        };
        // What somebody else changed meanwhile is not overwritten by what was read before.
        let change = ChangeTransport { settings, expected_version: Some(known.version) };
        let choice = client.events().set_transport(&change).await?;
        print(context, &choice)
    }
}

fn print(context: &Context<'_>, choice: &TransportChoice) -> Result {
    context.printer.data(choice, || {
        let Some(settings) = choice.settings else {
            return "not set: each publisher does as its own environment says".to_owned();
        };
        let word = |on: bool| if on { "on" } else { "off" };
        let mut lines = vec![
            format!("streams\t{}", word(settings.use_streams)),
            format!("percentage\t{}", settings.percentage),
            format!("dual write\t{}", word(settings.dual_write)),
            format!("fallback\t{}", word(settings.fallback)),
            format!("publish timeout\t{} ms", settings.publish_timeout_ms),
            format!("version\t{}", choice.version),
        ];
        if let (Some(at), Some(by)) = (choice.updated_at, &choice.updated_by) {
            lines.push(format!("changed\t{} by {}", at.to_seconds_text(), one_line(by)));
        }
        lines.join("\n")
    })
}
