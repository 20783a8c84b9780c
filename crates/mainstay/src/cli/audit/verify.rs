//! `mainstay audit verify`.

use super::walk::ApiTrail;
use crate::cli::context::Context;
use crate::failure::{FAILED, Failure, Result};
use crate::notary::FileNotary;
use clap::Args;
use mainstay_api::audit::{ChainId, ChainReport, Finding, VerifyAudit, VerifyReport};
use mainstay_core::audit::{Notary, PublicKey, Verification};
use std::fmt::Write;
use std::path::PathBuf;

/// Verifies the audit trail: every hash, every link, and every checkpoint. Exit status 1 where anything is wrong.
///
/// Without a server, or with a checkpoint file of one's own, the command walks along the chains itself; else it asks the
/// server, which compares them with the file that it writes.
#[derive(Debug, Args)]
pub struct Verify {
    /// Only this chain: `server` or `namespace:<name>`; all of them when absent.
    #[arg(long)]
    chain: Option<ChainId>,
    /// The checkpoint file to compare with, such as a copy from another machine.
    #[arg(long, value_name = "FILE", requires = "public_key")]
    checkpoints: Option<PathBuf>,
    /// A public key whose signatures count, as `mainstay audit key` printed it; may be given more than once.
    #[arg(long, value_name = "HEX")]
    public_key: Vec<String>,
    /// Fail, too, where a chain is not anchored by any checkpoint.
    #[arg(long)]
    require_anchor: bool,
}

impl Verify {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let by_server = context.settings.url.is_some() && self.checkpoints.is_none() && self.public_key.is_empty();
        let report = match by_server {
            true => context.client().await?.audit().verify(&VerifyAudit { chain: self.chain.clone() }).await?,
            false => self.walk(context).await?,
        };
        context.printer.data(&report, || text(&report))?;
        if !context.printer.is_json() {
            report.notices.iter().for_each(|notice| context.printer.warning(notice));
        }
        if !report.intact || (self.require_anchor && !report.anchored) {
            return Err(Failure::Status(FAILED));
        }
        Ok(())
    }

    async fn walk(&self, context: &Context<'_>) -> Result<VerifyReport> {
        let own = FileNotary::of(&context.settings);
        let mut trusted = self.public_key.iter().map(|key| PublicKey::parse(key)).collect::<Result<Vec<_>, _>>()?;
        // Named keys are the only ones that count: the one of this machine may have been put there by somebody else.
        if trusted.is_empty() {
            trusted.extend(own.public().await?);
        }
        let notary = match &self.checkpoints {
            Some(path) => {
                // A file that was named has to be there; one that was not need not be.
                std::fs::metadata(path)
                    .map_err(|cause| Failure::io(format!("{} cannot be read", path.display()), &cause))?;
                own.with_log(path.clone())
            }
            None => own,
        };
        let trail = ApiTrail(context.client().await?);
        let (only, now) = (self.chain.clone(), context.now());
        let verification = Verification { trail: &trail, notary: Some(&notary), trusted, only, now };
        Ok(verification.run().await?)
    }
}

fn text(report: &VerifyReport) -> String {
    let mut text = String::new();
    for chain in &report.chains {
        let _ = writeln!(text, "{}", line(chain));
        tell(&mut text, &chain.findings);
    }
    let _ = writeln!(text, "checkpoints: {} read", report.checkpoints);
    tell(&mut text, &report.findings);
    text.push_str(match (report.intact, report.anchored) {
        (true, true) => "the trail is intact and anchored",
        (true, false) => "the trail is intact as far as it can be told; not all of it is anchored",
        (false, _) => "the trail is NOT intact",
    });
    text
}

fn line(chain: &ChainReport) -> String {
    let state = if chain.intact { "intact" } else { "BROKEN" };
    let anchor = match (chain.anchored_seq, chain.anchored_at) {
        (Some(seq), Some(at)) => {
            format!("anchored up to {seq} at {}, {} behind it", at.to_seconds_text(), chain.not_anchored)
        }
        _ => "not anchored".into(),
    };
    let base = if chain.base_seq > 0 {
        format!(", those up to {} removed by retention", chain.base_seq)
    } else {
        String::new()
    };
    format!("{}: {state}, {} entries up to {}{base}; {anchor}", chain.chain, chain.entries, chain.seq)
}

fn tell(text: &mut String, findings: &[Finding]) {
    for finding in findings {
        let kind = serde_json::to_value(finding.kind).ok();
        let kind = kind.as_ref().and_then(|kind| kind.as_str()).unwrap_or("finding");
        let _ = writeln!(text, "  {kind}: {}", finding.detail);
    }
}
