//! `mainstay gateway key change`.

use super::limits::LimitOptions;
use super::show::show;
use crate::cli::context::Context;
use crate::cli::span::Millis;
use crate::failure::{Failure, Result};
use clap::Args;
use mainstay_api::gateway::ChangeGatewayKey;
use mainstay_api::providers::GatewayKeyId;
use mainstay_api::{Code, Timestamp};

/// Changes a key of the gateway. What is not named stays.
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay gateway key change gwk-0123456789abcdef --budget none --in-flight 4")]
pub struct Change {
    /// The id.
    id: GatewayKeyId,
    /// What the key is for.
    #[arg(long)]
    name: Option<String>,
    /// The models that it may ask for, instead of those of before. May be repeated.
    #[arg(long = "model", value_name = "PATTERN", conflicts_with = "every_model")]
    models: Vec<String>,
    /// It may ask for every model.
    #[arg(long)]
    every_model: bool,
    /// The pools that it may use, instead of those of before. May be repeated.
    #[arg(long = "pool", value_name = "POOL", conflicts_with = "every_pool")]
    pools: Vec<String>,
    /// It may use every pool.
    #[arg(long)]
    every_pool: bool,
    /// How long the key holds from now on.
    #[arg(long, value_name = "SPAN", conflicts_with = "never_expires")]
    expires_in: Option<Millis>,
    /// The key holds for ever.
    #[arg(long)]
    never_expires: bool,
    /// Refuse the key.
    #[arg(long, conflicts_with = "enable")]
    disable: bool,
    /// Accept the key again.
    #[arg(long)]
    enable: bool,
    #[command(flatten)]
    limits: LimitOptions,
}

impl Change {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let keys = context.client_plain().await?.gateway_keys();
        let now = context.now().as_millis();
        let listed = |names: Vec<String>, every: bool| (every || !names.is_empty()).then_some(names);
        let mut change = ChangeGatewayKey {
            name: self.name,
            models: listed(self.models, self.every_model),
            pools: listed(self.pools, self.every_pool),
            disabled: (self.disable || self.enable).then_some(self.disable),
            expires_at: self.expires_in.map(|span| Timestamp::from_millis(now.saturating_add(span.0))),
            never_expires: self.never_expires,
            ..ChangeGatewayKey::default()
        };
        if self.limits.is_given() {
            // Limits are replaced as a whole, so those of the version that was read.
            let known = keys.read(&self.id).await?;
            (change.limits, change.expected) = (Some(self.limits.over(known.limits)), Some(known.version));
        }
        if change == ChangeGatewayKey::default() {
            let help = "Name what is to change; see `mainstay gateway key change --help`.";
            return Err(Failure::new(Code::InvalidRequest, "nothing is to be changed", help));
        }
        show(&keys.change(&self.id, &change).await?, context)
    }
}
