//! `mainstay import aiclient`.

use super::report;
use super::source::Source;
use crate::aiclient::applying::{Options, apply};
use crate::aiclient::picture::{Failed, Reading};
use crate::aiclient::plan::{self, IMPORT_KEY, LEGACY, named};
use crate::aiclient::report::Report;
use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::documents::{Transaction, WriteDocument, WriteOp};
use mainstay_api::{RawJson, Timestamp};
use mainstay_client::Client;
use serde::Serialize;

/// The form of what an import writes.
const VERSION: &str = "1.0";

/// Imports settings, pools of providers, token files and all else that the folder of the original holds. Every file is kept
/// byte for byte, so that `export aiclient` writes it again. Done twice, the second changes nothing. What the store
/// holds otherwise is left so, unless `--force` is given. Exit status 0 only where all of it is in the store.
#[derive(Debug, Args)]
#[command(after_help = "Example: mainstay import aiclient ./configs --dry-run")]
pub struct Import {
    /// The folder, such as ./configs, or redis://host/db for the keys of the original.
    pub source: String,
    /// What the keys of the original begin with.
    #[arg(long, value_name = "PREFIX", default_value = "aiclient:")]
    pub key_prefix: String,
    /// Say what would happen, write nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Replace what the store holds otherwise.
    #[arg(long)]
    pub force: bool,
    /// Succeed also where token files are missing that providers name; they are still listed.
    #[arg(long)]
    pub allow_missing: bool,
}

impl Import {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let source = Source { text: &self.source, key_prefix: &self.key_prefix };
        let reading = source.read(context).await?;
        let client = client(context).await?;
        let options = Options { force: self.force, dry_run: self.dry_run };
        let report = into_store(client, &reading, options, context.now()).await?;
        if !report.dry_run && report.created + report.replaced > 0 {
            remember(client, &source.shown()?, context.now()).await?;
        }
        report::import(context, &report, self.allow_missing)
    }
}

/// A client of the store or the server. What is sealed in this process is sealed with the ring of this machine.
pub async fn client<'a>(context: &'a Context<'_>) -> Result<&'a Client> {
    context.ready_to_seal().await?;
    context.client_plain().await
}

async fn into_store(client: &Client, reading: &Reading, options: Options, now: Timestamp) -> Result<Report> {
    let mut report = Report::of(reading, now.as_millis());
    let (items, failed) = plan::of(&reading.picture);
    report.failed.extend(failed);
    apply(client, &items, options, &mut report).await?;
    Ok(report)
}

#[derive(Serialize)]
struct Remembered<'a> {
    version: &'a str,
    program: &'a str,
    at: Timestamp,
    from: &'a str,
}

/// Notes when, from where and by which version was imported. A run that writes nothing leaves it as it is.
pub async fn remember(client: &Client, from: &str, now: Timestamp) -> Result {
    let remembered = Remembered { version: VERSION, program: env!("CARGO_PKG_VERSION"), at: now, from };
    let (Ok(name), Ok(value)) = (named(LEGACY, IMPORT_KEY), RawJson::of(&remembered)) else {
        unreachable!("constant names are valid, and texts have a JSON form")
    };
    let change = WriteDocument {
        collection: name.collection,
        key: name.key,
        op: WriteOp::Put,
        value: Some(value),
        revision: None,
        expected: None,
        ttl_ms: None,
    };
    client.documents().write(&Transaction { changes: vec![change], dry_run: false }, None).await?;
    Ok(())
}

/// What failed, in a line.
pub fn line(failed: &Failed) -> String {
    format!("{}: {}", crate::printer::one_line(&failed.origin), crate::printer::one_line(&failed.reason))
}
