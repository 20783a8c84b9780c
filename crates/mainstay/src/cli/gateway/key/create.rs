//! `mainstay gateway key create`.

use super::limits::LimitOptions;
use crate::cli::context::Context;
use crate::cli::span::Millis;
use crate::failure::Result;
use clap::Args;
use mainstay_api::Timestamp;
use mainstay_api::gateway::{CreateGatewayKey, GatewayLimits};

/// Makes a key of the gateway and prints its secret, this once: only its hash is kept.
#[derive(Debug, Args)]
#[command(
    after_help = "Example: mainstay gateway key create ada --model 'gpt-4o*' --budget 20/month --requests-per-minute 60"
)]
pub struct Create {
    /// What the key is for.
    name: String,
    /// A model that it may ask for, with `*` for any text; every one when absent. May be repeated.
    #[arg(long = "model", value_name = "PATTERN")]
    models: Vec<String>,
    /// A pool that it may use; every one when absent. May be repeated.
    #[arg(long = "pool", value_name = "POOL")]
    pools: Vec<String>,
    /// How long the key holds; for ever when absent.
    #[arg(long, value_name = "SPAN")]
    expires_in: Option<Millis>,
    #[command(flatten)]
    limits: LimitOptions,
}

impl Create {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let now = context.now().as_millis();
        let key = CreateGatewayKey {
            name: self.name,
            models: self.models,
            pools: self.pools,
            limits: self.limits.over(GatewayLimits::default()),
            disabled: false,
            expires_at: self.expires_in.map(|span| Timestamp::from_millis(now.saturating_add(span.0))),
        };
        let made = context.client_plain().await?.gateway_keys().create(&key).await?;
        context.printer.note(&format!("made {}; this is the only time that the secret is shown", made.key.id));
        context.printer.data(&made, || made.secret.clone())
    }
}
