//! `mainstay keyring`.

mod list;
mod reseal;
mod retire;
mod rotate;

use super::context::Context;
use crate::failure::{Failure, Result};
use crate::wiring::{self, Backbone};
use clap::Subcommand;
use mainstay_api::Code;
use mainstay_api::audit::{AuditClass, AuditOutcome, AuditResource, ChainId};
use mainstay_core::Caller;
use mainstay_core::audit::Record;
use mainstay_core::secrets::KeyRing;

/// Commands about the keys that secrets in the store are sealed with.
#[derive(Debug, Subcommand)]
pub enum KeyringCommand {
    /// List the keys of the ring, made now where there is none.
    List(list::List),
    /// Add a new key, which secrets are sealed with from now on.
    Rotate(rotate::Rotate),
    /// Seal every secret in the store with the newest key.
    Reseal(reseal::Reseal),
    /// Take a key out of the ring that nothing is sealed with any more.
    Retire(retire::Retire),
}

impl KeyringCommand {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        match self {
            Self::List(command) => command.run(context).await,
            Self::Rotate(command) => command.run(context).await,
            Self::Reseal(command) => command.run(context).await,
            Self::Retire(command) => command.run(context).await,
        }
    }
}

/// The ring, made now where there is none and the store needs none.
async fn ring(context: &Context<'_>) -> Result<KeyRing> {
    local(context)?;
    wiring::ring(&context.settings).await
}

/// The store itself: the ring is a matter of whoever has both, and of no server in between.
async fn open(context: &Context<'_>) -> Result<Backbone> {
    local(context)?;
    Backbone::open(&context.settings).await
}

fn local(context: &Context<'_>) -> Result {
    let Some(url) = &context.settings.url else { return Ok(()) };
    Err(Failure::new(
        Code::SettingInvalid,
        format!("key rings are cared for where the store is, and not through {url}"),
        "Run the command on a machine with the ring and the store, without MAINSTAY_URL.",
    ))
}

/// Records what was done to the ring, in the chain of the server.
async fn record(backbone: &Backbone, action: &'static str, key: &str) -> Result {
    let mut record = Record::of(&Caller::owner(), action, AuditClass::Privilege);
    record.chain = ChainId::Server;
    record.outcome = AuditOutcome::Success;
    record.resource = Some(AuditResource { kind: "keyring".into(), id: Some(key.to_owned()) });
    record.from = Some("this process".into());
    backbone.services.audit.record(record).await?;
    Ok(())
}
