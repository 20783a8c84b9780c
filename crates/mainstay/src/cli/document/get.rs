//! `mainstay settings get`.

use super::Which;
use crate::cli::context::Context;
use crate::failure::{Failure, Result};
use crate::printer::printable;
use clap::Args;
use mainstay_api::{Code, RawJson};
use std::collections::BTreeMap;

/// Prints a document as it was written, with masks in the place of secrets; with --json, what is known of it as well.
#[derive(Debug, Args)]
pub struct Get {
    #[command(flatten)]
    which: Which,
    /// Only this member, such as port, or redis.url for a member of a member.
    member: Option<String>,
    /// Print secrets as well, which is recorded.
    #[arg(long)]
    reveal: bool,
}

impl Get {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let documents = context.client().await?.documents();
        let (collection, key) = (&self.which.collection, &self.which.key);
        let document = match self.reveal {
            true => documents.reveal(collection, key).await?,
            false => documents.read(collection, key).await?,
        };
        match self.member {
            None => context.printer.data(&document, || printable(document.value.as_str()).into_owned()),
            Some(path) => {
                let found = path.split('.').try_fold(document.value.clone(), |value, name| member(&value, name));
                let value = found.ok_or_else(|| no_member(&path))?;
                context.printer.data(&value, || printable(value.as_str()).into_owned())
            }
        }
    }
}

/// The text of a member.
fn member(value: &RawJson, name: &str) -> Option<RawJson> {
    value.read::<BTreeMap<String, RawJson>>().ok()?.remove(name)
}

fn no_member(path: &str) -> Failure {
    let help = "Print the whole document to see what it has.";
    Failure::new(Code::DocumentNotFound, format!("the document has no member {path:?}"), help)
}
