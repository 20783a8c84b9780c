//! `mainstay settings watch`.

use super::view;
use crate::cli::context::Context;
use crate::failure::Result;
use crate::printer::one_line;
use clap::Args;
use mainstay_api::Position;
use mainstay_api::documents::{CollectionName, DocumentChange, ListChanges};
use std::time::Duration;

/// How long the server is asked to wait for a change, in milliseconds.
const WAIT_MS: u64 = 25_000;
/// Pause before a call that failed is made again.
const PAUSE: Duration = Duration::from_secs(1);

/// Follows changes of documents, in order and without gaps, through restarts of the server and the store, until the command
/// is stopped. Prints a line for each change, and first the position that it begins at.
#[derive(Debug, Args)]
pub struct Watch {
    /// Only changes of this collection.
    #[arg(long, short, value_name = "NAME")]
    collection: Option<CollectionName>,
    /// Begin after this position, as an earlier line gave it; from now on when absent.
    #[arg(long, value_name = "POSITION")]
    after: Option<Position>,
    /// End after so many changes.
    #[arg(long)]
    count: Option<u64>,
}

impl Watch {
    /// Runs the command.
    pub async fn run(self, context: &Context<'_>) -> Result {
        let documents = context.client().await?.documents();
        let mut list =
            ListChanges { after: self.after, collection: self.collection, limit: None, wait_ms: Some(WAIT_MS) };
        let (mut told, mut interrupted) = (0, false);
        loop {
            let began = list.after.is_some();
            let read = match documents.changes(&list).await {
                Ok(read) => read,
                Err(error) if began && error.is_retryable() => {
                    // Once for each interruption, not for each attempt to end it.
                    if !interrupted {
                        context.printer.warning(&format!("interrupted, trying again: {error}"));
                    }
                    interrupted = true;
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
                Err(error) => return Err(error.problem().into()),
            };
            if interrupted {
                context.printer.note("connected again");
                interrupted = false;
            }
            if !began {
                context.printer.note(&format!("from {}", read.position));
            }
            if let Some(compacted) = &read.compacted {
                context
                    .printer
                    .item(compacted, || format!("compacted\tlist the documents; going on from {}", read.position))?;
            }
            for change in &read.changes {
                context.printer.item(change, || line(change))?;
                told += 1;
                if self.count.is_some_and(|count| told >= count) {
                    return Ok(());
                }
            }
            list.after = Some(read.position);
        }
    }
}

fn line(change: &DocumentChange) -> String {
    let name = format!("{}/{}", change.collection, one_line(change.key.as_str()));
    let (at, by) = (change.at.to_seconds_text(), one_line(&change.by));
    format!("{}\t{}\t{name}\t{at}\t{by}", change.revision, view::kind(change.kind))
}
