//! `mainstay store status`.

use crate::cli::context::Context;
use crate::failure::{Failure, Result};
use clap::Args;
use mainstay_api::Code;
use mainstay_api::store::{StorePhase, StoreStatus};
use std::fmt::Write;

/// Shows how the store stands, and what waits for it. Exit status 3 where it does not answer.
#[derive(Debug, Args)]
pub struct Status {}

impl Status {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let status = context.client().await?.store_status().await?;
        context.printer.data(&status, || text(&status))?;
        match status.reachable {
            true => Ok(()),
            false => Err(Failure::Status(Code::StoreUnavailable.entry().exit)),
        }
    }
}

fn text(status: &StoreStatus) -> String {
    let state = match status.state {
        StorePhase::Connected => "connected",
        StorePhase::Away => "away",
        StorePhase::Replaying => "replaying",
        StorePhase::Halted => "halted",
    };
    let mut text = format!("store     {} at {}\nstate     {state}", status.kind, status.location);
    if let Some(since) = status.since {
        let _ = write!(text, " since {since}");
    }
    let _ = writeln!(text);
    if let Some(reason) = &status.reason {
        let _ = writeln!(text, "reason    {reason}");
    }
    if let Some(latency_ms) = status.latency_ms {
        let _ = writeln!(text, "answers in {latency_ms:.2} ms");
    }
    let counts = &status.counts;
    let _ = writeln!(
        text,
        "commands  {}, {} failed; {} reconnects",
        counts.commands, counts.failed_commands, counts.reconnects
    );
    if let (Some(at), Some(failure)) = (counts.failed_at, &counts.failure) {
        let _ = writeln!(text, "failed    {at}: {failure}");
    }
    if let Some(journal) = &status.journal {
        let _ =
            writeln!(text, "journal   {} wait, {} refused, {} bytes", journal.waiting, journal.refused, journal.bytes);
        let _ = writeln!(text, "replayed  {} after {} outages", journal.replayed, journal.outages);
    }
    text
}
