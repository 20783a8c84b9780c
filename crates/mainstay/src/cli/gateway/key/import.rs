//! `mainstay gateway key import`.

use crate::cli::context::Context;
use crate::failure::{Failure, Result};
use crate::printer::one_line;
use clap::Args;
use mainstay_api::gateway::{ImportGatewayKeys, ImportedGatewayKeys};
use mainstay_api::{Code, RawJson};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

/// Largest file that is read, in bytes.
const MAX_FILE_BYTES: u64 = 8 * 1_024 * 1_024;

/// Imports the keys of an api-potluck-keys.json into the namespace, with what they used. Done twice, the second changes nothing.
#[derive(Debug, Args)]
pub struct Import {
    /// The file.
    file: PathBuf,
    /// Say what would happen, write nothing.
    #[arg(long)]
    dry_run: bool,
}

impl Import {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let file = read(&self.file)?;
        if !self.dry_run {
            context.ready_to_seal().await?;
        }
        let import = ImportGatewayKeys { file, dry_run: self.dry_run };
        let imported = context.client_plain().await?.gateway_keys().import(&import).await?;
        context.printer.data(&imported, || text(&imported, self.dry_run))?;
        if imported.failed.is_empty() {
            return Ok(());
        }
        let detail = format!("{} keys were not imported", imported.failed.len());
        Err(Failure::new(Code::ImportSource, detail, "Mend what is said of each, and import again."))
    }
}

fn read(path: &PathBuf) -> Result<RawJson> {
    let unreadable = |cause: String| {
        let detail = format!("{} cannot be imported: {cause}", path.display());
        Failure::new(Code::ImportSource, detail, "Name an api-potluck-keys.json.")
    };
    // What is no file, such as a pipe, says nothing of its length.
    let file = File::open(path).map_err(|e| unreadable(e.to_string()))?;
    let mut text = String::new();
    let length = file.take(MAX_FILE_BYTES + 1).read_to_string(&mut text).map_err(|e| unreadable(e.to_string()))?;
    if length as u64 > MAX_FILE_BYTES {
        return Err(unreadable(format!("it has more than {MAX_FILE_BYTES} bytes")));
    }
    RawJson::parse(text.trim_start_matches('\u{feff}')).map_err(|e| unreadable(format!("it is no JSON: {e}")))
}

fn text(imported: &ImportedGatewayKeys, dry_run: bool) -> String {
    let would = if dry_run { "would be " } else { "" };
    let mut lines = vec![format!("{} {would}made, {} there already", imported.created, imported.unchanged)];
    let failed = imported.failed.iter();
    lines.extend(failed.map(|key| format!("key {} ({}): {}", key.place, one_line(&key.name), one_line(&key.cause))));
    if !imported.ignored.is_empty() {
        lines.push(format!("not kept: {}", one_line(&imported.ignored.join(", "))));
    }
    lines.join("\n")
}
