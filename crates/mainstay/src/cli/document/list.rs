//! `mainstay settings list`.

use crate::cli::context::Context;
use crate::failure::Result;
use crate::printer::one_line;
use clap::Args;
use mainstay_api::documents::{CollectionName, Document, ListDocuments};

/// Lists documents of a collection, by key; or the collections.
#[derive(Debug, Args)]
pub struct List {
    /// The collection.
    #[arg(long, short, default_value = "settings", value_name = "NAME")]
    collection: CollectionName,
    /// List the collections that have documents.
    #[arg(long, conflicts_with_all = ["collection", "limit", "cursor"])]
    collections: bool,
    /// Most documents: 1 to 1,000.
    #[arg(long)]
    limit: Option<u32>,
    /// Continue where an earlier page ended.
    #[arg(long)]
    cursor: Option<String>,
}

impl List {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let documents = context.client().await?.documents();
        if self.collections {
            let names = documents.collections().await?;
            let lines = || names.iter().map(CollectionName::as_str).collect::<Vec<_>>().join("\n");
            return context.printer.data(&names, lines);
        }
        let list = ListDocuments { limit: self.limit, cursor: self.cursor };
        let page = documents.list(&self.collection, &list).await?;
        if let Some(next) = &page.next {
            context.printer.note(&format!("there are more: --cursor {}", one_line(next)));
        }
        context.printer.data(&page, || {
            context.printer.rows(&["KEY", "REVISION", "CHANGED", "BY", "BYTES"], page.items.iter().map(row).collect())
        })
    }
}

fn row(document: &Document) -> Vec<String> {
    vec![
        one_line(document.key.as_str()),
        document.revision.to_string(),
        document.updated_at.to_seconds_text(),
        one_line(&document.updated_by),
        document.value.as_str().len().to_string(),
    ]
}
