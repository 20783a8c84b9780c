//! `mainstay store journal list`.

use crate::cli::context::Context;
use crate::failure::Result;
use clap::Args;
use mainstay_api::store::{JournalEntry, ListJournal};

/// Lists what waits for the store, and what the store did not take, with the reason.
#[derive(Debug, Args)]
pub struct List {
    /// Only entries after this one.
    #[arg(long, value_name = "NUMBER")]
    after: Option<u64>,
    /// Most entries: 1 to 1,000.
    #[arg(long, default_value_t = 100)]
    limit: u32,
}

impl List {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let list = ListJournal { after: self.after, limit: Some(self.limit) };
        let page = context.client().await?.store_journal(&list).await?;
        let head = ["ENTRY", "KIND", "WRITES", "BY", "AT", "REFUSED"];
        context.printer.data(&page, || context.printer.rows(&head, page.entries.iter().map(row).collect()))
    }
}

fn row(entry: &JournalEntry) -> Vec<String> {
    vec![
        entry.seq.to_string(),
        entry.kind.clone(),
        entry.subject.clone(),
        entry.by.clone(),
        entry.at.to_string(),
        entry.refused.clone().unwrap_or_default(),
    ]
}
