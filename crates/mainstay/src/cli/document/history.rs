//! `mainstay settings history`.

use super::{Which, view};
use crate::cli::context::Context;
use crate::failure::Result;
use crate::printer::one_line;
use clap::Args;
use mainstay_api::documents::{DocumentRevision, ListHistory};

/// Shows what a document was, the newest revision first: when, by whom, and what changed. Of secrets it says only that they
/// changed.
#[derive(Debug, Args)]
pub struct History {
    #[command(flatten)]
    which: Which,
    /// Most revisions: 1 to 1,000.
    #[arg(long)]
    limit: Option<u32>,
    /// Only revisions before this one.
    #[arg(long, value_name = "REVISION")]
    before: Option<u64>,
}

impl History {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let list = ListHistory { limit: self.limit, before: self.before };
        let documents = context.client().await?.documents();
        let history = documents.history(&self.which.collection, &self.which.key, &list).await?;
        context.printer.data(&history, || history.revisions.iter().map(revision).collect::<Vec<_>>().join("\n"))
    }
}

fn revision(revision: &DocumentRevision) -> String {
    let head = format!(
        "{}\t{}\t{}\t{}",
        revision.revision,
        revision.at.to_seconds_text(),
        one_line(&revision.by),
        view::kind(revision.kind)
    );
    let places = revision.diff.iter().map(|place| format!("  {}", view::place(place)));
    std::iter::once(head).chain(places).collect::<Vec<_>>().join("\n")
}
