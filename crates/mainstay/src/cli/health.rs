//! `mainstay health`.

use super::context::Context;
use crate::failure::{Failure, Result};
use clap::Args;
use mainstay_api::Code;
use mainstay_api::health::HealthStatus;
use std::fmt::Write;

/// Asks whether the server, or the store, can do its work. Exit status 3 where it cannot.
#[derive(Debug, Args)]
pub struct Health {}

impl Health {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let health = context.client().await?.health().await?;
        context.printer.data(&health, || {
            let status = if health.status == HealthStatus::Ok { "ok" } else { "unavailable" };
            let mut text = format!("status  {status}\nversion {}\n", health.version);
            if let Some(store) = &health.store {
                let yes = |flag| if flag { "yes" } else { "no" };
                let _ = writeln!(text, "store   {}", store.kind);
                let _ = writeln!(text, "durable {}\nshared  {}", yes(store.durable), yes(store.shared));
                if let Some(latency_ms) = store.latency_ms {
                    let _ = writeln!(text, "answers in {latency_ms:.2} ms");
                }
            }
            text
        })?;
        for warning in health.store.iter().flat_map(|store| &store.warnings) {
            context.printer.warning(warning);
        }
        match health.status {
            HealthStatus::Ok => Ok(()),
            HealthStatus::Unavailable => Err(Failure::Status(Code::StoreUnavailable.entry().exit)),
        }
    }
}
