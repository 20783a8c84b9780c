//! `mainstay gateway key export`.

use crate::cli::context::Context;
use crate::failure::{Failure, Result};
use crate::private_file;
use clap::Args;
use mainstay_api::Code;
use serde_json::json;
use std::io::ErrorKind;
use std::path::PathBuf;

/// Writes imported keys as an api-potluck-keys.json, with their secrets and what they used since. Keys that were made here are
/// left out: their secrets are not kept.
#[derive(Debug, Args)]
pub struct Export {
    /// A new file, readable by its owner alone.
    file: PathBuf,
}

impl Export {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let exported = context.client_plain().await?.gateway_keys().export().await?;
        let text = format!("{}\n", exported.file.as_str());
        private_file::create_new(&self.file, &text).map_err(|cause| self.unwritten(&cause))?;
        let told = json!({ "file": self.file, "left_out": exported.left_out });
        context.printer.data(&told, || {
            let left_out = exported.left_out.len();
            format!("wrote {}; {left_out} keys that were made here are left out", self.file.display())
        })
    }

    fn unwritten(&self, cause: &std::io::Error) -> Failure {
        if cause.kind() != ErrorKind::AlreadyExists {
            return Failure::io(format!("{} cannot be written", self.file.display()), cause);
        }
        let detail = format!("{} is there already, and was left as it is", self.file.display());
        Failure::new(Code::InvalidRequest, detail, "Name a new file, or move this one away.")
    }
}
