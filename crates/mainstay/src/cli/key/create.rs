//! `mainstay key create`.

use crate::cli::context::Context;
use crate::cli::span::Millis;
use crate::failure::Result;
use clap::Args;
use mainstay_api::identity::CreateKey;
use mainstay_api::{InstanceId, Namespace, Timestamp};

/// Makes an API key and prints it, this once: only its hash is kept.
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay key create billing --role member --in team-a --expires-in 90d")]
pub struct Create {
    /// What the key is for.
    name: String,
    /// The role whose scopes the key gets: owner, admin, member or viewer.
    #[arg(long)]
    role: Option<String>,
    /// A scope, such as mail:read, besides those of the role. May be repeated.
    #[arg(long = "scope", value_name = "SCOPE")]
    scopes: Vec<String>,
    /// A namespace that the key is valid in; every one when absent. May be repeated.
    #[arg(long = "in", value_name = "NAMESPACE")]
    namespaces: Vec<Namespace>,
    /// The instance that the key speaks for; one named after the key when absent.
    #[arg(long = "instance", value_name = "INSTANCE")]
    speaks_for: Option<InstanceId>,
    /// How long the key holds; for ever when absent.
    #[arg(long, value_name = "SPAN")]
    expires_in: Option<Millis>,
}

impl Create {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let now = context.now().as_millis();
        let key = CreateKey {
            name: self.name,
            role: self.role,
            scopes: self.scopes,
            namespaces: self.namespaces,
            instance: self.speaks_for,
            expires_at: self.expires_in.map(|span| Timestamp::from_millis(now.saturating_add(span.0))),
        };
        let made = context.client_plain().await?.keys().create(&key).await?;
        context.printer.note(&format!("made {}; this is the only time that the key is shown", made.key.id));
        context.printer.data(&made, || made.token.clone())
    }
}
