//! `mainstay settings edit`.

use super::set::parse;
use super::{Which, write};
use crate::cli::context::Context;
use crate::failure::{Failure, Result};
use clap::Args;
use mainstay_api::Code;
use mainstay_api::documents::WriteOp;
use std::io::Write;
use std::process::Command;

/// Opens a document in the editor (VISUAL, EDITOR, else vi) and writes what was made of it, unless somebody else changed it
/// meanwhile. Secrets are masked; a mask that is left keeps its secret.
#[derive(Debug, Args)]
pub struct Edit {
    #[command(flatten)]
    which: Which,
}

impl Edit {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        context.ready_to_seal().await?;
        let documents = context.client().await?.documents();
        let document = documents.read(&self.which.collection, &self.which.key).await?;
        let before = document.value.as_str();
        let after = edited(before)?;
        if after.trim() == before {
            context.printer.note("nothing was changed");
            return Ok(());
        }
        let mut change = self.which.write(WriteOp::Put);
        change.value = Some(parse(&after)?);
        change.expected = Some(document.revision);
        write(context, change, (false, None)).await
    }
}

/// What the editor makes of a text.
fn edited(text: &str) -> Result<String> {
    let made = tempfile::Builder::new().prefix("mainstay-").suffix(".json").tempfile();
    let mut file = made.map_err(|cause| Failure::io("no file can be made for the editor", &cause))?;
    writeln!(file, "{text}").map_err(|cause| Failure::io("the file for the editor cannot be written", &cause))?;
    let chosen =
        ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let editor = chosen.unwrap_or_else(|| "vi".to_owned());
    // Editors are given with arguments, such as `code --wait`.
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or("vi");
    let status = Command::new(program).args(words).arg(file.path()).status();
    let status = status.map_err(|cause| Failure::io("the editor cannot be started", &cause))?;
    if !status.success() {
        let help = "Nothing was written. Set EDITOR to another one, or use `mainstay settings set`.";
        return Err(Failure::new(Code::InvalidRequest, format!("the editor ended with {status}"), help));
    }
    std::fs::read_to_string(file.path()).map_err(|cause| Failure::io("what was edited cannot be read", &cause))
}
