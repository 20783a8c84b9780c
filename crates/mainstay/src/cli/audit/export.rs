//! `mainstay audit export`.

use crate::cli::context::Context;
use crate::cli::span::Moment;
use crate::failure::{Failure, Result};
use clap::{Args, ValueEnum};
use futures::StreamExt;
use mainstay_api::audit::{AuditFormat, ChainId, ExportAudit};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

/// Takes entries out, oldest first, one JSON document a line.
#[derive(Debug, Args)]
pub struct Export {
    /// The form.
    #[arg(long, value_enum, default_value_t = Form::Jsonl)]
    format: Form,
    /// The chain: `server` or `namespace:<name>`; that of the namespace when absent.
    #[arg(long)]
    chain: Option<ChainId>,
    /// Only entries behind this number.
    #[arg(long, value_name = "SEQ")]
    after: Option<u64>,
    /// Only entries since then: a span such as 24h, or a time.
    #[arg(long, value_name = "WHEN")]
    since: Option<Moment>,
    /// Only entries before then.
    #[arg(long, value_name = "WHEN")]
    until: Option<Moment>,
    /// A new file to write to, readable by its owner alone; stdout when absent.
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    /// The stored bytes, which can be verified.
    Jsonl,
    /// FHIR R4 AuditEvent resources.
    Fhir,
    /// OCSF events.
    Ocsf,
}

impl Export {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let now = context.now();
        let export = ExportAudit {
            chain: self.chain,
            format: Some(match self.format {
                Form::Jsonl => AuditFormat::Jsonl,
                Form::Fhir => AuditFormat::Fhir,
                Form::Ocsf => AuditFormat::Ocsf,
            }),
            after: self.after,
            since: self.since.map(|when| when.before(now)),
            until: self.until.map(|when| when.before(now)),
        };
        let mut pieces = context.client().await?.audit().export(&export).await?;
        let mut file = self.output.as_ref().map(create).transpose()?;
        let mut rest = Vec::new();
        while let Some(piece) = pieces.next().await {
            let piece = piece?;
            if let Some(file) = &mut file {
                file.write_all(&piece).map_err(|cause| Failure::io("the export cannot be written", &cause))?;
                continue;
            }
            // Whole lines only, so that no character is torn.
            rest.extend_from_slice(&piece);
            let whole = rest.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
            context.printer.verbatim(&String::from_utf8_lossy(&rest[..whole]))?;
            rest.drain(..whole);
        }
        match file {
            Some(file) => file.sync_all().map_err(|cause| Failure::io("the export cannot be written", &cause)),
            None => Ok(()),
        }
    }
}

fn create(path: &PathBuf) -> Result<std::fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map_err(|cause| Failure::io(format!("{} cannot be created", path.display()), &cause))
}
